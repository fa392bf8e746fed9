"""Hours of silence in a few megabytes: FLAC frames that state one sample each."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE_HZ, BLOCK_SAMPLES = 16_000, 1_152
# RFC 9639: sync and fixed block size; 1,152 samples at 16 kHz; mono of 16 bits.
_FRAME_HEAD = (0xFF, 0xF8, 0x35, 0x08)
_CONSTANT_ZERO = (0x00, 0x00, 0x00)  # A subframe of one value, and that value.
_NUMBER_SIZES = ((0x80, 1), (0x800, 2), (0x10000, 3), (0x200000, 4))  # As in UTF-8.


@cache
def silent_flac(hours: float, *, says_how_long: bool = True) -> bytes:
    """Build a FLAC of silence whose header may keep its length to itself."""
    n_frames = int(hours * 3600 * RATE_HZ / BLOCK_SAMPLES)
    n_samples = n_frames * BLOCK_SAMPLES if says_how_long else 0
    block = BLOCK_SAMPLES.to_bytes(2, "big")
    packed = RATE_HZ << 44 | 0 << 41 | 15 << 36 | n_samples
    info = block + block + bytes(6) + packed.to_bytes(8, "big") + bytes(16)
    parts, start = [b"fLaC\x80\x00\x00\x22" + info], 0
    for end, size in _NUMBER_SIZES:
        numbers = np.arange(start, min(end, n_frames), dtype=np.uint32)
        parts.append(_frames(numbers, size).tobytes())
        start = end
    return b"".join(parts)


def _frames(numbers: NDArray[np.uint32], size: int) -> NDArray[np.uint8]:
    """Build the frames with these numbers: uint8, shape (n_frames, n_bytes)."""
    columns = [np.full(len(numbers), byte, np.uint8) for byte in _FRAME_HEAD]
    columns += _utf8(numbers, size)
    columns.append(_crc(columns, 8, 0x07).astype(np.uint8))
    columns += [np.full(len(numbers), byte, np.uint8) for byte in _CONSTANT_ZERO]
    check = _crc(columns, 16, 0x8005)
    columns += [(check >> 8).astype(np.uint8), (check & 0xFF).astype(np.uint8)]
    return np.stack(columns, axis=1)


def _utf8(numbers: NDArray[np.uint32], size: int) -> list[NDArray[np.uint8]]:
    if size == 1:
        return [numbers.astype(np.uint8)]
    first = (0xF00 >> size) & 0xFF
    parts = [first | numbers >> 6 * (size - 1)]
    parts += [0x80 | numbers >> 6 * at & 0x3F for at in reversed(range(size - 1))]
    return [part.astype(np.uint8) for part in parts]


def _crc(columns: list[NDArray[np.uint8]], bits: int, polynomial: int) -> NDArray:
    """Check all frames at once, a column at a time."""
    table, most = np.zeros(256, np.uint32), (1 << bits) - 1
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value >> (bits - 1) else 0)) & most
        table[byte] = value
    check = np.zeros(len(columns[0]), np.uint32)
    for column in columns:
        index = (check >> (bits - 8) ^ column) & 0xFF
        check = (check << 8 & most) ^ table[index]
    return check
