"""Hostile media, made when asked for: nothing harmful lies in the repository.

`ecosystem.md` 4.2 says where each comes from; the bombs state sizes that a decoder
would believe, the playlists name a trap that must not be touched.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image

from tests.media_builders import (
    a_picture,
    a_sound_file,
    a_video_file,
    encoded,
    with_cover,
)
from tests.security.hostile_flac import silent_flac

# Text that makes FFmpeg, left to itself, ask the network or another file.
PLAYLISTS = {
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio {rtp} RTP/AVP 0\na=rtpmap:0 PCMU/8000\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n"
    "#EXT-X-ENDLIST\n",
    "hls_of_a_file": "#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile 'http://127.0.0.1:{port}/a.mp3'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" '
    'type="static" mediaPresentationDuration="PT9S"><Period><AdaptationSet '
    'mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>'
    "http://127.0.0.1:{port}/a.mp4</BaseURL></Representation></AdaptationSet>"
    "</Period></MPD>",
    "ram": "rtsp://127.0.0.1:{port}/a.rm\n",
    "svg": '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM '
    '"http://127.0.0.1:{port}/x">]><svg xmlns="http://www.w3.org/2000/svg">'
    '<image href="http://127.0.0.1:{port}/y"/><text>&x;</text></svg>',
    "xxe": '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<r>&x;</r>",
}


def playlist(name: str, port: int) -> bytes:
    """Build a text that names the trap."""
    # RTP is received, on an even port: at the trap's own it could not be opened.
    text = PLAYLISTS[name].replace("{rtp}", str((port + 3) & 0xFFFE))
    return text.replace("{port}", str(port)).encode()


def bombs() -> dict[str, tuple[bytes, str | None]]:
    """Build each bomb with the code that refuses it; None: it may be decoded."""
    sound, video = a_sound_file("mp3", 1), a_video_file(1)
    return {
        "png cover in an mp3": (with_cover(sound, png_bomb(14_000)), None),
        "png cover in an mp4": (mp4_with_cover(video, png_bomb(14_000)), None),
        "ten hours of flac": (silent_flac(10), "too_long"),
        "png of 196 megapixels": (png_bomb(14_000), "too_large"),
        "png at the limit": (png_bomb(7_400), None),
        "grey png at the limit": (png_bomb(4_400, channels=1), None),
        "png of one row": (encoded(Image.new("L", (60_000, 1))), "too_large"),
        "png of one column": (encoded(Image.new("L", (1, 60_000))), "too_large"),
        "png of compressed text": (png_text_bomb(), "undecodable"),
        "gif of 4 gigapixels": (gif_header(65_535, 65_535), "too_large"),
        "gif of 225 megapixels": (
            encoded(Image.new("P", (15_000, 15_000)), "GIF"),
            "too_large",
        ),
        "webp of 268 megapixels": (webp_header(16_383, 16_383), "too_large"),
        "webp of 25 megapixels": (
            encoded(Image.new("RGB", (5_000, 5_000)), "WEBP", lossless=True, method=0),
            "too_large",
        ),
        "tiff": (tiff_bomb(), "unknown_format"),
        "zip of nothing": (b"PK\5\6" + bytes(18), "unknown_format"),
        "zip of zips": (zip_bomb(), "unknown_format"),
        "mp4 that claims 2**25 samples": (mp4_with_samples(2**25), "undecodable"),
        "wav that claims 4 GB": (wav_claiming(2**32 - 1, channels=2), None),
        "wav of 65,535 channels": (wav_claiming(2**20, channels=65_535), None),
        "matroska of endless elements": (
            b"\x1a\x45\xdf\xa3" + b"\x01" + b"\xff" * 7 + bytes(64),
            "undecodable",
        ),
    }


@cache
def png_bomb(side_px: int, channels: int = 3) -> bytes:
    """Build a square of zeros; a thousandth of the bytes it unpacks to."""
    rows_per_part = 100
    part = bytes(rows_per_part * (1 + side_px * channels))
    n_parts = side_px // rows_per_part
    # After a full flush, the same bytes pack to the same bytes.
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)
    check = 1
    for _ in range(n_parts):
        check = zlib.adler32(part, check)
    body = b"\x78\x9c" + packed * n_parts + b"\3\0" + struct.pack(">I", check)
    colour = {1: 0, 3: 2}[channels]
    head = struct.pack(">IIBBBBB", side_px, side_px, 8, colour, 0, 0, 0)
    return _png(("IHDR", head), ("IDAT", body), ("IEND", b""))


def png_text_bomb() -> bytes:
    """Build a small picture with 100 comments of a megabyte, packed."""
    text = b"c\0\0" + zlib.compress(bytes(1 << 20), 9)
    plain = encoded(a_picture())
    header, rest = plain[:33], plain[33:]
    return header + b"".join([_chunk("zTXt", text)] * 100) + rest


def gif_header(width: int, height: int) -> bytes:
    """Build a GIF of one frame that large, and hardly any data for it."""
    size = struct.pack("<HH", width, height)
    return b"GIF89a" + size + bytes(3) + b"," + bytes(4) + size + b"\0\x02\x01\0\0;"


def webp_header(width: int, height: int) -> bytes:
    """Build an extended WebP that is only its header."""
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


@cache
def tiff_bomb() -> bytes:
    """Build a TIFF that unpacks to 100 megapixels."""
    return encoded(Image.new("1", (10_000, 10_000)), "TIFF", compression="tiff_lzw")


@cache
def zip_bomb() -> bytes:
    """Build archives in archives: 16 of 16 MB of zeros each, three levels deep."""
    inner = bytes(16 << 20)
    for _ in range(3):
        with io.BytesIO() as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for number in range(16 if len(inner) < 1 << 20 else 1):
                    archive.writestr(f"{number}.zip", inner)
            inner = file.getvalue()
    return inner


def mp4_with_samples(count: int) -> bytes:
    """Build an MP4 whose table of sample sizes claims so many."""
    video = bytearray(a_video_file(1))
    place = video.index(b"stsz") + 12
    video[place : place + 4] = count.to_bytes(4, "big")
    return bytes(video)


def mp4_with_cover(mp4: bytes, cover: bytes) -> bytes:
    """Put a cover picture into an MP4 whose index stands at its end."""
    place = mp4.index(b"moov") - 4
    size = int.from_bytes(mp4[place : place + 4], "big")
    assert place + size == len(mp4)
    data = _box("data", struct.pack(">II", 14, 0) + cover)  # 14: PNG.
    handler = _box("hdlr", bytes(8) + b"mdirappl" + bytes(9))
    items = _box("ilst", _box("covr", data))
    user_data = _box("udta", _box("meta", bytes(4) + handler + items))
    grown = (size + len(user_data)).to_bytes(4, "big")
    return mp4[:place] + grown + mp4[place + 4 :] + user_data


def wav_claiming(size: int, channels: int) -> bytes:
    """Build a WAV of a second that claims to be longer or wider."""
    frame_bytes = channels * 2 % 65_536
    form = struct.pack(
        "<HHIIHH", 1, channels, 8_000, 8_000 * frame_bytes % 2**32, frame_bytes, 16
    )
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data"
    return (
        b"RIFF" + struct.pack("<I", size) + body + struct.pack("<I", size) + bytes(9000)
    )


def random_files(count: int, seed: int = 4) -> Iterator[bytes]:
    """Make random bytes, half of them behind the first bytes of a format we take."""
    rng = random.Random(seed)
    starts = [
        *(b"fLaC\0\0\0\x22", b"OggS\0\2", b"ID3\3\0\0\0\0\0\x10", b"\xff\xfb\x90\x64"),
        *(b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftypmp42", b"RIFF\xff\0\0\0WAVEfmt "),
        *(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"GIF89a", b"\xff\xd8\xff\xe0"),
        *(b"RIFF\xff\0\0\0WEBPVP8 ", b"\xff\xf1\x50\x80"),
    ]
    for number in range(count):
        start = rng.choice(starts) if number % 2 else b""
        yield start + rng.randbytes(rng.randint(1, 4_096))


def truncations(data: bytes) -> Iterator[bytes]:
    """Cut a file at every hundredth of its length."""
    for percent in range(100):
        yield data[: len(data) * percent // 100]


def _png(*chunks: tuple[str, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: str, body: bytes) -> bytes:
    named = name.encode() + body
    check = struct.pack(">I", zlib.crc32(named))
    return struct.pack(">I", len(body)) + named + check


def _box(name: str, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name.encode() + body
