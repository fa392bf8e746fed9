import pytest

from schemas.records import Action
from streams.errors import PolicyError
from streams.policies.cases import parse_cases, run
from streams.policy_file import parse_policy_folder

RULES = """
id: p
version: "1"
owner: me
categories: {hate: {review: 0.5}}
rules:
  - id: germany
    clause: c
    when: score.hate >= 0.3 and history.uploads < 5
    action: block
    markets: [DE]
  - id: words
    clause: c
    when: text.title matches "gift" or transcript matches "gift" or label.knife > 0.5
    action: limit
    valid: {until: 2026-12-01}
  - id: often
    clause: c
    when: score.fraud_spam >= 0.5
    if_missing: skip
    action: limit
    strength: 0.5
    for: 30d
    brake: {per_hour: 9}
second_approval: {uploaders: [star]}
"""
POLICY = parse_policy_folder({"policy.yaml": RULES}, "p").policy


def wrong(given: str, expect: str) -> tuple[str, ...]:
    """Run one test and return what is not as expected."""
    text = f"tests:\n  - name: t\n    given: {given}\n    expect: {expect}\n"
    (case,) = parse_cases(text, "tests/t.yaml", ("velocity",))
    return run(POLICY, case).wrong


SPAM = "score: {others: 0, fraud_spam: 0.6}"
NEW = "history: {uploads: 1}, event_time: 2026-11-01, kind: track"


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ("{score: {hate: 0.5}}", "{action: review, fired: [hate.review]}"),
        (
            f"{{score: {{hate: 0.4}}, {NEW}}}",
            "{action: allow, fired: [germany], by_market: {DE: block}}",
        ),
        (f"{{score: {{hate: 0.4}}, {NEW}, markets: [DE]}}", "{action: block}"),
        (f"{{score: {{others: 0}}, {NEW}}}", "{action: allow, fired: []}"),
        (  # Held where the rule that can't be told is for.
            f"{{{NEW}}}",
            "{action: allow, by_market: {DE: review}, unknown: [score.hate]}",
        ),
        (
            f"{{score: {{others: 0}}, {NEW}, text: {{title: a gift}}}}",
            "{action: limit}",
        ),
        (f"{{score: {{others: 0}}, {NEW}, transcript: a gift}}", "{action: limit}"),
        (f"{{score: {{others: 0}}, {NEW}, label: {{knife: 1}}}}", "{action: limit}"),
        (
            f"{{{SPAM}, {NEW}}}",
            "{action: limit, strength: 0.5, for: 30d, held: {}}",
        ),
        (
            f"{{{SPAM}, {NEW}, braked: [often]}}",
            "{action: review, clause: brake.often, held: {often: limit}, "
            "instead_of: limit}",
        ),
        (
            f"{{{SPAM}, {NEW}, uploader_id: star}}",
            "{action: review, clause: second_approval.often, held: {often: limit}}",
        ),
    ],
)
def test_what_is_given_is_what_the_rules_read(given, expect):
    """Scores, texts, labels, histories, times and territories."""
    assert wrong(given, expect) == ()


def test_every_difference_is_told():
    """Action with what fired, the clause, rules and territories."""
    found = wrong(
        f"{{score: {{hate: 0.6}}, {NEW}}}",
        "{action: limit, clause: x, fired: [hate.block], by_market: {FR: block}}",
    )

    assert found == (
        "action is review by hate.review>=0.5, expected limit",
        "clause is hate.review>=0.5, expected x",
        "fired lacks hate.block",
        "fired has germany, which was not expected",
        "fired has hate.review, which was not expected",
        "in DE it is block, expected as elsewhere",
        "in FR it is as elsewhere, expected block",
    )


def test_a_difference_in_what_waits_and_how_much_is_told():
    """And a rule that has no brake can't be braked: the test would say nothing."""
    found = wrong(
        f"{{{SPAM}, {NEW}, braked: [words]}}",
        "{action: limit, strength: 1, age: 16, held: {often: limit, germany: block},"
        " instead_of: block}",
    )

    assert found == (
        "words is given as braked, but the policy has no rule of that id with a brake",
        "of germany waits nothing, expected block",
        "of often waits nothing, expected limit",
        "strength is 0.5, expected 1.0",
        "age is none, expected 16",
        "instead_of is none, expected block",
    )


BAD = {
    "no expect": ("- name: a\n    given: {}", "2:5: found no expect"),
    "no action": ("- {name: a, given: {}, expect: {}}", "2:34: found no action"),
    "a score": (
        "- {name: a, given: {score: {hat: 1}}, expect: {action: block}}",
        "2:31: found 'hat'; expected a known name; did you mean 'hate'?",
    ),
    "an anomaly": (
        "- {name: a, given: {anomaly: {velocty: 1}}, expect: {action: block}}",
        "did you mean 'velocity'?",
    ),
    "too high": (
        "- {name: a, given: {score: {hate: 2}}, expect: {action: block}}",
        "found '2'; expected a number in [0, 1]",
    ),
    "a key": (
        "- {name: a, given: {scores: {}}, expect: {action: block}}",
        "found 'scores'; expected a finding; did you mean 'score'?",
    ),
}


@pytest.mark.parametrize(("case", "message"), BAD.values(), ids=BAD)
def test_a_bad_test_is_refused_with_its_place(case, message):
    """A test that gives nothing because of a typing error would pass for ever."""
    with pytest.raises(PolicyError) as caught:
        parse_cases(f"tests:\n  {case}\n", "t.yaml", ("velocity",))

    assert message in str(caught.value)


def test_a_case_without_more_expects_the_action_alone():
    """What is not said may be anything."""
    (case,) = parse_cases(
        "tests: [{name: a, given: {}, expect: {action: block}}]", "t.yaml", ()
    )

    assert (case.action, case.clause, case.fired) == (Action.BLOCK, None, None)
