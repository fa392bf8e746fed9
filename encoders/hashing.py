"""Hashes of media: exact ones of bytes, perceptual ones of pictures.

After `image` and `video`, before `banks`.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import pdqhash
from PIL import Image

from encoders.signals import Pixels

# ThreatExchange, pdq/cpp/hashing: pictures are brought to 512 pixels first
# (DOWNSAMPLE_DIMS); its Python reference hashes differ from ours by 0 to 2 bits then.
_PDQ_SIDE_PX: Final = 512


@dataclass(frozen=True, slots=True)
class PdqHash:
    """A picture's PDQ hash: 64 characters of lower-case hex, quality 0 to 100.

    Quality says how much there is to see; at 0 (one colour, or a side below 5 pixels)
    the hash means nothing.
    """

    hex: str
    quality: int


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of bytes as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def pdq(pixels: Pixels) -> PdqHash:
    """Return the perceptual hash of a picture; near copies differ in few bits.

    Of a video's frame it is vPDQ's, which hashes frames as large as they are.
    """
    rgb = pixels.rgb
    if pixels.frame_s is None:
        image = Image.fromarray(rgb)
        image.thumbnail((_PDQ_SIDE_PX, _PDQ_SIDE_PX))
        rgb = np.asarray(image)
    bits, quality = pdqhash.compute(rgb)
    return PdqHash(np.packbits(bits.astype(np.uint8)).tobytes().hex(), int(quality))


def hamming(a_hex: str, b_hex: str) -> int:
    """Count the bits in which two hashes of the same length differ."""
    if len(a_hex) != len(b_hex):
        raise ValueError(
            f"hashes of {len(a_hex)} and {len(b_hex)} hex digits can't be compared"
        )
    return (int(a_hex, 16) ^ int(b_hex, 16)).bit_count()
