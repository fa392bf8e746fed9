"""Facts about a decision with some rules held, weighed anew from what is on disk."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Category, Missing
from streams.brakes import Hold
from streams.judge import Judge
from streams.policy_file import parse_policy
from streams.replay.held_back import asked_from_json, asked_to_json, held_back
from streams.scorers import Score
from tests.builders import a_history, signals

POLICY = parse_policy(
    """
id: p
version: "1"
owner: me
second_approval: {uploaders: [star]}
missing: {default: allow, text: review, media: block}
categories:
  hate: {label: 0.2, review: 0.6, block: 0.9, brake: {per_hour: 5}}
  privacy: {limit: 0.3, block: 0.7, brake: {per_uploader_per_hour: 2}}
rules:
  - {id: r-de, clause: c, when: score.hate >= 0.4, action: block, markets: [DE],
     brake: {per_hour: 1}}
  - {id: r-not-us, clause: c, when: score.privacy >= 0.5, action: limit,
     strength: 0.5, markets: {except: [US]}, brake: {per_hour: 1}}
  - {id: r-age, clause: c, when: score.hate >= 0.3, action: age_restrict, age: 16,
     for: 30d, brake: {per_hour: 1}}
  - {id: r-hold, clause: c, when: score.self_harm >= 0.5, action: block,
     markets: [FR], brake: {per_hour: 1}}
  - {id: r-review, clause: c, when: score.fraud_spam >= 0.1, action: block,
     if_missing: review, brake: {per_hour: 1}}
  - {id: r-kind, clause: c, when: kind == track and revision >= 3, action: limit}
""",
    "p.yaml",
)
BRAKED = sorted(POLICY.brakes)
CATEGORIES = (
    Category.HATE,
    Category.PRIVACY,
    Category.SELF_HARM,
    Category.FRAUD_SPAM,
)


class Given:
    """Scores that are given, and none for the rest."""

    name, models, languages, categories = "given", (), None, CATEGORIES

    def __init__(self, values):
        self.values = values

    def score(self, upload, history):
        """Give those that are numbers."""
        return tuple(
            Score("given", value, "said", category)
            for category, value in zip(CATEGORIES, self.values, strict=True)
            if value is not None
        )


@given(
    values=st.tuples(*[st.sampled_from([None, 0.0, 0.25, 0.45, 0.65, 0.95])] * 4),
    territories=st.sets(st.sampled_from(["DE", "FR", "US"])),
    missing=st.sets(st.sampled_from(["text:title", "media:audio", "hash:cover"])),
    uploader=st.sampled_from(["star", "u1"]),
    revision=st.sampled_from([0, 3]),
    held=st.sets(st.sampled_from(BRAKED)),
)
def test_it_is_what_a_judge_says_with_these_rules_held(
    values, territories, missing, uploader, revision, held
):
    """Every field of it, whichever rules are held; read back from JSON."""
    upload = signals(
        uploader_id=uploader,
        revision=revision,
        territories=tuple(sorted(territories)),
        missing=tuple(Missing(name, "gone") for name in sorted(missing)),
    )
    judge, history = Judge((Given(values),), POLICY), a_history((), uploader)
    holds = tuple(Hold(name, f"per_hour: {name}") for name in sorted(held))
    free = judge.judge(upload, history)
    live = judge.judge(upload, history, lambda *_: holds).decision

    written = json.loads(json.dumps(asked_to_json(free.verdict.asked)))
    asked = asked_from_json(written, POLICY)
    found = held_back(free.decision, asked, upload.event.territories, holds)

    assert found == live


def test_another_policys_rule_is_not_guessed():
    """What was asked for is read by the policy that asked."""
    written = [
        {"clause": "x", "rule": "x", "action": "block", "value": 1.0, "unknown": []}
    ]

    with pytest.raises(KeyError):
        asked_from_json(written, POLICY)
