"""`headgate shadow report` as people run it, on an embedded broker."""

from datetime import UTC, datetime

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, Category
from schemas.topics import DECISION_SHADOW, TOPICS
from streams.embedded_broker import EmbeddedBroker
from streams.messages import Output
from streams.producer import DeliveringProducer
from tests.streams.cli.test_commands import headgate, lines
from tests.streams.shadows.words import a_word

CODEC = Codec(CommittedIds())
FLIP = {
    "live_action": Action.REVIEW,
    "action": Action.BLOCK,
    "live_clause": "hate.review>=0.5",
    "clause": "hate.block>=0.8",
    "live_rules": ("hate.review",),
    "rules": ("hate.block", "hate.review"),
    "category": Category.HATE,
}
WORDS = (
    *(a_word(f"c{n}", uploads=n) for n in range(9)),
    a_word("flip[/x]", **FLIP),
    a_word("c1", shadow="loose"),
)


@pytest.fixture(scope="module")
def told():
    """The address of a broker on which two candidates spoke."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        name = DECISION_SHADOW.name
        producer.send_all(
            Output(name, w.content_id.encode(), CODEC.encode(w)) for w in WORDS
        )
        producer.close()
        yield broker.bootstrap_servers


def test_a_report_has_agreement_flips_and_examples(told):
    """For one candidate, as JSON: counts, shares with intervals, ids and no text."""
    result = headgate(
        *("shadow", "report", "--shadow", "strict", "--json"), bootstrap_servers=told
    )

    assert result.returncode == 0, result.stderr
    (found,) = lines(result)
    assert (found["agreement"]["decisions"], found["agreement"]["of"]) == (9, 10)
    assert found["agreement"]["low"] < 0.9 < found["agreement"]["high"]
    (flow,) = found["flows"]
    assert (flow["live"], flow["shadow"], flow["decisions"]) == ("review", "block", 1)
    assert [e["content_id"] for e in flow["examples"]] == ["flip[/x]"]
    assert found["rules"] == [
        {"rule": "hate.block", "flips": 1, "fired_live": 0, "fired_shadow": 1}
    ]
    assert found["categories"]["hate"]["share"] == 1.0
    assert found["uploader_sizes"]["new"]["of"] == 1


def test_a_report_is_read_by_people(told):
    """Every candidate has its part; an id that looks like markup stands as it is."""
    result = headgate("shadow", "report", bootstrap_servers=told)

    assert result.returncode == 0, result.stderr
    for part in (
        "strict",
        "loose",
        "90.00% [59.58%, 98.21%]",
        "flip[/x]",
        "hate.block",
    ):
        assert part in result.stdout


@pytest.mark.parametrize(
    "asked",
    [
        ("--shadow", "other"),
        ("--to", "2020-01-01T00:00:00Z"),
        ("--from", datetime.now(UTC).replace(year=2999).isoformat()),
    ],
)
def test_nothing_to_show_is_said(told, asked):
    """Exit code 1, and where candidates are named."""
    result = headgate("shadow", "report", *asked, bootstrap_servers=told)

    assert result.returncode == 1
    assert "HEADGATE_SHADOW" in result.stderr


def test_a_time_without_a_zone_is_refused(told):
    """Nobody's clock is guessed."""
    result = headgate(
        *("shadow", "report", "--from", "2026-11-02T14:00"), bootstrap_servers=told
    )

    assert result.returncode == 2
    assert "--from" in result.stderr


def test_doctor_shows_the_candidates_or_what_is_wrong_with_them():
    """With their share; a bad one is refused by name."""
    good = headgate("doctor", "--json", shadow="a=deploy/policies/default@10")
    bad = headgate("doctor", "--json", shadow="a=gone")

    def check(result):
        (found,) = lines(result)
        return next(c for c in found["checks"] if c["name"] == "shadows")

    assert check(good)["ok"]
    assert "about 10 % of uploaders" in check(good)["detail"]
    assert (check(bad)["ok"], "gone" in check(bad)["detail"]) == (False, True)
