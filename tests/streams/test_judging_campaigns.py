"""Facts about deciding again on an upload that was found to be in a campaign."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.records import (
    Action,
    BankMatch,
    CampaignFact,
    Category,
    MediaHash,
    Stage,
    SweptEntry,
    UploaderHistory,
)
from streams.decision_ids import decision_id
from streams.history import recall
from streams.judge import Judge
from streams.policy import Rule
from streams.scorers import DEFAULT_SCORERS
from streams.sweep import Sweep
from tests.builders import NOON, a_policy, signals

POLICY = a_policy(rules=(Rule("anomaly", "campaign", Action.REVIEW, 0.9),))
JUDGE = Judge(DEFAULT_SCORERS, POLICY)


def a_fact(value: float = 0.95, campaign_id: str = "k1") -> CampaignFact:
    """Build the campaign that an upload was found to be in."""
    return CampaignFact(campaign_id, value, 12, 9, NOON, NOON, ("title", "cover"))


def told(value: float = 0.95, **fields):
    """Build the CAMPAIGN signals of an upload."""
    return signals("c1", stage=Stage.CAMPAIGN, campaign=a_fact(value), **fields)


def after(*uploads):
    """Return the history behind uploads, with the last decision."""
    history, decision = UploaderHistory("u1"), None
    for upload in uploads:
        decision = JUDGE.judge(upload, history).decision
        history = JUDGE.learn(history, upload, decision, b"bytes")
    return history, decision


def test_the_decision_names_the_campaign():
    """With its value and reason, by the policy's threshold."""
    _, decision = after(signals("c1"), told())

    assert decision.campaign_id == "k1"
    assert decision.action is Action.REVIEW
    assert decision.clause == "campaign.review>=0.9"
    (anomaly,) = [a for a in decision.anomalies if a.name == "campaign"]
    assert anomaly.value == 0.95
    assert "12 near copies by 9 uploaders" in anomaly.reason


def test_the_decision_supersedes_the_one_before():
    """The complete one, or what was swept since."""
    _, first = after(signals("c1"))
    _, again = after(signals("c1"), told())
    entries = (SweptEntry("b", "e"),)
    _, swept = after(signals("c1", stage=Stage.SWEPT, sweep=entries))
    _, after_sweep = after(told(sweep=entries))

    assert again.supersedes == first.decision_id
    assert after_sweep.supersedes == swept.decision_id


def test_the_upload_is_not_learned_twice():
    """It was counted when it came."""
    before, _ = after(signals("c1"))
    history, _ = after(signals("c1"), told())

    assert history.uploads == before.uploads == 1
    assert len(history.recent) == 1


def test_two_who_found_it_are_told_apart_by_nothing():
    """What the campaign has grown to meanwhile makes no second decision."""
    history, _ = after(signals("c1"), told(0.80))

    assert recall(history, told(0.99)) is not None
    assert decision_id(told(0.80), Stage.CAMPAIGN, "p") == (
        decision_id(told(0.99), Stage.CAMPAIGN, "p")
    )


def test_another_campaign_or_sweep_is_another_decision():
    """Its id is of all that is new about it."""
    history, _ = after(signals("c1"), told())

    other = replace(told(), campaign=a_fact(campaign_id="k2"))
    assert recall(history, other) is None
    assert recall(history, told(sweep=(SweptEntry("b", "e"),))) is None


@pytest.mark.parametrize("value", [float("nan"), -1.0, 7.0])
def test_an_odd_value_is_no_exception(value):
    """Whoever wrote it, it stays in [0, 1]."""
    _, decision = after(told(value))

    (anomaly,) = [a for a in decision.anomalies if a.name == "campaign"]
    assert 0.0 <= anomaly.value <= 1.0


def test_a_sweep_keeps_the_campaign():
    """The newer decision must not forget what the older one told."""
    cover = MediaHash("cover", "sha256", "aa" * 32)
    match = BankMatch("cover", "terror", "e1", Category.PRIVACY, "sha256", 0)
    known = []
    sweep = Sweep(lambda _: known, timedelta(days=90))
    sweep.note(signals("c1", hashes=(cover,)))
    sweep.note(told(hashes=(cover,)))
    known.append(match)

    swept = sweep.missed(signals("c1", hashes=(cover,)), NOON)

    assert swept.campaign == a_fact()
    _, first = after(signals("c1"), told())
    assert after(swept)[1].supersedes == first.decision_id
    assert after(swept)[1].campaign_id == "k1"
