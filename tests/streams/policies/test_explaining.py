from datetime import UTC, datetime

from schemas.records import Action, Category, Kind, Stage
from streams.policies.differences import Flips, compare, shown_effect
from streams.policies.explaining import explain
from streams.policy import Findings
from streams.policy_file import parse_policy_folder
from streams.rules.rule import Effect

RULES = """
id: p
version: "1"
owner: me
categories: {hate: {review: 0.5, block: 0.9}}
rules:
  - id: held
    clause: c
    when: score.privacy >= 0.5 and kind == track
    action: limit
  - id: skipped
    clause: c
    when: score.self_harm >= 0.5
    action: limit
    if_missing: skip
  - id: over
    clause: c
    when: kind in [track, video]
    action: limit
    valid: {until: 2026-01-01}
  - id: abroad
    clause: c
    when: score.hate > 0.1
    action: label
    markets: [FR]
"""
FOUND = Findings(
    Stage.COMPLETE,
    categories={Category.HATE: 0.6},
    kind=Kind.TRACK,
    territories=("DE",),
    event_time=datetime(2026, 11, 1, tzinfo=UTC),
)


def policy(text: str = RULES):
    """Read a policy."""
    return parse_policy_folder({"policy.yaml": text}, "p").policy


def test_every_rule_says_what_became_of_it_and_why():
    """Fired, unknown, not true, not in force, or for other territories."""
    found = explain(policy(), FOUND)

    told = {trace.rule.id: (trace.outcome, trace.why) for trace in found.traces}
    assert told == {
        "hate.review": ("fired", "score.hate >= 0.5 (found 0.6)"),
        "hate.block": ("no", "score.hate >= 0.9 (found 0.6)"),
        "held": ("unknown", "score.privacy >= 0.5 (found unknown)"),
        "skipped": ("unknown", "score.self_harm >= 0.5 (found unknown)"),
        "over": ("not in force", "until 2026-01-01T00:00:00+00:00"),
        "abroad": ("elsewhere", "for FR only"),
    }
    assert found.verdict == policy().decide(FOUND)


def test_the_rules_that_fired_come_first():
    """Then those that can't be told."""
    outcomes = [trace.outcome for trace in explain(policy(), FOUND).traces]

    assert outcomes[:3] == ["fired", "unknown", "unknown"]


def test_two_policies_differ_rule_by_rule_and_key_by_key():
    """Added, removed and changed, and the words about what is missing."""
    after = (
        RULES.replace("block: 0.9}", "block: 0.8}")
        .replace("id: skipped", "id: renamed")
        .replace("markets: [FR]", "markets: {except: [US]}\n    if_missing: review")
        + "missing: {text: allow}\nprovisional: limit\n"
    )

    found = compare(policy(), policy(after))

    assert [rule.id for rule in found.added] == ["renamed"]
    assert [rule.id for rule in found.removed] == ["skipped"]
    assert {change.rule_id: change.keys for change in found.changed} == {
        "hate.block": (("when", "score.hate >= 0.9", "score.hate >= 0.8"),),
        "abroad": (("markets", "FR", "all but US"), ("if_missing", "hold", "review")),
    }
    assert found.settings == (
        ("provisional", "review", "limit"),
        ("missing.text", "not said", "allow"),
    )


def test_a_policy_does_not_differ_from_itself():
    """Whatever its version and comments say."""
    assert not compare(policy(), policy(RULES.replace('"1"', '"2"') + "# a")).any


def test_decisions_that_change_are_counted_by_their_flow():
    """From which action to which; a change in a territory counts too."""
    flips = Flips()
    harder = policy(RULES.replace("block: 0.9}", "block: 0.6}"))

    flips.add("c1", FOUND, policy(), harder)
    flips.add("c2", Findings(Stage.COMPLETE), policy(), harder)

    assert (flips.decided, flips.flipped) == (2, 1)
    assert flips.flows == {(Action.REVIEW, Action.BLOCK): 1}
    assert [flip.content_id for flip in flips.named] == ["c1"]


def test_an_effect_is_written_with_its_degree():
    """Only what is not said anyway."""
    assert shown_effect(Effect(Action.LIMIT, 0.5, None, 86_400)) == "limit 50% for 1d"
    assert shown_effect(Effect(Action.AGE_RESTRICT, 1.0, 16)) == "age_restrict from 16"
    assert shown_effect(Effect(Action.BLOCK)) == "block"


def test_what_may_be_about_children_is_not_shown():
    """Neither a title nor what was heard, where a restricted category has a value."""
    rules = RULES.replace("score.hate > 0.1", 'text.title matches "a"')
    shy = policy(rules + "restricted: [child_safety]\n")
    found = Findings(
        Stage.COMPLETE,
        categories={Category.CHILD_SAFETY: 0.1},
        kind=Kind.TRACK,
        texts={"title": "a title"},
    )

    told = {trace.rule.id: trace.why for trace in explain(shy, found).traces}

    assert told["abroad"] == "text.title matches \"a\" (found 'not shown')"
