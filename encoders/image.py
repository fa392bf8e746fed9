"""Pictures from bytes.

Before `hashing`. Formats are told by their first bytes and listed; memory is bounded
before any pixel is decoded.
"""

import io
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from encoders.media_format import MediaLimits, check_pixels, check_size
from encoders.signals import EncodeError, MediaProbe, Pixels

# What cover art comes in. TIFF and the rest are code that hostile bytes could reach.
FORMATS: Final = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
}
PICTURE_SIDE_PX: Final = 1024  # PDQ looks at 512, picture models at 224 to 448.
# What decoding may hold at its peak: the sandbox gives 300 MB.
_MAX_DECODED_BYTES: Final = 280_000_000
# Bytes a pixel at that peak, measured: Pillow keeps four for RGB and half of one for
# scaling; most other modes, transparency and turning take copies. libwebp keeps two
# canvases, Pillow two more.
_PEAK_BYTES_RGB: Final = 5
_PEAK_BYTES_COPIED: Final = 14
_PEAK_BYTES_WEBP: Final = {"RGB": 16, "RGBA": 20}
_ORIENTATION: Final = 0x0112  # EXIF's tag; 1 is upright.
_SIXTEEN_BIT: Final = ("I;16", "I;16B", "I;16L", "I;16N", "I")
# Pillow's plugins raise these on damaged files; struct.error is no ValueError.
_DAMAGED: Final = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError)


def image_mime(data: bytes) -> str | None:
    """Name a picture's type from its first bytes; None if it is none we take."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return None


def probe_image(data: bytes, limits: MediaLimits) -> MediaProbe:
    """Say what a picture is and how large, as stored, without decoding it.

    Raises:
        EncodeError: `empty`, `too_large`, `unknown_format` or `undecodable`.
    """
    image = _open(data, limits)
    return MediaProbe(
        mime=image_mime(data) or "",
        has_audio=False,
        has_video=False,
        duration_s=None,
        width_px=image.width,
        height_px=image.height,
    )


def decode_image(data: bytes, limits: MediaLimits) -> Pixels:
    """Decode a picture as a viewer shows it on white, at most 1024 pixels a side.

    Of a moving GIF or WebP only the first frame is seen.

    Raises:
        EncodeError: `empty`, `too_large`, `unknown_format` or `undecodable`.
    """
    image = _open(data, limits)
    try:
        # A JPEG is decoded small from the start; other formats take no notice.
        image.draft("RGB", (PICTURE_SIDE_PX, PICTURE_SIDE_PX))
        image.load()
        shown = _eight_bits(image)
        # In place, as much as can be: each copy of the largest takes 256 MB.
        ImageOps.exif_transpose(shown, in_place=True)
        shown.thumbnail((PICTURE_SIDE_PX, PICTURE_SIDE_PX))
        shown = _on_white(shown)
    except _DAMAGED as error:
        raise EncodeError(
            "undecodable", f"{image_mime(data)} that is cut short or damaged"
        ) from error
    return Pixels(np.asarray(shown, dtype=np.uint8))


def _open(data: bytes, limits: MediaLimits) -> Image.Image:
    """Read a picture's header; refuse by size before anything is decoded."""
    check_size(data, limits)
    mime = image_mime(data)
    if mime is None:
        raise EncodeError(
            "unknown_format",
            f"the bytes are of no known picture format; expected {', '.join(FORMATS)}",
        )
    try:
        image = Image.open(io.BytesIO(data), formats=(FORMATS[mime],))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise EncodeError("too_large", "more pixels than are taken") from error
    except _DAMAGED as error:
        raise EncodeError("undecodable", f"{mime} with a damaged header") from error
    check_pixels(image.width, image.height, limits)
    if (peak_bytes := _peak_bytes(image)) > _MAX_DECODED_BYTES:
        raise EncodeError(
            "too_large",
            f"{image.width}×{image.height} pixels of this {mime} take {peak_bytes} "
            f"bytes to decode; at most {_MAX_DECODED_BYTES} are taken",
        )
    return image


def _peak_bytes(image: Image.Image) -> int:
    """Estimate the memory that decoding takes, from the header."""
    turned = "exif" in image.info and image.getexif().get(_ORIENTATION, 1) != 1
    if image.format == "JPEG" and not image.info.get("progressive"):
        each = 0  # It is decoded small from the start.
    elif image.format == "WEBP":
        each = _PEAK_BYTES_WEBP.get(image.mode, _PEAK_BYTES_WEBP["RGBA"])
    elif image.mode == "RGB" and not image.has_transparency_data and not turned:
        each = _PEAK_BYTES_RGB
    else:
        each = _PEAK_BYTES_COPIED
    return image.width * image.height * each


def _eight_bits(image: Image.Image) -> Image.Image:
    """Bring any mode to RGB, or RGBA where something is transparent."""
    if image.mode in _SIXTEEN_BIT:  # Pillow's own conversion cuts off above 255.
        return _from_sixteen_bits(image)
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    """Take the high bytes of grey; one shade may stand for nothing (PNG's tRNS)."""
    grey = np.asarray(image).clip(0, 0xFFFF).astype(np.uint16)
    shown = Image.fromarray((grey >> 8).astype(np.uint8)).convert("RGB")
    unseen = image.info.get("transparency")
    if unseen is not None:
        shown.putalpha(
            Image.fromarray(np.where(grey == unseen, 0, 255).astype(np.uint8))
        )
    return shown


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
