"""Pictures and the video of the sample set, drawn here.

Called by `make_samples`. The test pattern stands for a picture that a bank knows; it is
harmless.
"""

import io
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFont
from sample_sound import BIT_EXACT, RATE_HZ, Sound, sound_frame

SIDE_PX: Final = 480
EDITED_SIDE_PX: Final = 360
EDITED_JPEG_QUALITY: Final = 55
VIDEO_PX: Final = (320, 240)
VIDEO_FPS: Final = 12
VIDEO_S: Final = 4
SEED: Final = 20261102

Rgb = tuple[int, int, int]


def sunrise() -> Image.Image:
    """Draw a cover: sun over hills, with a title."""
    image = _gradient((250, 190, 110), (250, 120, 120))
    draw = ImageDraw.Draw(image)
    draw.ellipse((150, 120, 330, 300), fill=(255, 240, 190))
    draw.polygon([(0, 330), (170, 240), (330, 480), (0, 480)], fill=(70, 110, 80))
    draw.polygon([(480, 290), (300, 270), (100, 480), (480, 480)], fill=(40, 80, 70))
    return _titled(image, "THE GARDEN HOUR", (30, 420))


def night() -> Image.Image:
    """Draw a cover: houses and lanterns at night, with a title."""
    image = _gradient((15, 20, 60), (60, 40, 90))
    draw = ImageDraw.Draw(image)
    for place, height in enumerate((180, 260, 140, 220, 300, 170)):
        left = place * 80
        draw.rectangle((left, 480 - height, left + 74, 480), fill=(20, 20, 30))
        draw.ellipse((left + 28, 200, left + 48, 220), fill=(255, 210, 120))
    return _titled(image, "LANTERN STREET", (40, 40))


def shapes() -> Image.Image:
    """Draw a cover: circles and bars, with a title."""
    image = _gradient((240, 240, 230), (180, 210, 220))
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 60, 200, 420), fill=(30, 60, 110))
    draw.ellipse((180, 100, 440, 360), fill=(210, 80, 60))
    draw.rectangle((260, 300, 460, 340), fill=(240, 200, 80))
    return _titled(image, "THE NIGHT TRAIN", (40, 10), (20, 20, 20))


def pattern() -> Image.Image:
    """Draw the known picture: a seeded chequer of 64 colours, labelled."""
    chance = np.random.default_rng(SEED)
    colours = chance.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    image = Image.fromarray(colours).resize((SIDE_PX, SIDE_PX), Image.Resampling.BOX)
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 200, 420, 280), fill=(255, 255, 255))
    return _titled(image, "TEST PATTERN", (80, 212), (0, 0, 0))


def edited(original: Image.Image) -> Image.Image:
    """Copy a picture as someone would who wants it unrecognised."""
    side = (EDITED_SIDE_PX, EDITED_SIDE_PX)
    image = ImageEnhance.Brightness(original.resize(side)).enhance(1.15)
    ImageDraw.Draw(image).text(
        (8, EDITED_SIDE_PX - 30), "new!", (255, 255, 255), ImageFont.load_default(20)
    )
    return image


def save_picture(file: Path, image: Image.Image) -> None:
    """Write a picture as PNG or JPEG, by the file's suffix."""
    if file.suffix == ".png":
        # 64 colours keep gradients small; banding is no matter here.
        image.quantize(64).convert("RGB").save(file, optimize=True)
    else:
        image.save(file, quality=EDITED_JPEG_QUALITY)


def save_video(file: Path, spoken: Sound) -> None:
    """Write a ball crossing a bridge as H.264, with speech as AAC, in MP4."""
    silence = np.zeros(VIDEO_S * RATE_HZ, dtype=np.float32)
    silence[: len(spoken)] = spoken[: len(silence)]
    with av.open(str(file), "w", options=BIT_EXACT) as container:
        video = container.add_stream("libx264", rate=VIDEO_FPS)
        audio = container.add_stream("aac", rate=RATE_HZ)
        assert isinstance(video, VideoStream)
        assert isinstance(audio, AudioStream)
        video.width, video.height = VIDEO_PX
        video.pix_fmt = "yuv420p"
        video.options = {"threads": "1"}  # Threads would make the bytes vary.
        audio.layout = "mono"
        for number in range(VIDEO_S * VIDEO_FPS):
            pixels = np.asarray(_bridge(number))
            container.mux(video.encode(VideoFrame.from_ndarray(pixels)))
        container.mux(video.encode(None))
        container.mux(audio.encode(sound_frame(silence)))
        container.mux(audio.encode(None))


def png_bytes(image: Image.Image) -> bytes:
    """Return a picture as PNG."""
    buffer = io.BytesIO()
    image.resize((96, 96)).save(buffer, "PNG")
    return buffer.getvalue()


def _bridge(number: int) -> Image.Image:
    image = _gradient((150, 190, 230), (240, 220, 180)).resize(VIDEO_PX)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 190, 320, 240), fill=(60, 100, 140))
    draw.arc((30, 60, 290, 300), 180, 360, fill=(90, 60, 50), width=8)
    draw.rectangle((0, 160, 320, 172), fill=(90, 60, 50))
    left = 10 + number * 6
    draw.ellipse((left, 138, left + 22, 160), fill=(220, 60, 60))
    return image


def _gradient(top: Rgb, bottom: Rgb) -> Image.Image:
    down: NDArray[np.float64] = np.linspace(0, 1, SIDE_PX)[:, None, None]
    rows = np.array(top) * (1 - down) + np.array(bottom) * down
    return Image.fromarray(np.repeat(rows, SIDE_PX, axis=1).astype(np.uint8))


def _titled(
    image: Image.Image, title: str, at: tuple[int, int], ink: Rgb = (255, 255, 255)
) -> Image.Image:
    ImageDraw.Draw(image).text(at, title, ink, ImageFont.load_default(44))
    return image
