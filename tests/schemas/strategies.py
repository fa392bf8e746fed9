"""Hypothesis strategies for records, made from their types."""

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

_TEXTS = st.text(st.characters(codec="utf-8"), max_size=12)
_SCALARS: dict[type, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=12),
    # Avro counts microseconds of all years that datetime knows.
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def records(record: type) -> st.SearchStrategy[Any]:
    """Make records of a type with any value that its fields may have."""
    hints = get_type_hints(record)
    return st.builds(
        record, **{field.name: _of_type(hints[field.name]) for field in fields(record)}
    )


def _of_type(hint: Any) -> st.SearchStrategy[Any]:
    arguments = get_args(hint)
    if NoneType in arguments:
        return st.none() | _of_type(next(a for a in arguments if a is not NoneType))
    if hint == tuple[tuple[str, str], ...]:
        # As events are kept: sorted, each name once.
        named = st.dictionaries(_TEXTS.filter(bool), _TEXTS, max_size=3)
        return named.map(lambda texts: tuple(sorted(texts.items())))
    if get_origin(hint) is tuple:
        return st.lists(_of_type(arguments[0]), max_size=3).map(tuple)
    if is_dataclass(hint):
        return records(hint)  # type: ignore[arg-type]  # A class, not an instance.
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    return _SCALARS[hint]
