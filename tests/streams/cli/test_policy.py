import base64
import json

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import BankMatch, Category, ContentSignals, Missing
from schemas.topics import SIGNALS
from tests.builders import signals
from tests.streams.cli.test_commands import headgate, lines

RULES = """
id: mine
version: "7"
owner: me
categories: {hate: {review: 0.5}}
banks: {takedowns: {block: 0.9}}
missing: {transcript: review}
rules:
  - id: gifts
    clause: deceptive
    when: text.title matches "(?i)free gift"
    action: limit
    strength: 0.5
    markets: [DE]
"""
TEST = """
tests:
  - name: gifts are slowed in Germany
    given: {text: {title: A FREE GIFT}, score: {others: 0}}
    expect: {action: allow, fired: [gifts], by_market: {DE: limit}}
"""


@pytest.fixture
def policy(tmp_path):
    """A policy with one rule and its test."""
    folder = tmp_path / "mine"
    (folder / "tests").mkdir(parents=True)
    (folder / "policy.yaml").write_text(RULES)
    (folder / "tests" / "gifts.yaml").write_text(TEST)
    return folder


@pytest.fixture
def capture(tmp_path):
    """Signals as `headgate tail --raw` writes them: no model is needed for them."""
    match = BankMatch("cover", "takedowns", "e1", Category.PRIVACY, "pdq", 0)
    heard = Missing("transcript:audio", "undecodable")
    file = tmp_path / "signals.jsonl"
    uploads = (
        signals("known", matches=(match,)),
        signals("unheard", missing=(heard,)),
        signals("gift", texts=(), territories=("DE",)),
    )
    file.write_text("".join(map(captured, uploads)))
    return file


def captured(upload: ContentSignals) -> str:
    """Write one record of signals."""
    value = Codec(CommittedIds()).encode(upload)
    line = {"topic": SIGNALS.name, "value_base64": base64.b64encode(value).decode()}
    return json.dumps(line) + "\n"


@pytest.mark.parametrize("command", ["check", "test", "explain", "diff"])
def test_every_command_has_help_with_an_example(command):
    """Nobody has to read the source to use one."""
    result = headgate("policy", command, "--help")

    assert f"headgate policy {command} " in result.stdout.partition("Usage")[2]
    assert result.stdout.count(f"headgate policy {command} ") >= 1


def test_a_good_policy_is_said_to_be_good(policy):
    """With what it has, for people and for machines."""
    (line,) = lines(headgate("policy", "check", policy, "--json"))

    assert (line["ok"], line["id"], line["version"]) == (True, "mine", "7")
    assert (line["thresholds"], line["rules"], line["tests"]) == (2, 1, 1)


def test_a_mistake_is_shown_with_its_place_and_a_bad_exit_code(policy):
    """One line, as compilers write them."""
    (policy / "policy.yaml").write_text(RULES.replace("text.title", "txt.title"))

    result = headgate("policy", "check", policy, "--json")

    assert result.returncode == 1
    assert f"{policy}/policy.yaml:11:11: found 'txt.title'" in result.stderr
    assert lines(result)[0]["ok"] is False


def test_tests_beside_the_rules_are_run(policy):
    """A failing one is named with its place and what is otherwise."""
    assert headgate("policy", "test", policy).returncode == 0

    (policy / "tests" / "gifts.yaml").write_text(TEST.replace("DE: limit", "DE: block"))
    result = headgate("policy", "test", policy)

    assert result.returncode == 1
    assert "failed gifts are slowed in Germany" in result.stdout
    assert "in DE it is limit, expected block" in result.stdout
    assert "tests/gifts.yaml:3:5" in result.stdout


def test_a_policy_without_tests_fails_its_tests(policy):
    """Nothing was shown by it."""
    (policy / "tests" / "gifts.yaml").unlink()

    assert headgate("policy", "test", policy).returncode == 1


def test_each_rule_says_why_it_fired_or_not(policy, capture):
    """And what was done about a missing signal."""
    found = lines(headgate("policy", "explain", capture, "--policy", policy, "--json"))

    known, unheard, _ = found
    outcomes = {rule["id"]: rule["outcome"] for rule in known["rules"]}
    assert outcomes["bank.takedowns.block"] == "fired"
    assert outcomes["hate.review"] == "unknown"
    assert (known["action"], unheard["clause"]) == ("block", "missing.transcript")
    assert unheard["missing"] == {"transcript:audio": "undecodable: policy says review"}


def test_an_explanation_can_be_read(policy, capture):
    """The decision, what was missing, and the rules that have a say."""
    result = headgate("policy", "explain", capture, "--policy", policy)

    assert result.returncode == 0
    assert "known (track): block because of bank.takedowns.block>=0.9" in result.stdout
    assert "missing transcript:audio: undecodable: policy says review" in result.stdout
    assert "bank.takedowns >= 0.9 (found 1)" in result.stdout
    assert "more rules did not fire; --all shows why" in result.stdout


def test_two_policies_are_compared_on_captured_signals(policy, capture, tmp_path):
    """What changes in the rules, and which decisions change by it."""
    milder = tmp_path / "milder.yaml"
    milder.write_text(RULES.replace("block: 0.9", "review: 0.9").split("rules:")[0])

    result = headgate("policy", "diff", policy, milder, "--signals", capture, "--json")

    (line,) = lines(result)
    assert result.returncode == 0
    assert line["added"] == ["bank.takedowns.review"]
    assert line["removed"] == ["bank.takedowns.block", "gifts"]
    assert (line["decided"], line["flipped"]) == (3, 1)
    assert line["flows"] == {"block → review": 1}
    assert line["flips"][0]["content_id"] == "known"
