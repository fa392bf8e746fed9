"""The decode process: media on standard input, what it shows and sounds like out.

Started by `sandbox_process`. It loads what decoding needs, gives up all else and says
what the kernel took; only then does it read. It ends when its standard input does.
"""

import io
import json
import os
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pkgutil import walk_packages
from typing import IO, Any, Final

import av
import numpy as np
from PIL import Image

from encoders.audio import SoundDecoding
from encoders.confinement import confine
from encoders.media_format import MediaLimits
from encoders.media_reader import look_at, probe_any, small_pictures
from encoders.sandbox_protocol import (
    JSON,
    PIXELS,
    SOUND,
    Request,
    look_as_json,
    read_request,
    write_frame,
)
from encoders.signals import EncodeError

# Programs, and downloads of samples.
_NOT_FOR_DECODING: Final = ("av.__main__", "av.datasets")


def main() -> None:
    """Be the decode process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent drains and then ends us.
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # No stray print may look like an answer.
    with suppress(BrokenPipeError):
        try:
            _load_all()
            confinement = confine()
        except Exception as error:  # No media was seen: its text is ours.
            _answer(answers, {"failed": f"{type(error).__name__}: {error}"})
            os._exit(1)
        _answer(answers, {"ready": asdict(confinement)})
        while (request := read_request(requests)) is not None:
            _serve(answers, request)
    os._exit(0)  # Nothing here needs an orderly end, which would open files.


def _serve(answers: IO[bytes], request: Request) -> None:
    """Do one piece of work; `gone` tells that the process ends with it."""
    try:
        _answer(answers, {"result": _work(answers, request)})
    except EncodeError as error:
        _answer(answers, {"fault": {"code": error.code, "message": str(error)}})
    except MemoryError:
        _answer(answers, {"gone": "MemoryError"})
        os._exit(1)  # What is half built can't be trusted.
    except BrokenPipeError:
        raise
    except Exception as error:  # Its text may quote the content; its type does not.
        _answer(answers, {"gone": type(error).__name__})
        os._exit(1)


def _work(answers: IO[bytes], request: Request) -> object:
    data, limits = request.data, request.limits
    if request.operation == "probe":
        return asdict(probe_any(data, limits))
    if request.operation == "examine":
        return look_as_json(look_at(data, limits))
    if request.operation == "pictures":
        return _send_pictures(answers, request)
    assert request.operation == "sound", request.operation
    decoding = SoundDecoding(data, limits, request.skip_samples)
    for part in decoding:  # Waits here while the pipe is full: two seconds of sound.
        write_frame(answers, SOUND, part)
    return decoding.truncated


def _send_pictures(
    answers: IO[bytes], request: Request
) -> list[tuple[int, int, float | None]]:
    """Send small pictures' pixels; return their heights, widths and seconds."""
    sizes = []
    for picture in small_pictures(request.data, request.limits):
        write_frame(answers, PIXELS, picture.rgb.tobytes())
        height, width, _ = picture.rgb.shape
        sizes.append((height, width, picture.frame_s))
    return sizes


def _answer(answers: IO[bytes], answer: dict[str, Any]) -> None:
    write_frame(answers, JSON, json.dumps(answer).encode())
    answers.flush()


def _load_all() -> None:
    """Import what libraries import at first use: afterwards no file can be opened."""
    Image.init()
    for module in walk_packages(av.__path__, "av."):
        if module.name not in _NOT_FOR_DECODING:
            import_module(module.name)
    limits = MediaLimits(max_bytes=1 << 20, max_s=1)
    with io.BytesIO() as file:
        Image.fromarray(np.zeros((8, 8, 4), np.uint8)).save(file, "WEBP")
        look_at(file.getvalue(), limits)
    with suppress(EncodeError):
        probe_any(b"no media at all, for FFmpeg to fail on", limits)


if __name__ == "__main__":
    main()
