"""Records as JSON: events in from people and tools, decisions and the rest out.

Field names are the schemas'; enums are lower case, times ISO 8601, bytes Base64.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from schemas.errors import CodecError
from schemas.event_checks import checked_event
from schemas.plain import converters
from schemas.records import (
    CATEGORIES,
    ContentIngested,
    Kind,
    MediaRef,
    RiskDecision,
)
from schemas.topics import R, Record

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {kind.value: kind for kind in Kind if kind is not Kind.UNKNOWN}


def event_from_json(
    obj: Mapping[str, Any], *, default_time: datetime
) -> ContentIngested:
    """Read an event; only content_id, uploader_id and kind are required.

    `default_time` stands in for an absent event_time. Keys that no field has are passed
    over, so that senders may add their own.

    Raises:
        CodecError: `invalid_event`; the message names the field, the type found and
            what was expected.
    """
    if not isinstance(obj, Mapping):
        raise _wrong("the event", obj, "an object")
    return checked_event(
        ContentIngested(
            content_id=_required(obj, "content_id"),
            uploader_id=_required(obj, "uploader_id"),
            kind=_kind(_required(obj, "kind")),
            event_time=_time(obj.get("event_time"), default_time),
            event_id=_optional(obj, "event_id", str, "a text") or "",
            revision=_optional(obj, "revision", int, "a whole number") or 0,
            texts=_texts(obj.get("texts")),
            media=_media(obj.get("media")),
            language=_optional(obj, "language", str, "a text"),
            territories=_territories(obj.get("territories")),
        )
    )


def decision_to_json(decision: RiskDecision) -> dict[str, Any]:
    """Write a decision; `categories` has every category, null where none is known."""
    written: dict[str, Any] = converters(RiskDecision, "json").to_plain(decision)
    categories: dict[str, Any] = {
        category.lower(): {"probability": None, "evidence": []}
        for category in CATEGORIES
    }
    for score in written["categories"]:
        categories[score.pop("category")] = score
    return {**written, "categories": categories}


def record_to_json(record: Record) -> dict[str, Any]:
    """Write any record; a decision as `decision_to_json` does."""
    if isinstance(record, RiskDecision):
        return decision_to_json(record)
    written: dict[str, Any] = converters(cast(type, type(record)), "json").to_plain(
        record
    )
    return written


def record_from_json(obj: Mapping[str, Any], expected: type[R]) -> R:
    """Read back what `record_to_json` wrote; every field has to be there.

    Raises:
        CodecError: `undecodable`.
    """
    try:
        if expected is RiskDecision:
            scores = obj["categories"].items()
            listed = [{"category": name, **score} for name, score in scores]
            obj = {**obj, "categories": listed}
        record: R = converters(cast(type, expected), "json").from_plain(obj)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        # Without its text, which may hold the payload's.
        raise CodecError(
            "undecodable",
            f"not the JSON of a {expected.__name__}: {type(error).__name__}",
        ) from None
    return record


def _wrong(field: str, value: object, expected: str) -> CodecError:
    found = "absent" if value is None else f"a JSON {type(value).__name__}"
    return CodecError("invalid_event", f"{field} is {found}, expected {expected}")


def _required(obj: Mapping[str, Any], field: str) -> str:
    value = obj.get(field)
    if not isinstance(value, str):
        raise _wrong(field, value, "a text")
    return value


def _optional(
    obj: Mapping[str, Any], field: str, kind: type, expected: str, at: str = ""
) -> Any:
    value = obj.get(field)
    # By type and not isinstance: in Python true is a whole number, in JSON it is not.
    if value is not None and type(value) is not kind:
        raise _wrong(at + field, value, expected)
    return value


def _kind(word: str) -> Kind:
    kind = _KINDS.get(word.strip().upper().replace("-", "_"))
    if kind is None:
        raise CodecError(
            "invalid_event",
            f"kind is a word that is not known, expected one of "
            f"{', '.join(name.lower() for name in _KINDS)}",
        )
    return kind


def _time(value: Any, default: datetime) -> datetime:
    if value is None:
        return default
    expected = "ISO 8601 with Z or an offset, or seconds since 1970"
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            if time.tzinfo is not None:
                return time.astimezone(UTC)
            raise CodecError(
                "invalid_event", f"event_time has no offset, expected {expected}"
            )
        if type(value) in (int, float):
            return _EPOCH + timedelta(seconds=value)
    except (ValueError, OverflowError):
        raise CodecError(
            "invalid_event", f"event_time can't be read, expected {expected}"
        ) from None
    raise _wrong("event_time", value, expected)


def _texts(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise _wrong("texts", value, "an object from name to text")
    for index, text in enumerate(value.values()):
        if not isinstance(text, str):
            raise _wrong(f"texts[{index}]", text, "a text")
    return tuple(value.items())


def _media(value: Any) -> tuple[MediaRef, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _wrong("media", value, "a list of objects with role and uri")
    return tuple(_media_ref(f"media[{i}].", entry) for i, entry in enumerate(value))


def _media_ref(at: str, entry: Any) -> MediaRef:
    if not isinstance(entry, Mapping):
        raise _wrong(at.rstrip("."), entry, "an object with role and uri")
    for field in ("role", "uri"):
        if not isinstance(entry.get(field), str):
            raise _wrong(at + field, entry.get(field), "a text")
    sha256 = _optional(entry, "sha256", str, "a text", at)
    return MediaRef(
        role=entry["role"],
        uri=entry["uri"],
        mime=_optional(entry, "mime", str, "a text", at),
        sha256=None if sha256 is None else sha256.lower(),
        size_bytes=_optional(entry, "size_bytes", int, "a whole number", at),
    )


def _territories(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _wrong("territories", value, "a list of texts")
    for index, territory in enumerate(value):
        if not isinstance(territory, str):
            raise _wrong(f"territories[{index}]", territory, "a text")
    return tuple(value)
