import hashlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import CATEGORIES, Action, Category
from streams.errors import PolicyError
from streams.policy import Rule
from streams.policy_file import parse_policy
from streams.policy_folder import read_policy
from streams.scorers import ANOMALY_NAMES
from streams.settings import default_policy

HEAD = "id: p\nversion: 1\n"
SMALL = HEAD + "categories: {hate: {block: 0.92, review: 0.5}}\n"


def test_a_policy_is_read_as_written():
    """Rules are sorted mild to hard; what is not said holds for review."""
    policy = parse_policy(SMALL, "p.yaml")

    assert (policy.id, policy.version) == ("p", "1")
    assert policy.rules == (
        Rule("category", "hate", Action.REVIEW, 0.5),
        Rule("category", "hate", Action.BLOCK, 0.92),
    )
    assert policy.missing_default is Action.REVIEW
    assert policy.provisional is Action.REVIEW


def test_the_default_policy_speaks_on_everything():
    """Every category and anomaly has a threshold; child safety is restricted."""
    policy = read_policy(default_policy())

    named = {rule.name for rule in policy.rules}
    assert named == {c.lower() for c in CATEGORIES} | set(ANOMALY_NAMES)
    assert policy.restricted == {Category.CHILD_SAFETY}
    said = dict(policy.missing)
    assert said.pop("language") is Action.ALLOW  # Judged by all the rest.
    assert set(said.values()) == {Action.REVIEW}


def test_the_hash_is_of_the_file_with_plain_line_ends():
    """A checkout with other line ends, or a byte order mark, is the same policy."""
    plain = parse_policy(SMALL, "p.yaml").sha256

    assert plain == hashlib.sha256(SMALL.encode()).hexdigest()
    assert parse_policy("\ufeff" + SMALL.replace("\n", "\r\n"), "x").sha256 == plain
    assert parse_policy(SMALL + "# changed\n", "p.yaml").sha256 != plain


BAD = {
    "unknown key": (SMALL + "bank: {}", "4:1", "'bank'", "did you mean 'banks'?"),
    "no id": ("version: 1\ncategories: {}", "1:1", "no id", "add a line `id: …`"),
    "id is a list": (
        "id: [a]\nversion: 1\ncategories: {}",
        "1:5",
        "a list",
        "the policy's id",
    ),
    "empty": ("", "1:1", "an empty file", "policies/default"),
    "not a mapping": ("- a", "1:1", "a list", "a policy's keys"),
    "key is a list": ("[a]: b", "1:1", "a list", "a name"),
    "twice": ("id: a\nid: b", "2:1", "'id'", "line 1"),
    "category": (
        HEAD + "categories:\n  hat: {block: 1}",
        "4:3",
        "'hat'",
        "did you mean 'hate'?",
    ),
    "action": (
        HEAD + "categories:\n  hate: {blok: 1}",
        "4:10",
        "'blok'",
        "did you mean 'block'?",
    ),
    "allow": (HEAD + "categories: {hate: {allow: 0}}", "3:21", "'allow'", "use one of"),
    "anomaly": (
        SMALL + "anomalies: {velocty: {limit: 1}}",
        "4:13",
        "'velocty'",
        "velo",
    ),
    "signal": (SMALL + "missing: {transcrpt: review}", "4:11", "'transcrpt'", "transc"),
    "text": (
        HEAD + "categories: {hate: {block: high}}",
        "3:28",
        "text 'high'",
        "a number in [0, 1]",
    ),
    "nan": (HEAD + "categories: {hate: {block: .nan}}", "3:28", "'.nan'", "0.9"),
    "too high": (HEAD + "categories: {hate: {block: 1.2}}", "3:28", "1.2", "[0, 1]"),
    "below zero": (HEAD + "categories: {hate: {block: -1}}", "3:28", "-1", "[0, 1]"),
    "nothing": (HEAD + "categories:\n", "3:12", "nothing", "a mapping"),
    "not monotonic": (
        HEAD + "categories: {hate: {block: 0.5, review: 0.9}}",
        "3:28",
        "block at 0.5",
        "at least 0.9, where review begins",
    ),
    "restricted label": (
        HEAD + "categories: {hate: {label: 1}}\nrestricted: [hate]",
        "3:28",
        "a label",
        "no label",
    ),
    "syntax": ("id: [", "2:1", "no node content", "mend the line"),
    "tab": ("id: a\n\tb: c", "2:1", "a tab character", "indent with spaces"),
    "control": ("id: a\n b\x01", "2:3", "U+0001", "remove it"),
    "surrogate": ("id: \ud800", "1:5", "U+D800", "remove it"),
    "anchor": ("id: &a x", "1:5", "the anchor &'a'", "write the value out"),
    "alias": ("id: *a", "1:5", "the alias *'a'", "write the value out"),
    "merge": ("<<: {id: a}", "1:1", "'<<'", "a policy's key"),
    "tag": ("id: !!python/object:os.system x", "1:5", "python/object", "plain values"),
    "deep": ("id: " + "[" * 100, "1:12", "more than 8 levels", "flatten it"),
    "two documents": ("id: a\n---\nid: b", "2:1", "a second document", "remove it"),
    "huge": ("#" * 300_000, "1:1", "300000 bytes", "at most 262144"),
    "many": ("[" + "a," * 30_000 + "]", "1:39998", "more than 20000", "shorten"),
    "long id": (
        "id: " + "x" * 300 + "\nversion: 1\ncategories: {}",
        "1:5",
        "300",
        "200",
    ),
}


@pytest.mark.parametrize(("text", "at", "found", "hint"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_with_its_place(text, at, found, hint):
    """The error says file, line, column, what was found, expected and to be done."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.yaml")

    message = str(caught.value)
    assert message.startswith(f"p.yaml:{at}: found ")
    assert found in message.partition("; expected ")[0]
    assert hint in message.partition("; expected ")[2]
    assert len(message) < 400


def refusal(text: str) -> str | None:
    """Return why a text is refused; None where it is a policy."""
    try:
        parse_policy(text, "p.yaml")
    except PolicyError as error:
        return str(error)
    return None


@settings(deadline=None, max_examples=200)
@given(st.text() | st.text("ab:- {}[]\n'\"#&*!?|>%@,.0\t", max_size=60))
def test_whatever_the_text_it_is_a_policy_or_a_policy_error(text):
    """No text gives another error than one with its place, in one line."""
    why = refusal(HEAD + "categories: {}\nmissing: " + text)

    assert not why or re.fullmatch(r"p\.yaml:\d+:\d+: found .+; expected .+; .+", why)
