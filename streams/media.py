"""Fetches media by URI, within limits, and holds no more bytes than the budget has.

What can't be had for good is a missing signal of the upload (`FetchedMedia.missing`);
what may be had later raises `TransientError`.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from schemas.records import MediaRef, Missing
from streams.addresses import AddressGuard, Network, Resolve, system_resolve
from streams.byte_budget import ByteBudget, Reservation
from streams.media_files import FileSource
from streams.media_http import HttpSource
from streams.media_objects import OBJECT_SCHEMES, ObjectSource
from streams.media_source import (
    CHUNK_BYTES,
    MediaSource,
    Told,
    TooLargeError,
    UnavailableError,
)
from streams.upload import FetchedMedia

Result = TypeVar("Result")

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class MediaStore:
    """Where media is fetched from; what is not allowed here is not fetched."""

    def __init__(
        self,
        *,
        root: Path | None,
        hosts: Iterable[str],
        max_bytes: int,
        timeout_s: float,
        networks: Iterable[str | Network] = (),
        buckets: Iterable[str] = (),
        endpoint: str | None = None,
        in_flight_bytes: int = 1 << 30,
        resolve: Resolve = system_resolve,
    ) -> None:
        web = HttpSource(hosts, AddressGuard(networks, resolve), timeout_s)
        objects = ObjectSource(buckets, endpoint, timeout_s)
        self._sources: dict[str, MediaSource] = {
            "file": FileSource(root),
            "http": web,
            "https": web,
            **dict.fromkeys(OBJECT_SCHEMES, objects),
        }
        self._max_bytes = max_bytes
        self.budget = ByteBudget(in_flight_bytes)

    async def fetch(self, ref: MediaRef) -> FetchedMedia:
        """Return the bytes that `ref` names, checked against its size and SHA-256.

        Outside the budget: for one piece of media at a time.

        Raises:
            TransientError: the store did not answer properly; try again.
        """
        return await self._fetch(ref, self._max_bytes, _nobody)

    @asynccontextmanager
    async def borrow(
        self, refs: Sequence[MediaRef]
    ) -> AsyncIterator[tuple[FetchedMedia, ...]]:
        """Yield the media of one upload, in the order of `refs`.

        Waits until the budget has room for all of it before any body is read, and
        holds that room until the block ends: let go of the bytes there. An upload
        that is larger than the budget has all of it for itself, and what would go
        beyond is missing.

        Raises:
            TransientError: the store did not answer properly; try again.
        """
        if not refs:
            yield ()
            return
        claims = await _together([self._claim_bytes(ref) for ref in refs])
        held = await self.budget.reserve(sum(claims))
        try:
            if sum(claims) > self.budget.limit_bytes:
                fetched = await self._one_by_one(refs, held)
            elif (media := await self._side_by_side(refs, claims, held)) is not None:
                fetched = media
            else:
                # Sizes were understated. To wait for more while holding some could
                # lock uploads out for ever, so it queues anew, for the most it may be.
                held.release()
                held = await self.budget.reserve(self._max_bytes * len(refs))
                fetched = await self._one_by_one(refs, held)
            yield fetched
        finally:
            held.release()

    async def _claim_bytes(self, ref: MediaRef) -> int:
        """Return for how many bytes room is kept: what is known, else the most."""
        try:
            size = await self._source(ref.uri).size_bytes(ref.uri)
        except UnavailableError:
            return 0  # Reading it says why.
        if size is None:
            size = ref.size_bytes or self._max_bytes
        return min(size, self._max_bytes)

    async def _side_by_side(
        self, refs: Sequence[MediaRef], claims: list[int], held: Reservation
    ) -> tuple[FetchedMedia, ...] | None:
        """Fetch all at once within their claims; None where one was understated."""

        async def one(index: int, ref: MediaRef) -> FetchedMedia | None:
            def told(size: int) -> None:
                claims[index] = min(claims[index], size)
                held.keep(sum(claims))

            try:
                fetched = await self._fetch(ref, claims[index], told)
            except TooLargeError:
                return None
            told(len(fetched.data or b""))
            return fetched

        media = await _together([one(*pair) for pair in enumerate(refs)])
        fetched = tuple(one for one in media if one is not None)
        return fetched if len(fetched) == len(refs) else None

    async def _one_by_one(
        self, refs: Sequence[MediaRef], held: Reservation
    ) -> tuple[FetchedMedia, ...]:
        """Fetch one after another until the upload has all that one upload may."""
        most = max(self.budget.limit_bytes, self._max_bytes)
        taken, fetched = 0, []
        for ref in refs:
            limit = min(self._max_bytes, most - taken)
            try:
                media = await self._fetch(ref, limit, _nobody)
            except TooLargeError:
                reason = f"too_large: the upload has over {most} bytes in all"
                media = _without(ref, reason)
            taken += len(media.data or b"")
            fetched.append(media)
        held.keep(taken)
        return tuple(fetched)

    async def _fetch(self, ref: MediaRef, limit_bytes: int, told: Told) -> FetchedMedia:
        """Fetch one piece.

        Raises:
            TooLargeError: it is over `limit_bytes`, which is below the usual limit.
            TransientError: the store did not answer properly.
        """
        try:
            if ref.size_bytes is not None and ref.size_bytes > self._max_bytes:
                raise UnavailableError(f"too_large: over {self._max_bytes} bytes")
            data = await self._source(ref.uri).read(ref.uri, limit_bytes, told)
            await _check(data, ref.sha256)
        except UnavailableError as error:
            if isinstance(error, TooLargeError) and limit_bytes < self._max_bytes:
                raise
            return _without(ref, str(error))
        return FetchedMedia(ref, data)

    def _source(self, uri: str) -> MediaSource:
        if _CONTROL.search(uri):
            raise UnavailableError("bad_uri: a control character in it")
        try:
            scheme = urlsplit(uri).scheme
        except ValueError as error:
            raise UnavailableError("bad_uri: it can't be parsed") from error
        if scheme not in self._sources:
            known = ", ".join(sorted(self._sources))
            raise UnavailableError(
                f"not_allowed: scheme {scheme[:16]!r}; expected one of {known}"
            )
        return self._sources[scheme]


async def _check(data: bytes, sha256: str | None) -> None:
    if not data:
        raise UnavailableError("empty: 0 bytes")
    if not sha256:
        return
    # A chunk hashes in a millisecond; a film would hold the loop up for half a second.
    if len(data) <= CHUNK_BYTES:
        found = hashlib.sha256(data).hexdigest()
    else:
        found = (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
    if found != sha256.lower():
        raise UnavailableError("checksum_mismatch: the bytes are others")


async def _together(work: Sequence[Coroutine[Any, Any, Result]]) -> list[Result]:
    """Run all at once; one failure ends the others before it is raised.

    `asyncio.gather` would leave them running, with bytes that no budget counts.
    """
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _without(ref: MediaRef, reason: str) -> FetchedMedia:
    return FetchedMedia(ref, None, Missing(f"media:{ref.role}", reason))


def _nobody(size_bytes: int) -> None:
    """Tell nobody: room for the most it may be is kept anyway."""
