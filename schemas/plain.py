"""Turn records into plain values and back: dicts for Avro, and the JSON of the tools.

The converters are built once per record type from its fields, so a record and its
schema can't drift apart unseen.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

Form = Literal["avro", "json"]
Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Converters:
    """The two directions for one type.

    `same` is set where values are the same in both: those of the types in it, and no
    others, which spares a call per value.
    """

    to_plain: Convert
    from_plain: Convert
    same: frozenset[type] | None = None


@cache
def converters(record: type, form: Form) -> Converters:
    """Build the converters of a record type.

    `from_plain` raises TypeError, ValueError or KeyError for a value that does not fit.
    """
    hints = get_type_hints(record)
    parts = [(f.name, _of_type(hints[f.name], form)) for f in fields(record)]
    outward = [(name, None if p.same else p.to_plain) for name, p in parts]
    inward = [(name, p.same, p.from_plain) for name, p in parts]

    def to_plain(value: Any) -> dict[str, Any]:
        return {
            name: getattr(value, name)
            if convert is None
            else convert(getattr(value, name))
            for name, convert in outward
        }

    def from_plain(value: Any) -> Any:
        arguments = []
        for name, same, convert in inward:
            part = value[name]
            # A foreign writer schema may give another type than ours.
            if same is None or type(part) not in same:
                part = convert(part)
            arguments.append(part)
        return record(*arguments)  # By position: hints and fields share their order.

    return Converters(to_plain, from_plain)


def _of_type(hint: Any, form: Form) -> Converters:
    arguments = get_args(hint)
    if NoneType in arguments:
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _optional(_of_type(inner, form))
    if get_origin(hint) is tuple:
        if hint == tuple[tuple[str, str], ...]:
            return _named_texts(form)
        return _sequence(_of_type(arguments[0], form))
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return converters(hint, form)
    if issubclass(hint, StrEnum):
        return _enum(hint, form)
    return _SCALARS[form][hint]


def _optional(inner: Converters) -> Converters:
    outward, inward = inner.to_plain, inner.from_plain
    return Converters(
        lambda value: None if value is None else outward(value),
        lambda value: None if value is None else inward(value),
        None if inner.same is None else inner.same | {NoneType},
    )


def _sequence(inner: Converters) -> Converters:
    outward, inward = inner.to_plain, inner.from_plain
    return Converters(
        lambda values: [outward(value) for value in values],
        lambda values: tuple([inward(value) for value in values]),
    )


def _named_texts(form: Form) -> Converters:
    """Pairs of name and text: an array of records in Avro, an object in JSON."""
    if form == "json":
        return Converters(dict, lambda texts: tuple(sorted(texts.items())))
    return Converters(
        lambda pairs: [{"name": name, "text": text} for name, text in pairs],
        lambda items: tuple([(item["name"], item["text"]) for item in items]),
    )


def _enum(kind: type[StrEnum], form: Form) -> Converters:
    if form == "json":
        return Converters(lambda value: value.lower(), lambda text: kind(text.upper()))
    return Converters(lambda value: value.value, kind)


def _same(kind: type) -> Converters:
    def refuse(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"a {type(value).__name__}, not a {kind.__name__}")
        return value

    return Converters(refuse, refuse, frozenset({kind}))


def _avro_bytes(value: Any) -> bytes:
    """Read bytes; fastavro gives the default of a field that lacks as text."""
    if type(value) is not bytes and value != "":
        raise TypeError(f"a {type(value).__name__}, not bytes")
    return value or b""


def _as_float(value: Any) -> float:
    if type(value) is not float and type(value) is not int:
        raise TypeError(f"a {type(value).__name__}, not a number")
    return float(value)


def _aware(value: Any) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError("not a datetime with a time zone")
    return value.astimezone(UTC)


def iso_time(value: datetime) -> str:
    """Write a time as ISO 8601 in UTC, with microseconds where it has any."""
    return _aware(value).isoformat().replace("+00:00", "Z")


_COMMON = {
    str: _same(str),
    int: _same(int),
    bool: _same(bool),
    float: Converters(_as_float, _as_float, frozenset({float})),
}
_SCALARS: dict[Form, dict[type, Converters]] = {
    "avro": {
        **_COMMON,
        bytes: Converters(_same(bytes).to_plain, _avro_bytes, frozenset({bytes})),
        datetime: Converters(_aware, _aware),
    },
    "json": {
        **_COMMON,
        bytes: Converters(
            lambda value: b64encode(value).decode("ascii"),
            lambda text: b64decode(text, validate=True),
        ),
        datetime: Converters(
            iso_time, lambda text: _aware(datetime.fromisoformat(text))
        ),
    },
}
