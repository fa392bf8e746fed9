"""CloudEvents 1.0 over Kafka: binary mode out; binary, structured or none in.

Structured JSON is unwrapped here; what the payload means is for `schemas.ingress`.
"""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from schemas.errors import CodecError
from schemas.headers import Header, Headers, header_map
from schemas.plain import iso_time

SPEC_VERSION = "1.0"
AVRO = "application/avro"
JSON = "application/json"
STRUCTURED = "application/cloudevents+json"

MAX_JSON_BYTES = 8 * 1024 * 1024
MAX_JSON_DEPTH = 16  # An event takes four: envelope, data, media, entry.


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the sender said about a payload; empty where it said nothing."""

    mode: Literal["none", "binary", "structured"]
    id: str = ""
    source: str = ""
    type: str = ""
    time: datetime | None = None
    subject: str = ""
    dataschema: str = ""


Payload = bytes | Mapping[str, Any]


def binary_headers(
    *,
    type: str,  # The names are the specification's.
    source: str,
    id: str,
    subject: str,
    time: datetime,
    schema: str,
) -> list[Header]:
    """Build the headers of an Avro value in binary mode."""
    attributes = {
        "specversion": SPEC_VERSION,
        "id": id,
        "source": source,
        "type": type,
        "time": iso_time(time),
        "subject": subject,
        "dataschema": schema,
    }
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return [*headers, ("content-type", AVRO.encode())]


def unwrap(value: bytes | None, headers: Headers) -> tuple[Envelope, Payload]:
    """Split a Kafka value into its envelope and payload.

    The payload is bytes in Confluent's framing, or a JSON object where the sender chose
    JSON. A value without CloudEvents headers passes as it is.

    Raises:
        CodecError: `empty`, `too_large`, `bad_envelope` or `undecodable`.
    """
    named = header_map(headers)
    if not value:
        raise CodecError("empty", "the value is empty, expected an event")
    content_type = _text(named, "content-type").partition(";")[0].strip().lower()
    if content_type == STRUCTURED:
        return _structured(value)
    if content_type.startswith("application/cloudevents"):
        raise CodecError(
            "bad_envelope", f"this CloudEvents format is not read, only {STRUCTURED}"
        )
    if "ce_specversion" not in named:
        return Envelope("none"), value
    attributes = {
        name.removeprefix("ce_"): _text(named, name)
        for name in named
        if name.startswith("ce_")
    }
    payload = _json_object(value) if content_type == JSON else value
    return _envelope("binary", attributes), payload


def _structured(value: bytes) -> tuple[Envelope, Payload]:
    attributes = _json_object(value)
    envelope = _envelope("structured", attributes)
    data, encoded = attributes.get("data"), attributes.get("data_base64")
    if (data is None) == (encoded is None):
        raise CodecError(
            "bad_envelope", "expected one of data and data_base64, and only one"
        )
    if data is None:
        return envelope, _base64(encoded)
    if not isinstance(data, dict):
        raise CodecError(
            "bad_envelope", f"data is a JSON {type(data).__name__}, expected an object"
        )
    return envelope, data


def _envelope(
    mode: Literal["binary", "structured"], attributes: Mapping[str, Any]
) -> Envelope:
    texts = {}
    for name in ("specversion", "id", "source", "type", "time", "subject"):
        texts[name] = attributes.get(name) or ""
    texts["dataschema"] = attributes.get("dataschema") or ""
    for name, text in texts.items():
        if not isinstance(text, str):
            raise CodecError(
                "bad_envelope", f"{name} is a {type(text).__name__}, expected a text"
            )
    version, time = texts.pop("specversion"), texts.pop("time")
    if version != SPEC_VERSION:
        raise CodecError(
            "bad_envelope", f"specversion is not {SPEC_VERSION}, the only one read"
        )
    return Envelope(mode, time=_time(time), **texts)


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is None:
            raise ValueError("no offset")
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CodecError(
            "bad_envelope", "time is not RFC 3339, like 2026-01-31T12:00:00Z"
        ) from None


def _text(named: Mapping[str, bytes], name: str) -> str:
    try:
        return named.get(name, b"").decode()
    except UnicodeDecodeError:
        raise CodecError("bad_envelope", f"header {name} is not UTF-8") from None


def _base64(encoded: Any) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (TypeError, ValueError):
        raise CodecError("bad_envelope", "data_base64 is not Base64") from None


def _json_object(value: bytes) -> dict[str, Any]:
    if len(value) > MAX_JSON_BYTES:
        raise CodecError(
            "too_large",
            f"the JSON has {len(value)} bytes, expected {MAX_JSON_BYTES} at most",
        )
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        raise CodecError("undecodable", "the value is not JSON of sane depth") from None
    if not isinstance(found, dict):
        raise CodecError(
            "undecodable", f"the value is a JSON {type(found).__name__}, not an object"
        )
    _check_depth(found)
    return found


def _check_depth(found: dict[str, Any]) -> None:
    level: list[Any] = [found]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            inner
            for part in level
            for inner in (part.values() if isinstance(part, dict) else part)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise CodecError(
        "undecodable", f"the JSON is more than {MAX_JSON_DEPTH} levels deep"
    )
