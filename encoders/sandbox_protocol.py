"""What goes through the pipes between `sandbox_process` and `sandbox_worker`.

Requests are trusted, answers are not: hostile content may have taken the worker over.
So they are JSON and plain samples, bounded, and every field is checked.
"""

import json
import math
import re
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, Final, cast, get_args

from encoders.audio import Truncation
from encoders.confinement import Confinement
from encoders.hashing import PdqHash
from encoders.media_format import MediaLimits
from encoders.media_reader import Fault, MediaLook, SeenPicture
from encoders.signals import MediaProbe

JSON: Final = b"J"
SOUND: Final = b"S"  # int16 samples, little-endian; any number of them before a JSON.
PIXELS: Final = b"P"  # Rows of RGB, uint8; `parse_pictures` says whose they are.
MAX_FRAME_BYTES: Final = 1 << 20  # A thousand times what a look at 16 frames takes.
_MAX_PICTURES: Final = 64
MAX_SENT_SIDE_PX: Final = 1_280  # What `image` and `video` scale to, at most.
# Sixteen frames of 448 by 1,280 pixels take 27.5 MB; none is larger.
MAX_PIXELS_BYTES: Final = 32 << 20
_MAX_MESSAGE_CHARS: Final = 300
_HEAD: Final = struct.Struct("<cI")  # Kind and length of what follows.
_SIZE: Final = struct.Struct("<IQ")  # Lengths of a request and of its media.
_MIME: Final = re.compile(r"[a-z]{1,16}/[a-z0-9.+-]{1,48}")
_CODE: Final = re.compile(r"[a-z_]{1,40}")
_PDQ: Final = re.compile(r"[0-9a-f]{64}")


class ProtocolError(Exception):
    """The worker answered what no sound worker does."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done with media, within limits.

    `skip_samples`: how much of a sound, from its start, is not sent.
    """

    operation: str
    limits: MediaLimits
    data: bytes
    skip_samples: int = 0


@dataclass(frozen=True, slots=True)
class SoundEnd:
    """The last word on a sound."""

    truncated: Truncation | None


def write_request(pipe: IO[bytes], request: Request) -> None:
    """Ask for something to be done with media."""
    head = {
        "operation": request.operation,
        "limits": asdict(request.limits),
        "skip_samples": request.skip_samples,
    }
    body = json.dumps(head).encode()
    pipe.write(_SIZE.pack(len(body), len(request.data)) + body)
    pipe.write(request.data)
    pipe.flush()


def read_request(pipe: IO[bytes]) -> Request | None:
    """Return the next request; None at the end."""
    head = pipe.read(_SIZE.size)
    if len(head) < _SIZE.size:
        return None
    n_body, n_data = _SIZE.unpack(head)
    body = json.loads(pipe.read(n_body))
    data = pipe.read(n_data)
    if len(data) < n_data:
        return None
    limits = MediaLimits(**body["limits"])
    return Request(body["operation"], limits, data, body["skip_samples"])


def write_frame(pipe: IO[bytes], kind: bytes, body: bytes) -> None:
    """Write a part of an answer; sound in parts of MAX_FRAME_BYTES."""
    for start in range(0, max(1, len(body)), MAX_FRAME_BYTES):
        part = body[start : start + MAX_FRAME_BYTES]
        pipe.write(_HEAD.pack(kind, len(part)))
        pipe.write(part)


def read_frame(pipe: IO[bytes]) -> tuple[bytes, bytes]:
    """Return kind and body of the next part of an answer.

    Raises:
        EOFError: the worker is gone.
        ProtocolError: that is no part of an answer.
    """
    kind, size = _HEAD.unpack(_exactly(pipe, _HEAD.size))
    if kind not in (JSON, SOUND, PIXELS) or size > MAX_FRAME_BYTES:
        raise ProtocolError(f"a part {kind!r} of {size} bytes")
    return kind, _exactly(pipe, size)


def parse_answer(body: bytes) -> Mapping[str, Any]:
    """Return the JSON that ends an answer, as an object."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("an answer that is not JSON") from error
    if not isinstance(answer, dict):
        raise ProtocolError("an answer that is no JSON object")
    return answer


def look_as_json(look: MediaLook) -> dict[str, object]:
    """Return a look as `parse_look` reads it."""
    return asdict(look)


def parse_look(found: object) -> MediaLook:
    """Return a look, each of its fields checked.

    Raises:
        ProtocolError: a field is not what a decoder gives.
    """
    match found:
        case {"probe": probe, "pictures": list(pictures), "frames_fault": fault} if (
            len(pictures) <= _MAX_PICTURES
        ):
            seen = tuple(_picture(picture) for picture in pictures)
            return MediaLook(
                parse_probe(probe), seen, parse_fault(fault) if fault else None
            )
    raise ProtocolError("no look at media")


def parse_probe(found: object) -> MediaProbe:
    """Return a probe, each of its fields checked; see `parse_look`."""
    match found:
        case {
            "mime": str(mime),
            "has_audio": bool(has_audio),
            "has_video": bool(has_video),
            "duration_s": (None | int() | float()) as duration_s,
            "width_px": (None | int()) as width_px,
            "height_px": (None | int()) as height_px,
        } if _MIME.fullmatch(mime):
            _check_numbers(duration_s, width_px, height_px)
            return MediaProbe(
                mime, has_audio, has_video, duration_s, width_px, height_px
            )
    raise ProtocolError("no probe of media")


def parse_sound_end(found: object) -> SoundEnd:
    """Return how whole a sound was; see `parse_look`."""
    if found is not None and found not in get_args(Truncation):
        raise ProtocolError("no word on how whole the sound is")
    return SoundEnd(cast("Truncation | None", found))


def parse_pictures(found: object) -> tuple[tuple[int, int, float | None], ...]:
    """Return height, width and second of each picture sent; see `parse_look`."""
    match found:
        case list(pictures) if len(pictures) <= _MAX_PICTURES:
            return tuple(_size(picture) for picture in pictures)
    raise ProtocolError("no list of pictures")


def parse_fault(found: object) -> Fault:
    """Return why something can't be decoded; see `parse_look`."""
    match found:
        case {"code": str(code), "message": str(message)} if _CODE.fullmatch(code):
            plain = "".join(c for c in message if c.isprintable())
            return Fault(code, plain[:_MAX_MESSAGE_CHARS])
    raise ProtocolError("no reason for a fault")


def parse_confinement(found: object) -> Confinement:
    """Return what the kernel took from the worker: said before it saw any media."""
    match found:
        case {"landlock_abi": int(abi), "seccomp": bool(seccomp)}:
            return Confinement(abi, seccomp)
    raise ProtocolError("no word on its confinement")


def _picture(found: object) -> SeenPicture:
    match found:
        case {
            "pdq": {"hex": str(digits), "quality": int(quality)},
            "frame_s": (None | int() | float()) as frame_s,
        } if _PDQ.fullmatch(digits) and 0 <= quality <= 100:
            if frame_s is not None and not math.isfinite(frame_s):
                raise ProtocolError("a frame at no time")
            return SeenPicture(PdqHash(digits, quality), frame_s)
    raise ProtocolError("no hash of a picture")


def _size(found: object) -> tuple[int, int, float | None]:
    match found:
        case [int(height), int(width), (None | int() | float()) as frame_s] if (
            0 < height <= MAX_SENT_SIDE_PX and 0 < width <= MAX_SENT_SIDE_PX
        ):
            if frame_s is not None and not math.isfinite(frame_s):
                raise ProtocolError("a frame at no time")
            return height, width, frame_s
    raise ProtocolError("no size of a picture")


def _check_numbers(*numbers: float | None) -> None:
    for number in numbers:
        if number is not None and not 0 <= number < 2**53:
            raise ProtocolError(f"a length or side of {number}")


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    body = pipe.read(size)
    if len(body) < size:
        raise EOFError
    return body
