from datetime import datetime
from typing import Any

import pytest

from schemas.plain import converters, iso_time
from schemas.records import CategoryScore, ContentIngested, StageTime
from tests.builders import an_event


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("content_id", b"bytes"),
        ("content_id", None),
        ("revision", True),
        ("revision", 1.0),
        ("language", 5),
        ("event_time", 5),
        ("event_time", datetime(2026, 1, 1)),  # noqa: DTZ001
        ("kind", "RINGTONE"),
        ("territories", 5),
    ],
)
def test_a_value_of_another_type_does_not_pass(field: str, value: Any) -> None:
    """A record never holds what its fields do not say."""
    convert = converters(ContentIngested, "avro")
    plain = convert.to_plain(an_event())

    with pytest.raises((TypeError, ValueError)):
        convert.from_plain(plain | {field: value})


def test_a_whole_number_is_a_number() -> None:
    """JSON writes 2.0 as 2; it is a float again when read."""
    ms = converters(StageTime, "json").from_plain({"stage": "screen", "ms": 2}).ms

    assert (ms, type(ms)) == (2.0, float)


def test_an_absent_optional_stays_absent() -> None:
    """None is a value like others."""
    convert = converters(CategoryScore, "json")
    plain = {"category": "hate", "probability": None, "evidence": []}

    assert convert.to_plain(convert.from_plain(plain)) == plain


def test_a_time_is_written_in_utc() -> None:
    """Whatever its zone, with Z and to the microsecond."""
    local = datetime.fromisoformat("2026-11-23T14:00:00.000001+02:00")

    assert iso_time(local) == "2026-11-23T12:00:00.000001Z"
