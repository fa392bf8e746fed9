"""What the places that media comes from have in common; media.py asks them."""

from collections.abc import Callable
from typing import Protocol

CHUNK_BYTES = 1 << 20

# Told the size of what is being read, in bytes, as soon as the place says it.
Told = Callable[[int], None]


class UnavailableError(Exception):
    """The media can't be had, and no retry changes that; the text is the reason."""


class TooLargeError(UnavailableError):
    """There are more bytes than may be read."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"too_large: over {limit_bytes} bytes")


class MediaSource(Protocol):
    """A place that media comes from; holds no bytes of its own.

    Both methods raise `UnavailableError` where the media can't be had for good and
    `TransientError` where the place did not answer properly.
    """

    async def size_bytes(self, uri: str) -> int | None:
        """Return the size without reading, or None where only reading tells it."""

    async def read(self, uri: str, limit_bytes: int, told: Told) -> bytes:
        """Return the bytes.

        Raises:
            TooLargeError: they are more than `limit_bytes`; no more than that was held.
        """
