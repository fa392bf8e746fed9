import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cloudevents.core.bindings import kafka as oracle
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.cloudevents import MAX_JSON_BYTES, Envelope, binary_headers, unwrap
from schemas.errors import CodecError
from schemas.headers import Header

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ATTRIBUTES = {
    "type": "headgate.risk.decision.v1",
    "source": "/headgate/judge",
    "id": "d-1 ä",
    "subject": "trk-1",
    "dataschema": "risk.decision.v1-value",
}
ENVELOPE = Envelope(
    "binary",
    "d-1 ä",
    "/headgate/judge",
    "headgate.risk.decision.v1",
    NOON,
    "trk-1",
    "risk.decision.v1-value",
)
STRUCTURED: list[Header] = [("content-type", b"application/cloudevents+json")]
SPEC = {"specversion": "1.0", "id": "e-1", "source": "/s", "type": "t"}


def headers() -> list[Header]:
    """Build the headers of ATTRIBUTES."""
    return binary_headers(
        type=ATTRIBUTES["type"],
        source=ATTRIBUTES["source"],
        id=ATTRIBUTES["id"],
        subject=ATTRIBUTES["subject"],
        time=NOON,
        schema=ATTRIBUTES["dataschema"],
    )


def structured(**fields: Any) -> bytes:
    """Build a structured event."""
    return json.dumps(SPEC | fields).encode()


def oracle_event(content_type: str, data: Any) -> CloudEvent:
    """Build the same event with the reference library."""
    return CloudEvent(
        {
            "specversion": "1.0",
            "time": NOON,
            "datacontenttype": content_type,
            **ATTRIBUTES,
        },
        data,
    )


def test_our_headers_are_the_reference_librarys() -> None:
    """Names and bytes equal those of the `cloudevents` package."""
    message = oracle.to_binary(oracle_event("application/avro", b"x"), JSONFormat())

    assert dict(headers()) == message.headers


def test_the_reference_library_reads_our_headers() -> None:
    """It finds every attribute that we wrote."""
    message = oracle.KafkaMessage(dict(headers()), None, b"\0avro")

    event = oracle.from_binary(message, JSONFormat())

    assert event.get_time() == NOON
    assert {name: event.get_attributes()[name] for name in ATTRIBUTES} == ATTRIBUTES


def test_a_value_without_headers_passes() -> None:
    """No CloudEvents is fine: plain Avro."""
    assert unwrap(b"\0avro", None) == (Envelope("none"), b"\0avro")
    assert unwrap(b"\0avro", [("trace", b"1"), ("gone", None)])[1] == b"\0avro"


def test_binary_mode_is_read() -> None:
    """What we write we read, from pairs and from a map."""
    assert unwrap(b"\0avro", headers()) == (ENVELOPE, b"\0avro")
    assert unwrap(b"\0avro", dict(headers())) == (ENVELOPE, b"\0avro")


def test_binary_mode_with_json_gives_an_object() -> None:
    """The content type says what the value is."""
    message = oracle.to_binary(
        oracle_event("application/json", {"content_id": "c"}), JSONFormat()
    )

    envelope, payload = unwrap(message.value, message.headers)

    assert (envelope, payload) == (ENVELOPE, {"content_id": "c"})


@pytest.mark.parametrize(
    ("content_type", "data"),
    [("application/avro", b"\0\0\0\0\1avro"), ("application/json", {"kind": "track"})],
)
def test_structured_mode_is_read(content_type: str, data: Any) -> None:
    """Data in Base64 is bytes again, data in JSON is an object."""
    message = oracle.to_structured(oracle_event(content_type, data), JSONFormat())

    envelope, payload = unwrap(message.value, message.headers)

    assert payload == data
    assert (envelope.mode, envelope.id, envelope.time) == ("structured", "d-1 ä", NOON)


def test_the_content_type_may_have_parameters() -> None:
    """Case and charset of the content type don't matter."""
    named = [("Content-Type", b"application/CloudEvents+JSON; charset=UTF-8")]

    assert unwrap(structured(data={"a": 1}), named)[1] == {"a": 1}


@pytest.mark.parametrize(
    ("value", "named", "code"),
    [
        (None, None, "empty"),
        (b"", headers(), "empty"),
        (b"{}", STRUCTURED, "bad_envelope"),
        (b"[]", STRUCTURED, "undecodable"),
        (b"{", STRUCTURED, "undecodable"),
        (b"\xff", STRUCTURED, "undecodable"),
        (b'{"a":' * 100_000, STRUCTURED, "undecodable"),
        (b"{" + b'"a":{' * 40 + b"}" * 41, STRUCTURED, "undecodable"),
        (b" " * (MAX_JSON_BYTES + 1), STRUCTURED, "too_large"),
        (structured(), STRUCTURED, "bad_envelope"),
        (structured(data={}, data_base64=""), STRUCTURED, "bad_envelope"),
        (structured(data=[1]), STRUCTURED, "bad_envelope"),
        (structured(data="text"), STRUCTURED, "bad_envelope"),
        (structured(data_base64="???"), STRUCTURED, "bad_envelope"),
        (structured(data_base64=7), STRUCTURED, "bad_envelope"),
        (structured(data={}, id=7), STRUCTURED, "bad_envelope"),
        (structured(data={}, specversion="0.3"), STRUCTURED, "bad_envelope"),
        (structured(data={}, time="noon"), STRUCTURED, "bad_envelope"),
        (structured(data={}, time="2026-11-23T12:00:00"), STRUCTURED, "bad_envelope"),
        (b"x", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")], "bad_envelope"),
        (b"x", [("content-type", b"application/cloudevents+avro")], "bad_envelope"),
    ],
)
def test_a_bad_envelope_has_a_code(value: Any, named: Any, code: str) -> None:
    """Every way to be no CloudEvent ends as a CodecError."""
    with pytest.raises(CodecError) as caught:
        unwrap(value, named)

    assert caught.value.code == code


def test_base64_data_is_exact() -> None:
    """Every byte value survives."""
    data = bytes(range(256))
    value = structured(data_base64=base64.b64encode(data).decode())

    assert unwrap(value, STRUCTURED)[1] == data
