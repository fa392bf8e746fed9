import pytest

from streams.errors import PolicyError
from streams.policy_file import parse_policy_folder

HEAD = 'id: p\nversion: "1"\nowner: me\n'


def policy(*rules: str, head: str = HEAD, tables: str = "categories: {}\n"):
    """Read a policy of rules, each `when -> action`, then more keys."""
    listed = ["rules:"]
    for number, rule in enumerate(rules):
        when, _, rest = rule.partition(" -> ")
        action, *more = rest.split("; ")
        listed += [f"  - id: r{number}", "    clause: c", f"    when: {when}"]
        listed += [f"    action: {action}", *(f"    {line}" for line in more)]
    text = head + tables + "\n".join(listed) + "\n"
    return parse_policy_folder({"policy.yaml": text}, "p")


UNREACHABLE = [
    "score.hate >= 0.9 and score.hate < 0.5 -> block",
    "score.hate > 0.5 and score.hate <= 0.5 -> block",
    "score.hate > 1 -> block",
    "kind == track and kind == video -> block",
    "kind in [track, video] and not kind in [track, video] -> block",
    "kind == track -> block; kinds: [video]",
    "territories has DE and not territories has DE -> block",
    'text.title matches "a" and not text.title matches "a" -> block',
    "score.hate > score.privacy and not score.hate > score.privacy -> block",
    "(score.hate > 0.9 or score.privacy > 0.9) and score.hate < 0.1 and"
    " score.privacy < 0.1 -> block",
    "not (score.hate < 0.5 or score.hate >= 0.5) -> block",
]


@pytest.mark.parametrize("rule", UNREACHABLE)
def test_a_rule_that_nothing_can_meet_is_refused(rule):
    """With its place, and its condition as it was read."""
    with pytest.raises(PolicyError, match=r"^p/policy\.yaml:6:5: found rule 'r0', whi"):
        policy(rule)


SHADOWED = [
    ("score.hate >= 0.9 -> limit", "score.hate >= 0.5 -> review"),
    ("score.hate > 0.5 -> limit", "score.hate >= 0.5 -> review"),
    ("score.hate >= 0.5 and kind == track -> label", "kind == track -> limit"),
    ("kind == track -> limit", "kind in [track, video] -> block"),
    ("score.hate >= 0.5 -> limit; markets: [DE]", "score.hate >= 0.5 -> review"),
    (
        "score.hate >= 0.5 -> limit; markets: [DE]",
        "score.hate >= 0.5 -> review; markets: [DE, FR]",
    ),
    (
        "score.hate >= 0.5 -> limit; valid: {from: 2026-02-01, until: 2026-03-01}",
        "score.hate >= 0.5 -> review; valid: {from: 2026-01-01}",
    ),
    (
        'uploader_id == "u1" and score.hate > 0.1 -> limit',
        'uploader_id in ["u1", "u2"] -> review',
    ),
    (
        'text.title matches "a" and score.hate > 0.1 -> limit',
        'text.title matches "a" -> review',
    ),
    ("score.hate > 0.1 and score.privacy > 0.1 -> limit", "score.hate > 0 -> review"),
    ("score.hate >= 0.7 -> limit", "score.hate >= 0.5 or kind == title -> review"),
    (
        "(score.hate >= 0.7 and kind == track) or (score.hate >= 0.8 and kind == video)"
        " -> limit",
        "score.hate >= 0.5 -> review",
    ),
    ("always -> limit", "always -> review"),
    ("score.hate >= 0.5 -> limit", "score.hate >= 0.5 -> limit"),
]


@pytest.mark.parametrize("rules", SHADOWED, ids=lambda rules: rules[0])
@pytest.mark.parametrize("turned", [False, True], ids=["before", "after"])
def test_a_rule_that_a_harder_one_always_outdoes_is_refused(rules, turned):
    """Wherever it stands; the message names both and where the other is."""
    narrow, wide = rules
    same = narrow == wide
    with pytest.raises(PolicyError) as caught:
        policy(*((wide, narrow) if turned else (narrow, wide)))

    message = str(caught.value)
    mine, other = ("r1", "r0") if turned or same else ("r0", "r1")
    assert f"found rule '{mine}', which never has the last word" in message
    assert f"'{other}' (p/policy.yaml:" in message


FINE = [
    ("score.hate >= 0.5 -> limit", "score.hate >= 0.9 -> block"),
    ("score.hate >= 0.5 -> limit", "score.hate > 0.5 -> review"),
    ("kind == track -> limit", "kind == video -> block"),
    ("score.hate >= 0.5 -> limit", "score.hate >= 0.5 -> review; markets: [DE]"),
    (
        "score.hate >= 0.5 -> limit; valid: {until: 2026-03-01}",
        "score.hate >= 0.5 -> review; valid: {from: 2026-01-01}",
    ),
    ("score.hate >= 0.5 -> limit", 'text.title matches "a" -> review'),
    # Of equal hardness, and each has something of its own to say.
    ("score.hate >= 0.5 -> limit; for: 3d", "score.hate >= 0.4 -> limit; for: 9d"),
    ("score.hate >= 0.5 -> age_restrict; age: 18", "always -> age_restrict; age: 16"),
    # Shadowed only by both others together, which is not decided.
    (
        "score.hate >= 0.5 -> limit",
        "score.hate >= 0.5 and score.privacy < 0.5 -> review",
        "score.hate >= 0.5 and score.privacy >= 0.5 -> review",
    ),
]


@pytest.mark.parametrize("rules", FINE, ids=lambda rules: rules[-1])
def test_a_rule_that_has_something_to_do_stands(rules):
    """However near the others come."""
    assert len(policy(*rules).policy.written) == len(rules)


def test_a_rule_that_a_line_of_thresholds_outdoes_is_refused():
    """Lines are rules like others."""
    with pytest.raises(PolicyError, match=r"'hate\.review' \(p/policy\.yaml:5:"):
        policy(
            "score.hate >= 0.7 -> limit",
            tables="categories:\n  hate: {review: 0.5}\n",
        )


def test_what_was_not_decided_is_named():
    """Conditions of very many alternatives aren't compared; the policy stands."""
    wide = " and ".join(
        f"(score.hate > 0.{n} or score.privacy > 0.{n})" for n in range(1, 8)
    )

    assert policy(f"{wide} -> block").undecided == ("r0",)
