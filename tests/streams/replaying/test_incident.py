"""An incident: for an hour a policy is live with two thresholds wrong.

What it wrongly blocked and let through is known to the test by arithmetic; replay, its
report and `reverse` have to find exactly that, and `--apply` to put it right.
"""

import json
from dataclasses import replace

import pytest

from schemas.records import Action
from schemas.topics import DECISION_CURRENT, REVIEW_REQUESTED
from streams.errors import StartError
from streams.replaying.applying import FlipsToApply
from streams.replaying.manifest import (
    agreed_manifest,
    corrections_of,
    write_manifest,
)
from streams.wiring import read_policy
from tests.streams.replaying.incident import (
    BLOCKED_WRONGLY,
    BY_THE_RULE,
    HOUR,
    PASSED_WRONGLY,
    RIGHT_POLICY,
    UPLOADS,
    distance,
    headgate,
    is_blocked,
    tell,
)


def flips(folder):
    """Return the contents of a replay's flips, by what became of them."""
    found = {}
    for line in map(json.loads, (folder / "flips.jsonl").read_text().splitlines()):
        arrow = line["then"]["action"], line["now"]["action"]
        found.setdefault(arrow, set()).add(line["content_id"])
    return found


def test_replay_and_its_report_find_exactly_what_went_wrong(incident):
    """Of the wrong hour what was wrongly blocked and let through, and nothing else."""
    summary = incident.replay("what-if", policy=str(incident.right))

    assert len(BLOCKED_WRONGLY) > 5 < len(PASSED_WRONGLY)
    found = flips(incident.folder / "what-if")
    assert found == {
        ("block", "allow"): BLOCKED_WRONGLY,
        ("allow", "block"): PASSED_WRONGLY,
    }
    assert summary["flips"] == len(BLOCKED_WRONGLY | PASSED_WRONGLY)
    report = (incident.folder / "what-if" / "report.html").read_text()
    shown = {f"c{n}" for n in range(UPLOADS) if f'class="id">c{n}<' in report}
    assert shown == BLOCKED_WRONGLY | PASSED_WRONGLY
    assert f"{summary['flips']} of {UPLOADS} final decisions" in report


@pytest.mark.parametrize(
    ("wrongly", "actions", "then", "now"),
    [
        (BLOCKED_WRONGLY, ("block", "allow"), ("fired", 0.91), ("no", 0.95)),
        (PASSED_WRONGLY, ("allow", "block"), ("no", 0.99), ("fired", 0.93)),
    ],
    ids=["blocked", "passed"],
)
def test_why_names_the_wrong_version_and_what_is_otherwise_now(
    incident, wrongly, actions, then, now
):
    """For each upload that it got wrong: its rule, the value found, both thresholds."""
    for content_id in sorted(wrongly)[:3]:
        (story,) = incident.why(content_id)

        bank = "xy"[int(content_id[1:]) % 2]
        found = story["decision"]["categories"]["ip_infringement"]["probability"]
        said, today = story["decision"], story["today"]
        assert (said["action"], today["action"]) == actions
        assert (said["policy"]["version"], today["policy"]) == ("2", "1")
        assert today["changes"]
        (rule,) = today["rules"]
        assert rule["id"] == f"bank.{bank}.block"
        for was, (outcome, at) in ((rule["then"], then), (rule["now"], now)):
            assert was["outcome"] == outcome
            assert was["when"] == f"bank.{bank} >= {at}"
            assert was["why"] == f"bank.{bank} >= {at} (found {found:.6g})"


def test_why_of_a_right_decision_says_that_nothing_changes(incident):
    """Of an hour when the right version was live: the same policy, the same word."""
    (story,) = incident.why("c3")

    assert story["decision"]["policy"]["version"] == "1"
    assert (story["today"]["changes"], story["today"]["rules"]) == (False, [])
    assert story["result"] == "same"


def test_why_tells_a_correction_after_what_it_corrects(incident):
    """What a reversal said is the latest word, though nobody judged it."""
    content_id = min(BY_THE_RULE)
    _, made = incident.reversal()
    incident.correct(made)

    judged, corrected = incident.why(content_id)

    assert judged["decision"]["action"] == "block"
    assert corrected["result"] == "correction"
    said = corrected["decision"]
    assert (said["action"], said["clause"]) == ("allow", "reversal.bank.x.block")
    assert said["supersedes"] == judged["decision"]["decision_id"]


def test_reverse_finds_all_that_the_rule_did_and_nothing_else(incident):
    """Rightly or wrongly: a reversal trusts nothing of the version; nothing is sent."""
    before = len(incident.decisions())

    found, made = incident.reversal()

    assert {one.content_id for one in made} == BY_THE_RULE
    assert {(x.then_action, x.now.action, x.basis) for x in made} == {
        ("block", Action.ALLOW, "record")
    }
    assert BY_THE_RULE >= BLOCKED_WRONGLY
    assert found.left == {}
    assert incident.reversal("bank.y.review")[1] == []
    assert len(incident.decisions()) == before


def test_a_reversal_sent_twice_is_sent_once(incident):
    """At a bounded rate, to all its topics, and a faithful replay stays equal."""
    _, made = incident.reversal()
    before = len(incident.decisions())

    done, waited_s = incident.correct(made)
    again, _ = incident.correct(made)

    assert (done.sent, again.sent, again.sent_before) == (len(made), 0, len(made))
    assert waited_s == pytest.approx(len(made) / 10, abs=len(made) / 20)
    assert len(incident.decisions()) == before + len(made)
    latest = {d.content_id: d for d in incident.decisions(DECISION_CURRENT.name)}
    assert all(latest[content].action is Action.ALLOW for content in BY_THE_RULE)
    assert incident.decisions(REVIEW_REQUESTED.name) == []
    found, none = incident.reversal()
    assert (none, found.left) == ([], {"newer": len(made)})
    summary = incident.replay("faithful")
    assert summary["equal"], summary


def test_what_was_decided_since_is_left_alone(incident):
    """Before the dry run or after it; a repeat of the old word is no news."""
    found, made = incident.reversal()
    first, second, third = found.decisions[:3]
    tell(incident, replace(first, decision_id="newer", action=Action.REVIEW))
    tell(incident, second)

    done, _ = incident.correct(made)

    assert (done.overtaken, done.sent) == (1, len(made) - 1)
    words = {d.supersedes for d in incident.decisions()}
    assert first.decision_id not in words
    assert {second.decision_id, third.decision_id} <= words
    tell(incident, third)
    done, _ = incident.correct(made)
    assert (done.sent, done.sent_again, done.overtaken) == (0, 1, 1)


def test_a_repeat_of_what_was_decided_before_the_window_is_not_in_it(incident):
    """Its record is, and its decision is not."""
    first = next(d for d in incident.decisions() if d.content_id in BY_THE_RULE)
    tell(incident, first)
    later = ("2026-11-23T16:00:00+00:00", "2036-11-23T16:00:00+00:00")

    found, made = incident.reversal(window=later)

    assert (made, found.left) in (([], {"before": 1}), ([], {}))


def test_a_what_if_applied_puts_everything_right(incident):
    """By a manifest that is agreed to by its hash; the second time nothing is new."""
    asked = {"replay": "this"}
    incident.replay("what-if", policy=str(incident.right))
    folder = incident.folder / "what-if"
    flips = FlipsToApply(folder, read_policy(incident.right), brakes=None)
    summary = write_manifest(folder, asked, flips)

    agreed_manifest(folder, summary["sha256"][:12], asked)
    done, _ = incident.correct(corrections_of(folder))

    assert summary["actions"] == {
        "block -> allow": len(BLOCKED_WRONGLY),
        "allow -> block": len(PASSED_WRONGLY),
    }
    assert done.sent == len(BLOCKED_WRONGLY | PASSED_WRONGLY)
    latest = {d.content_id: d for d in incident.decisions(DECISION_CURRENT.name)}
    wrong = {
        n
        for n in range(UPLOADS)
        if (latest[f"c{n}"].action is Action.BLOCK) != is_blocked(n, RIGHT_POLICY)
    }
    assert wrong == set()
    assert incident.correct(corrections_of(folder))[0].sent == 0


def test_a_manifest_is_sent_only_as_it_was_agreed_to(tmp_path):
    """Another hash, another request, another line, and none at all are refused."""
    asked = {"reverse": {"rule": "r"}}
    with pytest.raises(StartError, match="is no manifest"):
        agreed_manifest(tmp_path, "0" * 12, asked)
    summary = write_manifest(tmp_path, asked, [])
    for sha256, request, match in (
        ("0" * 12, asked, "expected the manifest's hash"),
        (summary["sha256"][:11], asked, "12 digits"),
        (summary["sha256"], {"reverse": {"rule": "q"}}, "another request"),
    ):
        with pytest.raises(StartError, match=match):
            agreed_manifest(tmp_path, sha256, request)
    (tmp_path / "manifest.jsonl").write_text("{}\n")
    with pytest.raises(StartError, match="was changed"):
        agreed_manifest(tmp_path, summary["sha256"], asked)
    with pytest.raises(StartError, match="is no correction"):
        list(corrections_of(tmp_path))


def test_an_operator_reads_why_from_the_command_line(incident):
    """Which version decided, by which rule and value, and what decides now."""
    content_id = min(BLOCKED_WRONGLY)

    code, said = headgate(incident, "why", content_id)

    assert code == 0, said
    found = 1 - 0.1 * distance(int(content_id[1:])) / 31
    for told in (
        "policy incident version 2 (",
        f"bank.x >= 0.91 (found {found:.4g}",
        "fired, decided",
        "allow because of default.allow: another action, by policy incident version 1",
        f"no: block if bank.x >= 0.95 (found {found:.4g}",
    ):
        assert told in said, said


def test_an_operator_reverses_and_applies_from_the_command_line(incident):
    """A dry run, its hash, then --yes; what is not agreed to is refused with 2."""
    window = ("--from", HOUR[0], "--to", HOUR[1], "--out", incident.folder / "undo")
    asked = ("reverse", "--rule", "bank.x.block", "--version", "2", *window)
    code, said = headgate(incident, *asked, "--json")
    dry = json.loads(said)
    assert (code, dry["dry_run"], dry["corrections"]) == (0, True, len(BY_THE_RULE))
    assert headgate(incident, *asked, "--yes", "0" * 12)[0] == 2
    before = len(incident.decisions())

    code, said = headgate(incident, *asked, "--yes", dry["sha256"], "--json")

    assert (code, json.loads(said)["sent"]) == (0, len(BY_THE_RULE)), said
    assert len(incident.decisions()) == before + len(BY_THE_RULE)

    # The reversal stands now; of what the what-if changes, the rest is still to do.
    what_if = ("replay", "--policy", incident.right, "--apply")
    folder = ("--out", incident.folder / "apply")
    code, said = headgate(incident, *what_if, *folder, "--json")
    manifest = json.loads(said)["manifest"]
    assert (code, manifest["dry_run"]) == (0, True)
    agree = ("--yes", manifest["sha256"][:12])
    code, said = headgate(incident, *what_if, *folder, *agree)
    assert code == 0, said
    assert f"sent: {len(PASSED_WRONGLY)}" in said
    assert f"overtaken: {len(BLOCKED_WRONGLY)}" in said
    assert headgate(incident, "replay", "--apply")[0] == 2
    assert headgate(incident, *what_if, *agree)[0] == 2
