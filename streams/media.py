"""Fetches media by URI, within limits: files under one root, hosts on a list.

What can't be had for good is a missing signal of the upload (`FetchedMedia.missing`);
what may be had later raises `TransientError`.
"""

import asyncio
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import httpx2

from schemas.records import MediaRef, Missing
from streams.errors import TransientError
from streams.upload import FetchedMedia

CHUNK_BYTES = 1 << 20


class _UnavailableError(Exception):
    """The media can't be had, and no retry changes that; the text is the reason."""


class MediaStore:
    """Where media is fetched from; what is not allowed here is not fetched."""

    def __init__(
        self,
        *,
        root: Path | None,
        hosts: Iterable[str],
        max_bytes: int,
        timeout_s: float,
    ) -> None:
        self._root = root.absolute() if root is not None else None
        self._hosts = frozenset(host.lower() for host in hosts)
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def fetch(self, ref: MediaRef) -> FetchedMedia:
        """Return the bytes that `ref` names, checked against its size and SHA-256.

        Raises:
            TransientError: the store did not answer properly; try again.
        """
        try:
            data = await self._read(ref)
            if not data:
                raise _UnavailableError("empty: 0 bytes")
            if ref.sha256 and hashlib.sha256(data).hexdigest() != ref.sha256.lower():
                raise _UnavailableError("checksum_mismatch: the bytes are others")
        except _UnavailableError as error:
            missing = Missing(f"media:{ref.role}", str(error))
            return FetchedMedia(ref, None, missing)
        return FetchedMedia(ref, data)

    async def _read(self, ref: MediaRef) -> bytes:
        if ref.size_bytes is not None and ref.size_bytes > self._max_bytes:
            raise self._too_large()
        try:
            parts = urlsplit(ref.uri)
            host = parts.hostname  # Raises on a malformed address.
        except ValueError as error:
            raise _UnavailableError("bad_uri: it can't be parsed") from error
        if parts.scheme == "file":
            if host not in (None, "", "localhost"):
                raise _UnavailableError("not_allowed: a file: URI names no host")
            path = unquote(parts.path)
            return await asyncio.to_thread(self._read_file, path)
        if parts.scheme in ("http", "https"):
            return await self._download(ref.uri, host)
        raise _UnavailableError(
            f"not_allowed: scheme {parts.scheme[:16]!r}; expected file, http or https"
        )

    def _read_file(self, name: str) -> bytes:
        """Read a file under the root, following no link on the way."""
        if self._root is None:
            raise _UnavailableError("not_allowed: HEADGATE_MEDIA_ROOT is not set")
        parts = _parts_below(self._root, name)
        descriptor = _open_below(self._root.resolve(), parts)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _UnavailableError("not_found: it is not a file")
            if status.st_size > self._max_bytes:
                raise self._too_large()
            data = file.read(self._max_bytes + 1)
        if len(data) > self._max_bytes:
            raise self._too_large()
        return data

    async def _download(self, uri: str, host: str | None) -> bytes:
        if (host or "").lower() not in self._hosts:
            raise _UnavailableError(
                "not_allowed: the host is not in HEADGATE_MEDIA_HOSTS"
            )
        try:
            # No redirects: one could lead to a host that is not on the list. No
            # proxies from the environment: they would see every upload.
            async with (
                asyncio.timeout(self._timeout_s),
                httpx2.AsyncClient(
                    follow_redirects=False, trust_env=False, timeout=self._timeout_s
                ) as client,
            ):
                return await self._stream(client, uri)
        except TimeoutError as error:
            raise TransientError(
                f"media took longer than {self._timeout_s} s to fetch"
            ) from error
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise _UnavailableError("bad_uri: it can't be requested") from error
        except httpx2.HTTPError as error:
            raise TransientError(f"media store: {type(error).__name__}") from error

    async def _stream(self, client: httpx2.AsyncClient, uri: str) -> bytes:
        # Unpacked on the way, a small answer could become a huge one.
        plain = {"accept-encoding": "identity"}
        async with client.stream("GET", uri, headers=plain) as response:
            status = response.status_code
            if status in (408, 425, 429) or status >= 500:
                raise TransientError(f"media store answered {status}")
            if status in (404, 410):
                raise _UnavailableError(f"not_found: the store answered {status}")
            if status != 200:
                raise _UnavailableError(f"refused: the store answered {status}")
            data = bytearray()
            async for chunk in response.aiter_raw(CHUNK_BYTES):
                data += chunk
                if len(data) > self._max_bytes:
                    raise self._too_large()
        return bytes(data)

    def _too_large(self) -> _UnavailableError:
        return _UnavailableError(f"too_large: over {self._max_bytes} bytes")


def _parts_below(root: Path, name: str) -> tuple[str, ...]:
    """Return the steps from the root to the named file, or refuse."""
    if "\0" in name:
        raise _UnavailableError("bad_uri: a NUL in the path")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise _UnavailableError("not_allowed: .. in the path")
    try:
        return path.relative_to(root).parts
    except ValueError as error:
        raise _UnavailableError("not_allowed: outside HEADGATE_MEDIA_ROOT") from error


def _open_below(root: Path, parts: tuple[str, ...]) -> int:
    """Open step by step with O_NOFOLLOW, so that no link can lead outside."""
    if not parts:
        raise _UnavailableError("not_found: it is a folder")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            deeper = os.open(
                part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder
            )
            os.close(folder)
            folder = deeper
        # Non-blocking, so that a named pipe can't hold the worker up.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        return os.open(parts[-1], flags, dir_fd=folder)
    except FileNotFoundError as error:
        raise _UnavailableError("not_found: no such file") from error
    except OSError as error:
        reason = f"not_readable: {os.strerror(error.errno or 0)}"
        raise _UnavailableError(reason) from error
    finally:
        os.close(folder)
