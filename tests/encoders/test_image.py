"""Facts about decoding pictures, and about the seam for picture models."""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from encoders.image import (
    PICTURE_SIDE_PX,
    SentenceTransformersImageEncoder,
    decode_image,
    image_mime,
    probe_image,
)
from encoders.media_format import MediaLimits
from encoders.signals import EncodeError, ModelUnavailableError, Pixels
from tests.media_builders import LIMITS, a_picture, encoded


def a_png_header(width: int, height: int) -> bytes:
    """Build a PNG that claims a size and holds one row of nothing."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


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


def test_a_picture_is_upright() -> None:
    """The rotation that a camera noted is applied."""
    picture = Image.new("RGB", (40, 20), "black")
    picture.paste("white", (0, 0, 20, 20))  # The left half.
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn clockwise to show.

    rgb = decode_image(encoded(picture, "JPEG", exif=exif), LIMITS).rgb

    assert rgb.shape == (40, 20, 3)
    assert rgb[:15].mean() > 240
    assert rgb[-15:].mean() < 15


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


def test_of_a_moving_gif_the_first_frame_is_seen() -> None:
    """Later frames are not."""
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

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


@pytest.mark.models
@pytest.mark.parametrize("name", ["clip-ViT-B-32", "no/such-folder"])
def test_a_picture_model_that_is_not_here_is_named(name: str) -> None:
    """Offline, the error says what to do."""
    with pytest.raises(ModelUnavailableError, match="give the folder"):
        SentenceTransformersImageEncoder(name, "cpu").embed([])


@pytest.mark.models
@pytest.mark.filterwarnings("ignore")
def test_pictures_are_embedded(tmp_path: Path) -> None:
    """A CLIP from a folder gives unit vectors, and its weights' hash as identity."""
    save_tiny_clip(tmp_path / "clip")
    encoder = SentenceTransformersImageEncoder(str(tmp_path / "clip"), "cpu")
    pictures = [Pixels(np.asarray(a_picture(seed=seed))) for seed in (1, 2)]

    embeddings = encoder.embed(pictures)

    assert (embeddings.shape, embeddings.dtype) == ((2, 4), np.float32)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert (encoder.model.role, encoder.model.name) == ("image", "clip")
    assert len(encoder.model.sha256) == 64
    assert encoder.embed([]).shape == (0, 0)


def save_tiny_clip(folder: Path) -> None:
    """Save a CLIP of random weights, as small as its code allows."""
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        CLIPTokenizer,
    )

    part = {
        "hidden_size": 8,
        "intermediate_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
    }
    config = CLIPConfig(
        text_config={**part, "vocab_size": 3, "max_position_embeddings": 8},
        vision_config={**part, "image_size": 32, "patch_size": 16},
        projection_dim=4,
    )
    CLIPModel(config).save_pretrained(folder)
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}
    (folder / "vocab.json").write_text(json.dumps(words))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    size = {"height": 32, "width": 32}
    images = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=size)
    CLIPProcessor(images, tokenizer).save_pretrained(folder)
