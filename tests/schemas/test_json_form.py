import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.errors import CodecError
from schemas.json_form import (
    decision_to_json,
    event_from_json,
    record_from_json,
    record_to_json,
)
from schemas.records import (
    CATEGORIES,
    Action,
    Category,
    CategoryScore,
    ContentIngested,
    Evidence,
    Kind,
    MediaRef,
    PolicyRef,
    RiskDecision,
)
from tests.builders import NOON, an_event

LEAST = {"content_id": "c1", "uploader_id": "u1", "kind": "track"}


def read(**fields: Any) -> ContentIngested:
    """Read the smallest event with these fields."""
    return event_from_json(LEAST | fields, default_time=NOON)


def a_decision(*categories: CategoryScore) -> RiskDecision:
    """Build a decision."""
    return RiskDecision(
        decision_id="d1",
        content_id="c1",
        revision=0,
        uploader_id="u1",
        kind=Kind.COVER_ART,
        action=Action.AGE_RESTRICT,
        provisional=False,
        supersedes=None,
        clause="otherwise",
        categories=categories,
        anomalies=(),
        campaign_id=None,
        policy=PolicyRef("p", "1", "0" * 64),
        models=(),
        missing=(),
        braked=False,
        automated_detection=True,
        automated_decision=True,
        event_time=NOON,
        stage_times=(),
    )


def test_three_fields_make_an_event() -> None:
    """All else has a default; the caller says what time stands for none."""
    assert read() == an_event()


def test_every_field_is_read() -> None:
    """Texts become sorted pairs, a hash lower case, unknown keys are passed over."""
    event = read(
        texts={"title": "b", "lyrics": "a"},
        media=[{"role": "audio", "uri": "file:a.flac", "sha256": "AB" * 32, "x": 1}],
        event_id="e1",
        revision=3,
        language="pt-BR",
        territories=["BR"],
        note="the sender's own",
    )

    assert event == an_event(
        texts=(("lyrics", "a"), ("title", "b")),
        media=(MediaRef("audio", "file:a.flac", sha256="ab" * 32),),
        event_id="e1",
        revision=3,
        language="pt-BR",
        territories=("BR",),
    )


@pytest.mark.parametrize(
    "word", ["podcast_episode", "PODCAST_EPISODE", "podcast-Episode"]
)
def test_a_kind_may_be_written_in_any_case(word: str) -> None:
    """People write kinds as they like."""
    assert read(kind=word).kind == Kind.PODCAST_EPISODE


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23T12:00:00Z",
        "2026-11-23T14:00:00+02:00",
        1_795_435_200,
        1_795_435_200.0,
    ],
)
def test_a_time_is_iso_or_seconds(written: Any) -> None:
    """The same instant in four spellings."""
    assert read(event_time=written).event_time == NOON


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"content_id": None}, "content_id is absent, expected a text"),
        ({"content_id": 5}, "content_id is a JSON int, expected a text"),
        ({"uploader_id": ""}, "uploader_id has 0 characters"),
        ({"kind": "unknown"}, "expected one of track, podcast_episode"),
        ({"kind": "secret"}, "expected one of track, podcast_episode"),
        ({"event_time": True}, "event_time is a JSON bool"),
        ({"event_time": "secret"}, "event_time can't be read"),
        ({"event_time": "2026-11-23T12:00:00"}, "event_time has no offset"),
        ({"event_time": 1e300}, "event_time can't be read"),
        ({"event_time": float("nan")}, "event_time can't be read"),
        ({"revision": True}, "revision is a JSON bool, expected a whole number"),
        ({"revision": 1.0}, "revision is a JSON float"),
        ({"revision": 2**63}, "revision is"),
        ({"texts": ["secret"]}, "texts is a JSON list, expected an object"),
        ({"texts": {"title": 5}}, r"texts\[0\] is a JSON int"),
        ({"media": {}}, "media is a JSON dict, expected a list"),
        ({"media": ["secret"]}, r"media\[0\] is a JSON str, expected an object"),
        ({"media": [{"role": "audio"}]}, r"media\[0\].uri is absent"),
        ({"media": [{"role": "a", "uri": "b", "size_bytes": "9"}]}, "size_bytes"),
        ({"territories": "SE"}, "territories is a JSON str"),
        ({"territories": [1]}, r"territories\[0\] is a JSON int"),
        ({"language": 1}, "language is a JSON int"),
    ],
)
def test_a_fault_says_field_found_and_expected(
    fields: dict[str, Any], message: str
) -> None:
    """Whoever reads the error can mend the event; the content is not quoted."""
    with pytest.raises(CodecError, match=message) as caught:
        read(**fields)

    assert caught.value.code == "invalid_event"
    assert "secret" not in str(caught.value)


def test_what_is_no_object_is_no_event() -> None:
    """A line of JSONL may be anything."""
    with pytest.raises(CodecError, match="the event is a JSON list"):
        event_from_json([], default_time=NOON)  # type: ignore[arg-type]


def test_a_decision_shows_every_category() -> None:
    """Null where no model covers it; enums in lower case, times in ISO 8601."""
    evidence = Evidence("title", "near a known phrase", 0, 5)
    score = CategoryScore(Category.FRAUD_SPAM, 0.5, (evidence,))

    written = decision_to_json(a_decision(score))

    assert list(written["categories"]) == [category.lower() for category in CATEGORIES]
    assert written["categories"]["hate"] == {"probability": None, "evidence": []}
    assert written["categories"]["fraud_spam"]["probability"] == 0.5
    assert written["categories"]["fraud_spam"]["evidence"][0]["end_char"] == 5
    assert (written["action"], written["kind"]) == ("age_restrict", "cover_art")
    assert written["event_time"] == "2026-11-23T12:00:00Z"
    assert list(written) == list(RiskDecision.__dataclass_fields__)
    assert json.loads(json.dumps(written)) == written


def test_a_decision_comes_back() -> None:
    """Reading what was written gives the decision, with every category."""
    every = tuple(CategoryScore(category, None) for category in CATEGORIES)
    decision = a_decision(*every)

    assert record_from_json(record_to_json(decision), RiskDecision) == decision


@pytest.mark.parametrize("obj", [{}, {"categories": 5}, {"categories": {"hate": 5}}])
def test_what_is_no_record_is_undecodable(obj: dict[str, Any]) -> None:
    """A capture that was cut or edited is told apart from a fault of ours."""
    with pytest.raises(CodecError) as caught:
        record_from_json(obj, RiskDecision)

    assert caught.value.code == "undecodable"


def test_seconds_keep_microseconds() -> None:
    """Seconds with a fraction are exact to the microsecond."""
    assert read(event_time=0.000001).event_time == datetime(
        1970, 1, 1, microsecond=1, tzinfo=UTC
    )
