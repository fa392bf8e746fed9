"""An incident: for an hour a policy is live with two thresholds wrong.

What it wrongly blocked and let through is known to the test by arithmetic; replay, its
report and `reverse` have to find exactly that, and `--apply` to put it right.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, BankMatch, Category, RiskDecision
from schemas.topics import (
    DECISION,
    DECISION_CURRENT,
    REVIEW_REQUESTED,
    SIGNALS,
    TOPICS,
)
from streams.embedded_broker import EmbeddedBroker
from streams.errors import StartError
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.messages import Output
from streams.pipeline import decide
from streams.producer import DeliveringProducer
from streams.replaying.applying import flips_to_apply
from streams.replaying.correcting import Correcting
from streams.replaying.manifest import (
    agreed_manifest,
    corrections_of,
    write_manifest,
)
from streams.replaying.request import Request
from streams.replaying.reversing import Reversed, corrections, find
from streams.replaying.running import open_run
from streams.replaying.words import Words
from streams.scorers import default_scorers
from streams.settings import load_settings
from streams.wiring import build_text_risk, read_policy
from tests.builders import NOON, signals
from tests.integration.worker_process import environment_of

CODEC = Codec(CommittedIds())
MINUTE_MS = 60_000
NOON_MS = int(NOON.timestamp() * 1000)
UPLOADS = 180  # One a minute from 12:00 on …
WRONG = range(60, 120)  # … and in the second hour judged by the wrong version.
HOUR = ("2026-11-23T13:00:00+00:00", "2026-11-23T14:00:00+00:00")
# A match d bits away is worth 1 - d / 310: thresholds between two distances.
RIGHT_POLICY, WRONG_POLICY = {"x": 0.95, "y": 0.93}, {"x": 0.91, "y": 0.99}


def distance(n: int) -> int:
    """Return how far the n-th upload's match is, in bits; all are met in each hour."""
    return n * 7 % 32


def is_blocked(n: int, policy: dict[str, float]) -> bool:
    """Say what a policy does with the n-th upload; banks take turns."""
    return 1 - 0.1 * distance(n) / 31 >= policy["xy"[n % 2]]


BLOCKED_WRONGLY = {
    f"c{n}"
    for n in WRONG
    if is_blocked(n, WRONG_POLICY) and not is_blocked(n, RIGHT_POLICY)
}
PASSED_WRONGLY = {
    f"c{n}"
    for n in WRONG
    if not is_blocked(n, WRONG_POLICY) and is_blocked(n, RIGHT_POLICY)
}
BY_THE_RULE = {f"c{n}" for n in WRONG if n % 2 == 0 and is_blocked(n, WRONG_POLICY)}


def an_upload(n):
    """Build the n-th upload's signals, a file alike to one of a bank."""
    match = BankMatch(
        "cover", "xy"[n % 2], "e1", Category.IP_INFRINGEMENT, "pdq", distance(n)
    )
    at_s = n * 60.0
    return signals(f"c{n}", uploader_id=f"u{n % 9}", at_s=at_s, matches=(match,))


def a_policy_file(folder: Path, version: str, thresholds: dict[str, float]) -> Path:
    """Write a policy with a blocking threshold a bank."""
    path = folder / f"policy-{version}.yaml"
    lines = [f"id: incident\nversion: '{version}'\nmissing: {{default: allow}}"]
    lines += ["categories: {}", "anomalies: {}", "banks:"]
    lines += [f"  {bank}: {{block: {at}}}" for bank, at in thresholds.items()]
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass
class Incident:
    """A broker with the three hours, and the two versions."""

    bootstrap: str
    folder: Path
    right: Path
    wrong: Path

    @property
    def settings(self):
        """Settings of who looks into it: today's policy is the right one."""
        return load_settings(bootstrap_servers=self.bootstrap, policy=str(self.right))

    def decisions(self, topic=DECISION.name):
        """Return what lies on a topic, in each partition's order."""
        read = tail(self.bootstrap, [topic], until_end=True)
        return [CODEC.decode(record.value, RiskDecision) for record in read]

    def replay(self, out, **asked):
        """Replay everything; return the summary."""
        run = open_run(self.folder / out, Request(**asked), self.settings, CODEC)
        return run.go(1, lambda _: None)

    def reversal(self, rule="bank.x.block", window=HOUR):
        """Return what a dry run of `reverse` finds, and its corrections."""
        found = find(self.settings.kafka, CODEC, Reversed(rule, "2", *window))
        here = read_policy(self.wrong)
        return found, list(corrections(found, rule, {here.sha256: here}))

    def correct(self, made):
        """Send corrections; return what came of it, and how long it waited."""
        made, waited = list(made), []
        words = Words(self.settings.kafka, CODEC, {one.content_id for one in made})
        producer = DeliveringProducer(self.bootstrap)
        sending = Correcting(
            words, CODEC, producer, source="/test", per_s=10, wait=waited.append
        )
        try:
            return sending.run(iter(made)), sum(waited)
        finally:
            producer.close()


@pytest.fixture
def incident(tmp_path):
    """Three hours of uploads on an embedded broker, decided by two versions in turn."""
    policies = tmp_path / "policies"
    policies.mkdir()
    right = a_policy_file(policies, "1", RIGHT_POLICY)
    wrong = a_policy_file(policies, "2", WRONG_POLICY)
    scorers = default_scorers(build_text_risk())
    judges = [Judge(scorers, read_policy(path)) for path in (right, wrong)]
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(_hours(judges))
        producer.close()
        yield Incident(broker.bootstrap_servers, tmp_path, right, wrong)


def _hours(judges):
    histories = {}
    for n in range(UPLOADS):
        upload, time_ms = an_upload(n), NOON_MS + n * MINUTE_MS
        word = decide(judges[n in WRONG], upload, histories, CODEC.encode)
        key, value = upload.event.content_id.encode(), CODEC.encode(word)
        uploader, sent = upload.event.uploader_id.encode(), CODEC.encode(upload)
        yield Output(SIGNALS.name, uploader, sent, timestamp_ms=time_ms)
        for topic in (DECISION.name, DECISION_CURRENT.name):
            yield Output(topic, key, value, timestamp_ms=time_ms)


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


def tell(incident, decision):
    """Say something as a judge does, later than all of it."""
    producer = DeliveringProducer(incident.bootstrap)
    key, value = decision.content_id.encode(), CODEC.encode(decision)
    producer.send_all([Output(DECISION.name, key, value)])
    producer.close()


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
    summary = write_manifest(folder, asked, flips_to_apply(folder))

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


def headgate(incident, *arguments):
    """Run a command as an operator does; return its exit code and what it said."""
    where = {
        "bootstrap_servers": incident.bootstrap,
        "policy": str(incident.right),
    }
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        env=environment_of(incident.folder, **where) | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


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
