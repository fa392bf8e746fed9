import io
import json
from dataclasses import asdict

import pytest

from encoders.hashing import PdqHash
from encoders.media_format import MediaLimits
from encoders.media_reader import Fault, MediaLook, SeenPicture
from encoders.sandbox_protocol import (
    JSON,
    MAX_FRAME_BYTES,
    SOUND,
    ProtocolError,
    Request,
    look_as_json,
    parse_answer,
    parse_confinement,
    parse_fault,
    parse_look,
    parse_pictures,
    parse_probe,
    parse_sound_end,
    read_frame,
    read_request,
    write_frame,
    write_request,
)
from encoders.signals import MediaProbe

PROBE = MediaProbe("video/mp4", True, True, 0.1 + 0.2, 96, 64)
SEEN = SeenPicture(PdqHash("0f" * 32, 97), 1 / 3)
LOOK = MediaLook(PROBE, (SEEN, SEEN), Fault("undecodable", "no key frame"))


def test_a_request_comes_back_whole():
    """Operation, limits, even without end, and media."""
    pipe, limits = io.BytesIO(), MediaLimits(10, float("inf"))
    request = Request("sound", limits, b"media", skip_samples=7)
    write_request(pipe, request)
    pipe.seek(0)

    assert read_request(pipe) == request
    assert read_request(pipe) is None


def test_a_look_comes_back_whole():
    """Every number, to the last bit."""
    assert parse_look(json.loads(json.dumps(look_as_json(LOOK)))) == LOOK


def test_much_sound_goes_in_parts():
    """No part is larger than a reader takes."""
    pipe, pcm = io.BytesIO(), bytes(2 * MAX_FRAME_BYTES + 2)
    write_frame(pipe, SOUND, pcm)
    pipe.seek(0)
    parts = [read_frame(pipe)[1] for _ in range(3)]

    assert b"".join(parts) == pcm
    with pytest.raises(EOFError):
        read_frame(pipe)


@pytest.mark.parametrize(
    "data", [b"X\1\0\0\0x", JSON + b"\xff\xff\xff\xff", SOUND + b"\1\0\x10\0x"]
)
def test_a_part_that_is_none_is_refused(data):
    """Before a byte of it is read, or memory taken for it."""
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(data))


def changed(value, **fields):
    """Return a value as JSON with other fields."""
    return json.loads(json.dumps(asdict(value) | fields))


LIES = {
    "no look": (parse_look, ["look"]),
    "look of too many": (parse_look, changed(LOOK, pictures=[asdict(SEEN)] * 65)),
    "hash that is none": (
        parse_look,
        changed(LOOK, pictures=[{"pdq": {"hex": "x" * 64, "quality": 1}}]),
    ),
    "quality over 100": (
        parse_look,
        changed(LOOK, pictures=[changed(SEEN, pdq={"hex": "0" * 64, "quality": 101})]),
    ),
    "frame at no time": (
        parse_look,
        changed(LOOK, pictures=[asdict(SEEN) | {"frame_s": float("nan")}]),
    ),
    "mime of a script": (parse_probe, changed(PROBE, mime="<script>/x")),
    "length of NaN": (
        parse_probe,
        changed(PROBE, duration_s=None) | {"duration_s": float("nan")},
    ),
    "negative side": (parse_probe, changed(PROBE, width_px=-1)),
    "side as text": (parse_probe, changed(PROBE, height_px="64")),
    "word for yes": (parse_probe, changed(PROBE, has_audio="yes")),
    "code of many lines": (parse_fault, {"code": "a\nb", "message": ""}),
    "number for truncated": (parse_sound_end, 1),
    "another word for truncated": (parse_sound_end, "cut"),
    "no list of pictures": (parse_pictures, {"a": 1}),
    "pictures without end": (parse_pictures, [[1, 1, None]] * 65),
    "picture of no height": (parse_pictures, [[0, 9, None]]),
    "picture of a mile": (parse_pictures, [[9, 99_999, None]]),
    "picture at no time": (parse_pictures, [[9, 9, float("inf")]]),
    "no word on confinement": (parse_confinement, {"landlock_abi": 7}),
    "no JSON": (parse_answer, b"{"),
    "deep JSON": (parse_answer, b"[" * 100_000),
    "no object": (parse_answer, b"[]"),
}


@pytest.mark.parametrize(("parse", "found"), LIES.values(), ids=LIES)
def test_an_answer_that_no_decoder_gives_is_refused(parse, found):
    """A decoder that was taken over can put nothing else into a decision."""
    with pytest.raises(ProtocolError):
        parse(found)


def test_a_message_can_not_flood_or_forge_a_log():
    """It is cut, and control characters are dropped."""
    fault = parse_fault({"code": "undecodable", "message": "a\n\x1b[2J" + "b" * 999})

    assert fault.message == "a[2J" + "b" * 296
