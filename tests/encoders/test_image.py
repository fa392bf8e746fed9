"""Facts about decoding pictures."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from encoders.image import (
    PICTURE_SIDE_PX,
    decode_image,
    image_mime,
    probe_image,
)
from encoders.media_format import MediaLimits
from encoders.signals import EncodeError
from tests.media_builders import LIMITS, a_picture, encoded

GREY, COLOUR, GREY_ALPHA, COLOUR_ALPHA = 0, 2, 4, 6  # PNG's kinds of pixels.


def a_png(
    width: int,
    height: int,
    pixels: bytes,
    *,
    bits: int = 8,
    kind: int = COLOUR,
    unseen: tuple[int, ...] = (),
) -> bytes:
    """Build a PNG of one row's pixels, again and again; `unseen` is tRNS's colour."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    data = chunk(b"IHDR", header)
    if unseen:
        data += chunk(b"tRNS", struct.pack(f">{len(unseen)}H", *unseen))
    data += chunk(b"IDAT", zlib.compress((b"\0" + pixels) * min(height, 100)))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


def a_png_header(width: int, height: int) -> bytes:
    """Build a PNG that claims a size and holds hardly anything."""
    return a_png(width, height, b"")


def four_corners() -> Image.Image:
    """Build a picture with a colour of its own in each quarter."""
    picture = Image.new("RGB", (64, 32), "red")
    for colour, box in (
        ("lime", (32, 0, 64, 16)),
        ("blue", (0, 16, 32, 32)),
        ("white", (32, 16, 64, 32)),
    ):
        picture.paste(colour, box)
    return picture


def corners(rgb: np.ndarray) -> list[str]:
    """Name the colours of the corners: top left, top right, and those below."""
    names = {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w"}
    at = [rgb[y, x] for y in (0, -1) for x in (0, -1)]
    return [names[tuple((pixel > 127).astype(int).tolist())] for pixel in at]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_every_format_gives_its_picture(format: str) -> None:
    """RGB, 8 bit, whatever it came in."""
    picture = a_picture(64, 48)
    data = encoded(picture, format)

    pixels = decode_image(data, LIMITS)

    assert (pixels.rgb.dtype, pixels.rgb.shape) == (np.uint8, (48, 64, 3))
    difference = np.abs(pixels.rgb.astype(int) - np.asarray(picture)).mean()
    assert difference < 12  # JPEG's and GIF's own losses.
    probe = probe_image(data, LIMITS)
    assert probe.mime == image_mime(data) == f"image/{format.lower()}"
    assert (probe.width_px, probe.height_px) == (64, 48)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "shown"),  # EXIF 2.3, tag 274: what is stored at the top left, …
    list(
        enumerate(("rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"), 1)
    ),
)
def test_a_picture_is_upright(orientation: int, shown: str, format: str) -> None:
    """The turn or the mirror that a camera noted is undone, whatever the format."""
    exif = Image.Exif()
    exif[0x0112] = orientation

    rgb = decode_image(encoded(four_corners(), format, exif=exif), LIMITS).rgb

    assert rgb.shape == ((32, 64, 3) if orientation < 5 else (64, 32, 3))
    assert "".join(corners(rgb)) == shown


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_shows_white(mode: str) -> None:
    """Black that can't be seen is not black."""
    picture = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    picture.paste((255, 0, 0, 255), (0, 0, 20, 10))
    options = {"transparency": 0} if mode == "P" else {}
    if mode == "P":
        picture = Image.new("P", (20, 20), 0)
        picture.putpalette([0, 0, 0, 255, 0, 0])
        picture.paste(1, (0, 0, 20, 10))
    else:
        picture = picture.convert(mode)

    rgb = decode_image(encoded(picture, "PNG", **options), LIMITS).rgb

    assert (rgb[10:] == 255).all()
    assert (rgb[:10, :, 1] < 100).all()


def test_cmyk_keeps_its_colour() -> None:
    """A printer's JPEG shows the colour it was made from."""
    data = encoded(Image.new("RGB", (16, 16), (200, 30, 60)).convert("CMYK"), "JPEG")

    assert decode_image(data, LIMITS).rgb[8, 8] == pytest.approx((200, 30, 60), abs=9)


def test_sixteen_bits_keep_their_shades() -> None:
    """The high byte is taken; nothing is cut off at white."""
    shades = np.linspace(0, 65_535, 64).astype(np.uint16).reshape(1, 64)
    data = encoded(Image.fromarray(np.repeat(shades, 8, axis=0)))

    rgb = decode_image(data, LIMITS).rgb

    np.testing.assert_array_equal(rgb[0, :, 0], shades[0] >> 8)


C, G, A = 0xC8FF, 0x1E00, 0x3C80  # 200, 30 and 60 in their high bytes.


@pytest.mark.parametrize(
    ("kind", "unseen", "pixels", "expected"),
    [
        (COLOUR, (), [C, G, A, 0, 0, 0], [(200, 30, 60), (0, 0, 0)]),
        (COLOUR_ALPHA, (), [C, G, A, 0xFFFF, 0, 0, 0, 0], [(200, 30, 60), (255,) * 3]),
        (GREY, (), [C, 0], [(200,) * 3, (0,) * 3]),
        (GREY, (0,), [C, 0], [(200,) * 3, (255,) * 3]),
        (GREY_ALPHA, (), [C, 0xFFFF, 0, 0], [(200,) * 3, (255,) * 3]),
    ],
)
def test_deep_colours_show_as_they_are(
    kind: int,
    unseen: tuple[int, ...],
    pixels: list[int],
    expected: list[tuple[int, int, int]],
) -> None:
    """Sixteen bits a channel, with and without something to see through."""
    row = struct.pack(f">{len(pixels)}H", *pixels)
    data = a_png(2, 2, row, bits=16, kind=kind, unseen=unseen)

    rgb = decode_image(data, LIMITS).rgb

    assert [tuple(pixel) for pixel in rgb[0].tolist()] == expected


@pytest.mark.parametrize(
    ("kind", "bits", "unseen", "row", "expected"),
    [
        (COLOUR, 8, (0, 0, 0), bytes([200, 30, 60, 0, 0, 0]), [(200, 30, 60), "white"]),
        (GREY, 8, (0,), bytes([200, 0]), [(200,) * 3, "white"]),
        (GREY, 4, (), bytes([0x5F]), [(85,) * 3, (255,) * 3]),
        (GREY, 1, (), bytes([0b0100_0000]), [(0,) * 3, (255,) * 3]),
    ],
)
def test_shallow_greys_and_colours_to_see_through(
    kind: int,
    bits: int,
    unseen: tuple[int, ...],
    row: bytes,
    expected: list[tuple[int, int, int] | str],
) -> None:
    """One to eight bits fill the whole range; what tRNS names shows white."""
    rgb = decode_image(
        a_png(2, 2, row, bits=bits, kind=kind, unseen=unseen), LIMITS
    ).rgb

    found = [tuple(pixel) for pixel in rgb[0].tolist()]
    assert found == [(255,) * 3 if e == "white" else e for e in expected]


def test_half_transparent_mixes_with_white() -> None:
    """As a viewer shows it."""
    data = encoded(Image.new("RGBA", (8, 8), (255, 0, 0, 128)))

    assert decode_image(data, LIMITS).rgb[4, 4].tolist() == [255, 127, 127]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_grey_is_grey(format: str) -> None:
    """A picture without colour has three equal channels."""
    rgb = decode_image(encoded(Image.new("L", (16, 16), 140), format), LIMITS).rgb

    assert np.abs(rgb.astype(int) - 140).max() <= 1


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_seen(format: str) -> None:
    """Later frames are not."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    data = encoded(frames[0], format, save_all=True, append_images=frames[1:])

    assert (decode_image(data, LIMITS).rgb == 255).all()


@pytest.mark.parametrize(
    ("size", "format", "shape"),
    [
        ((3000, 1500), "JPEG", (512, 1024, 3)),
        ((3000, 1500), "PNG", (512, 1024, 3)),
        ((20_000, 1), "PNG", (1, 1024, 3)),
    ],
)
def test_large_pictures_are_scaled(
    size: tuple[int, int], format: str, shape: tuple[int, int, int]
) -> None:
    """No side is longer than anything here looks at; none vanishes."""
    assert decode_image(encoded(a_picture(*size), format), LIMITS).rgb.shape == shape
    assert max(shape) == PICTURE_SIDE_PX


@pytest.mark.filterwarnings("ignore")  # As in production: they must not need to raise.
@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\x89PNG" + bytes(17 * 1024 * 1024), "too_large"),
        (b"a picture\n" * 99, "unknown_format"),
        (encoded(a_picture(), "TIFF"), "unknown_format"),
        (b"\xff\xd8\xff" + b"text" * 99, "undecodable"),
        (encoded(a_picture(60_000, 1)), "too_large"),
        (a_png_header(9_000, 9_000), "too_large"),
        (a_png_header(12_000, 12_000), "too_large"),
        (a_png_header(30_000, 30_000), "too_large"),
        (a_png_header(2**31 - 1, 2**31 - 1), "too_large"),
        (a_png_header(500, 500), "undecodable"),
    ],
)
def test_what_can_not_be_used_is_named(data: bytes, code: str) -> None:
    """Each way of being no usable picture has its own short word, bombs included."""
    with pytest.raises(EncodeError) as refusal:
        decode_image(data, LIMITS)

    assert refusal.value.code == code


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_a_picture_cut_short_is_undecodable(format: str, share: float) -> None:
    """Half a picture is not judged as a whole one."""
    data = encoded(a_picture(200, 200), format)

    with pytest.raises(EncodeError) as refusal:
        decode_image(data[: int(len(data) * share)], LIMITS)

    assert refusal.value.code in ("undecodable", "unknown_format")


def test_a_limit_on_pixels_is_kept() -> None:
    """`max_pixels` counts what is stored, not what is kept of it."""
    data = encoded(a_picture(100, 100))

    decode_image(data, MediaLimits(10**6, 60, max_pixels=10_000))
    with pytest.raises(EncodeError, match="100×100"):
        decode_image(data, MediaLimits(10**6, 60, max_pixels=9_999))
