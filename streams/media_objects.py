"""Reads media from object stores: S3 and what speaks like it, Google, Azure.

Credentials are the machine's own (`AWS_…`, `GOOGLE_…`, `AZURE_…` variables or its
role); obstore's error texts quote them, so no text of its goes further than here.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    BaseError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import from_url

from streams.errors import StartError, TransientError
from streams.media_source import CHUNK_BYTES, Told, TooLargeError, UnavailableError

if TYPE_CHECKING:  # obstore has these types in its stubs alone.
    from obstore.store import ClientConfig, ObjectStore, S3Config

OBJECT_SCHEMES = frozenset({"s3", "gs", "az", "abfs", "abfss"})
# obstore takes proxies from the environment unless it is given one; this one is never
# dialled, for every host is excluded: names by the star, addresses by the networks.
_NO_PROXY: "ClientConfig" = {
    "proxy_url": "http://127.0.0.1:9",
    "proxy_excludes": "*,0.0.0.0/0,::/0",
}


class ObjectSource:
    """Objects in the given buckets, or below the given prefixes of buckets.

    Raises:
        StartError: a bucket or the endpoint can't be used.
    """

    def __init__(
        self, buckets: Iterable[str], endpoint: str | None, timeout_s: float
    ) -> None:
        self._timeout_s = timeout_s
        names = [bucket.rstrip("/") for bucket in buckets]
        self._stores = {name: _opened(name, endpoint, timeout_s) for name in names}

    async def size_bytes(self, uri: str) -> int:
        """Return the size from a HEAD."""
        store, key = self._place(uri)
        with _own_words(self._timeout_s):
            async with asyncio.timeout(self._timeout_s):
                return (await obstore.head_async(store, key))["size"]

    async def read(self, uri: str, limit_bytes: int, told: Told) -> bytes:
        """Return the object's bytes, within the time limit."""
        store, key = self._place(uri)
        with _own_words(self._timeout_s):
            async with asyncio.timeout(self._timeout_s):
                return await _read(store, key, limit_bytes, told)

    def _place(self, uri: str) -> "tuple[ObjectStore, str]":
        """Return the bucket and the key; a key is taken as it is, not decoded."""
        for name, store in self._stores.items():
            if uri.startswith(f"{name}/"):
                key = uri[len(name) + 1 :]
                if not key.strip("/"):  # The store would answer with a list of keys.
                    raise UnavailableError("bad_uri: no key after the bucket")
                return store, key
        raise UnavailableError(
            "not_allowed: the bucket is not in HEADGATE_MEDIA_BUCKETS"
        )


async def _read(store: "ObjectStore", key: str, limit_bytes: int, told: Told) -> bytes:
    answer = await obstore.get_async(store, key)
    size = answer.meta["size"]
    if size > limit_bytes:
        raise TooLargeError(limit_bytes)
    told(size)
    body = BytesIO()  # Gives its bytes away without a copy.
    async for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
        if body.tell() + len(chunk) > limit_bytes:
            raise TooLargeError(limit_bytes)
        body.write(chunk)
    return body.getvalue()


@contextmanager
def _own_words(timeout_s: float) -> Iterator[None]:
    """Turn obstore's errors into ours, without their texts (`from None`)."""
    try:
        yield
    except TimeoutError:
        raise TransientError(f"media took longer than {timeout_s} s to fetch") from None
    except FileNotFoundError:
        raise UnavailableError("not_found: no such object") from None
    except (PermissionDeniedError, UnauthenticatedError) as error:
        kind = type(error).__name__
        raise UnavailableError(f"refused: the object store said {kind}") from None
    except (InvalidPathError, ValueError):
        raise UnavailableError("bad_uri: the key is not one") from None
    except BaseError as error:
        raise TransientError(f"object store: {type(error).__name__}") from None


def _opened(bucket: str, endpoint: str | None, timeout_s: float) -> "ObjectStore":
    """Open a bucket; nothing is asked of it yet."""
    scheme, _, place = bucket.partition("://")
    wait = timedelta(seconds=timeout_s)
    client: ClientConfig = {
        "allow_http": (endpoint or "").startswith("http://"),
        "connect_timeout": wait,
        "timeout": wait,
        **_NO_PROXY,
    }
    own: S3Config | None = None
    if scheme == "s3" and endpoint is not None:
        own = {"endpoint": endpoint}
    try:
        if scheme not in OBJECT_SCHEMES or not place:
            raise ValueError("not the form of a bucket")
        return from_url(
            bucket,
            config=own,
            client_options=client,
            # Our own retries are bounded and counted; its would come on top.
            retry_config={"max_retries": 0, "retry_timeout": wait},
        )
    except (BaseError, ValueError) as error:
        raise StartError(
            f"HEADGATE_MEDIA_BUCKETS: {bucket!r} can't be used "
            f"({type(error).__name__}); expected s3://BUCKET, gs://BUCKET, "
            "az://CONTAINER (with AZURE_STORAGE_ACCOUNT_NAME) or "
            "abfss://CONTAINER@ACCOUNT.dfs.core.windows.net, with a prefix if wanted; "
            "and HEADGATE_MEDIA_ENDPOINT, if set, as http(s)://HOST:PORT"
        ) from None
