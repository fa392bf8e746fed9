"""Facts about one candidate's word: from the same findings, beside the live one."""

from dataclasses import dataclass, replace

import pytest

from schemas.records import (
    Action,
    Category,
    ModelUse,
    ShadowMarket,
    Stage,
    UploaderHistory,
)
from streams.judge import Judge
from streams.policy import Rule
from streams.policy_file import parse_policy
from streams.scorers import Score
from streams.shadows.shadow import Shadow
from streams.shadows.share import Share
from tests.builders import a_history, a_policy, a_recent, a_text_signal, signals

REVIEW = Rule("category", "hate", Action.REVIEW, 0.5)
BLOCK = Rule("category", "hate", Action.BLOCK, 0.8)
LIVE = a_policy(rules=(REVIEW,))
STRICT = a_policy(id="strict", sha256="6f" * 32, rules=(BLOCK, REVIEW))


@dataclass
class CountingHead:
    """Gives one score on hate, and counts how often it was asked."""

    value: float
    sha256: str = "ab" * 32
    asked: int = 0
    name: str = "text_risk"
    categories: tuple = (Category.HATE,)
    languages: frozenset | None = None

    @property
    def models(self):
        """Return what it is."""
        return (ModelUse("text_risk", "head", self.sha256),)

    def score(self, signals, history):
        """Count, and give the score."""
        self.asked += 1
        return (Score(self.name, self.value, "reads so", Category.HATE),)


@dataclass
class Flood(CountingHead):
    """Gives an anomaly, which no head replaces."""

    name: str = "velocity"
    categories: tuple = ()
    models: tuple = ()

    def score(self, signals, history):
        """Give the score."""
        return (Score(self.name, self.value, "fast"),)


def judged(value=0.9, *, policy=LIVE, history=None, upload=None, others=()):
    """Judge an upload of one text; return signals, what judging gave, the head."""
    head, upload = CountingHead(value), upload or signals(texts=(a_text_signal(),))
    judge = Judge((head, *others), policy)
    return upload, judge.judge(upload, history or a_history()), head


def word(policy, upload, given, percent=100.0, head=None):
    """Return what a candidate says."""
    shadow = Shadow("strict", policy, Share("strict", percent), head)
    return shadow.decide(upload, given)


def test_a_candidate_says_what_it_would_have_done_beside_what_is_done():
    """Actions, clauses, rules that fired, the category, and what was compared."""
    upload, given, head = judged()
    said = word(STRICT, upload, given)

    assert (said.live_action, said.action) == (Action.REVIEW, Action.BLOCK)
    assert (said.live_clause, said.clause) == ("hate.review>=0.5", "hate.block>=0.8")
    assert (said.live_rules, said.rules) == (
        ("hate.review",),
        ("hate.block", "hate.review"),
    )
    assert said.category is Category.HATE
    assert not said.same_degree
    assert (said.live_policy, said.policy) == (LIVE.ref, STRICT.ref)
    assert said.decision_id == given.decision.decision_id
    assert head.asked == 1  # By the live decision alone.


@pytest.mark.parametrize("value", [0.1, 0.6, 0.9])
@pytest.mark.parametrize("stage", [Stage.SCREENED, Stage.COMPLETE, Stage.SWEPT])
def test_a_candidate_says_what_it_would_have_said_live(value, stage):
    """The same action, clause and rules as a judge with that policy, at each stage."""
    upload = signals(texts=(a_text_signal(),), stage=stage)
    _, given, _ = judged(value, upload=upload)
    _, live, _ = judged(value, upload=upload, policy=STRICT)
    said = word(STRICT, upload, given)

    assert (said.action, said.clause) == (live.decision.action, live.decision.clause)
    assert said.rules == tuple(rule.rule_id for rule in live.decision.rules)
    assert said.stage is stage


def test_the_live_policy_as_its_own_candidate_agrees():
    """An A/A comparison has no flips and no other degree."""
    upload, given, _ = judged()
    said = word(LIVE, upload, given)

    assert said.same_degree
    assert (said.action, said.clause) == (said.live_action, said.live_clause)


def test_a_head_of_its_own_replaces_the_live_ones_scores():
    """What its head says counts, lower or higher; the other scorers' words stay."""
    flood = Rule("anomaly", "velocity", Action.LIMIT, 0.7)
    policy = a_policy(rules=(flood, BLOCK))
    upload, given, _ = judged(0.9, policy=policy, others=(Flood(0.8),))
    lower, higher = CountingHead(0.2, "cd" * 32), CountingHead(0.99, "ef" * 32)

    assert word(policy, upload, given, head=lower).action is Action.LIMIT
    said = word(policy, upload, given, head=higher)
    assert (said.action, said.head) == (Action.BLOCK, "ef" * 32)
    assert (lower.asked, higher.asked) == (1, 1)


def test_what_was_judged_before_is_not_asked_again():
    """A repeat has no new decision to stand beside."""
    upload, given, _ = judged()
    again = replace(given, decision=None, duplicate="again")

    assert word(STRICT, upload, again) is None


def test_who_is_not_in_the_share_is_not_asked():
    """Of some uploaders, those of the share get a word."""
    asked = []
    for n in range(40):
        upload = signals(uploader_id=f"u{n}", texts=(a_text_signal(),))
        _, given, _ = judged(upload=upload, history=UploaderHistory(f"u{n}"))
        if word(STRICT, upload, given, percent=25.0) is not None:
            asked.append(f"u{n}")

    share = Share("strict", 25.0)
    assert asked == [f"u{n}" for n in range(40) if share.has(f"u{n}")]
    assert 0 < len(asked) < 40


def test_the_uploaders_size_is_what_was_known_before():
    """How many uploads were learned; None for a sweep, which has no history."""
    history = a_history([a_recent("a"), a_recent("b", 60)])
    upload, given, _ = judged(history=history)
    assert word(STRICT, upload, given).uploads == 2

    late = signals(texts=(a_text_signal(),), stage=Stage.SWEPT)
    _, given, _ = judged(history=history, upload=late)
    assert word(STRICT, late, given).uploads is None


MARKETS = """
id: strict
version: "2"
owner: t
rules:
  - id: german
    owner: t
    clause: c
    when: score.hate >= 0.5
    action: block
    markets: [DE]
"""


def test_territories_that_either_tells_apart_stand_with_both_actions():
    """Germany blocks by the candidate and reviews live; elsewhere it is told once."""
    strict = parse_policy(MARKETS, "strict.yaml")
    upload = signals(texts=(a_text_signal(),), territories=("DE", "US"))
    _, given, _ = judged(0.7, upload=upload)
    said = word(strict, upload, given)

    assert said.by_market == (ShadowMarket("DE", Action.REVIEW, Action.BLOCK),)
    assert said.territories == ("DE", "US")
    assert (said.live_action, said.action) == (Action.REVIEW, Action.ALLOW)
