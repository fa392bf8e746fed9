import json
from base64 import b64encode
from dataclasses import replace

import pytest

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.headers import Header
from schemas.ids import CommittedIds
from schemas.ingress import read_event
from tests.builders import NOON, an_event

CODEC = Codec(CommittedIds())
EVENT = an_event()
STRUCTURED: list[Header] = [("content-type", b"application/cloudevents+json")]
SPEC = {"specversion": "1.0", "id": "e-1", "source": "/s", "type": "t"}
LATER = NOON.replace(hour=13)


def test_plain_avro_is_an_event() -> None:
    """A value without envelope is the event as it was written."""
    assert read_event(CODEC, CODEC.encode(EVENT), None, default_time=LATER)[1] == EVENT


def test_binary_mode_lends_its_id() -> None:
    """An event without an id takes the envelope's; one with an id keeps it."""
    headers = binary_headers(
        type="t", source="/s", id="e-9", subject="c1", time=LATER, schema="x"
    )
    own = replace(EVENT, event_id="own")

    for event, expected in ((EVENT, "e-9"), (own, "own")):
        _, read = read_event(CODEC, CODEC.encode(event), headers, default_time=LATER)
        assert (read.event_id, read.event_time) == (expected, NOON)


def test_structured_avro_is_the_same_event() -> None:
    """Base64 in JSON is one more wrapping of the same bytes."""
    wrapped = SPEC | {"data_base64": b64encode(CODEC.encode(EVENT)).decode()}

    _, event = read_event(
        CODEC, json.dumps(wrapped).encode(), STRUCTURED, default_time=LATER
    )

    assert event == replace(EVENT, event_id="e-1")


@pytest.mark.parametrize("time", [None, "2026-11-23T12:00:00Z"])
def test_structured_json_takes_the_envelopes_time(time: str | None) -> None:
    """Time of the event, else of the envelope, else of the broker."""
    data = {"content_id": "c1", "uploader_id": "u1", "kind": "track"}
    value = json.dumps(SPEC | {"data": data, "time": time}).encode()

    _, event = read_event(CODEC, value, STRUCTURED, default_time=LATER)

    assert event.event_time == (LATER if time is None else NOON)


def test_a_bad_value_is_a_codec_error() -> None:
    """What is no event in any form has the code of the form it came in."""
    for value, headers, code in (
        (b"junk!", None, "not_avro_framed"),
        (json.dumps(SPEC | {"data": {}}).encode(), STRUCTURED, "invalid_event"),
    ):
        with pytest.raises(CodecError) as caught:
            read_event(CODEC, value, headers, default_time=LATER)
        assert caught.value.code == code
