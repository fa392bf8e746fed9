"""Facts about what came of a rule's word, and which of its predicates settled it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.records import Category, Kind, Missing, Stage
from streams.policies.explaining import explain
from streams.policy import Findings
from streams.policy_file import parse_policy

RULES = """
id: p
version: "1"
owner: me
categories: {hate: {review: 0.5}, fraud_spam: {limit: 0.3}}
second_approval: {uploaders: [star]}
rules:
  - id: also-review
    clause: c
    when: score.fraud_spam >= 0.35
    action: review
  - id: harder-in-france
    clause: c
    when: score.hate >= 0.4
    action: block
    markets: [FR]
  - id: milder-in-france
    clause: c
    when: score.hate >= 0.2
    action: label
    markets: [FR]
  - id: needs-privacy
    clause: c
    when: score.privacy >= 0.5
    action: limit
  - id: gated
    clause: c
    when: (kind == video or score.hate >= 0.5) and not uploader_id in [u1, u2]
    action: label
  - id: last-year
    clause: c
    when: kind == track
    action: label
    valid: {until: 2026-01-01}
"""
FOUND = Findings(
    Stage.COMPLETE,
    categories={Category.HATE: 0.6, Category.FRAUD_SPAM: 0.4},
    kind=Kind.TRACK,
    uploader_id="u1",
    territories=("DE", "FR"),
    event_time=datetime(2026, 11, 1, tzinfo=UTC),
)


def traces(found=FOUND, held=None):
    """Explain it; return the traces by rule."""
    explained = explain(parse_policy(RULES, "p.yaml"), found, held)
    return {trace.rule.id: trace for trace in explained.traces}


def test_every_word_says_what_came_of_it():
    """It decided, in general or somewhere; agreed; was outranked there or at all."""
    told = {name: trace.came_of_it for name, trace in traces().items()}

    assert told == {
        "hate.review": "decided",
        "also-review": "agreed with hate.review>=0.5",
        "fraud_spam.limit": "outranked by hate.review>=0.5",
        "harder-in-france": "decided in FR",
        "milder-in-france": "outranked by harder-in-france",
        "needs-privacy": "if missing: hold, agreed with hate.review>=0.5",
        "gated": "",
        "last-year": "",
    }


def test_a_rule_that_holds_for_want_of_a_value_can_decide():
    """Where nothing else asks for as much; the value is named."""
    quiet = replace(FOUND, categories={Category.HATE: 0.1, Category.FRAUD_SPAM: 0.1})

    trace = traces(quiet)["needs-privacy"]

    assert trace.came_of_it == "if missing: hold, decided"
    assert trace.unknown == ("score.privacy",)


def test_a_held_rule_says_by_what():
    """A brake with its reason; a second approval with the policy's."""
    reason = "per_hour: acted 2 times in this hour and partition"
    braked = traces(held={"harder-in-france": reason})["harder-in-france"]
    approval = traces(replace(FOUND, uploader_id="star"))["harder-in-france"]

    assert braked.came_of_it == f"held: {reason}"
    assert approval.came_of_it == (
        "held: second_approval: the policy names the uploader"
    )


def test_only_what_settled_a_condition_is_its_reason():
    """Of `and` that is false the false part, though another part is false within it."""
    trace = traces()["gated"]

    assert trace.outcome == "no"
    assert trace.why == "not uploader_id in [u1, u2] (found 'u1')"
    assert [(p.text, p.truth, p.settled) for p in trace.predicates] == [
        ("kind == video", False, False),
        ("score.hate >= 0.5", True, False),
        ("uploader_id in [u1, u2]", True, True),
    ]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            {"uploader_id": "u9"},
            "score.hate >= 0.5 (found 0.6); not uploader_id in [u1, u2] (found 'u9')",
        ),
        (
            {"uploader_id": "u9", "categories": {}},
            "score.hate >= 0.5 (found unknown)",
        ),
        (
            {"uploader_id": "u9", "categories": {Category.HATE: 0.2}},
            "kind == video (found 'track'); score.hate >= 0.5 (found 0.2)",
        ),
    ],
)
def test_what_settles_follows_the_condition(found, why):
    """Of `or` that is true the true part, that is false all, that is unknown those."""
    assert traces(replace(FOUND, **found))["gated"].why == why


def test_a_time_that_is_not_known_is_why_a_rule_cannot_be_told():
    """Its condition holds; whether it was in force nobody knows."""
    lost = replace(FOUND, missing=(Missing("event_time", "in the future"),))

    trace = traces(lost)["last-year"]

    assert (trace.outcome, trace.unknown) == ("unknown", ("event_time",))
    assert trace.why.startswith(
        "in force until 2026-01-01T00:00:00+00:00 (found no event_time); "
    )
