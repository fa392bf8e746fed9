"""An incident: three hours of uploads, the second judged by a wrong version.

Which uploads it wrongly blocked and let through is known by arithmetic.
"""

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import BankMatch, Category, RiskDecision
from schemas.topics import DECISION, DECISION_CURRENT, INGESTED, SIGNALS, TOPICS
from streams.embedded_broker import EmbeddedBroker
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.messages import Output, Record
from streams.pipeline import decide
from streams.producer import DeliveringProducer
from streams.replaying.asking import ask_why
from streams.replaying.correcting import Correcting
from streams.replaying.request import Request
from streams.replaying.reversing import Reversed, corrections, find
from streams.replaying.running import open_run
from streams.replaying.words import Words
from streams.scorers import default_scorers
from streams.settings import load_settings
from streams.wire import signals_output
from streams.wiring import build_text_risk, read_policy
from tests.builders import NOON, signals
from tests.integration.worker_process import environment_of

CODEC = Codec(CommittedIds())
ASKED = Record(INGESTED.name, 0, 0, 0, None, b"")
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


def a_policy_file(
    folder: Path, version: str, thresholds: dict[str, float], brake: str = ""
) -> Path:
    """Write a policy with a blocking threshold a bank, and a brake on each if given."""
    path = folder / f"policy-{version}.yaml"
    lines = [f"id: incident\nversion: '{version}'\nmissing: {{default: allow}}"]
    lines += ["categories: {}", "anomalies: {}", "banks:"]
    braked = f", brake: {brake}" if brake else ""
    lines += [f"  {b}: {{block: {at}{braked}}}" for b, at in thresholds.items()]
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

    def why(self, content_id):
        """Return the stories of one content."""
        asked = Request(content=content_id)
        return ask_why(content_id, asked, self.settings, CODEC)[1]

    def correct(self, made, source="/test"):
        """Send corrections; return what came of it, and how long it waited."""
        made, waited = list(made), []
        words = Words(self.settings.kafka, CODEC, {one.content_id for one in made})
        producer = DeliveringProducer(self.bootstrap)
        sending = Correcting(
            words, CODEC, producer, source=source, per_s=10, wait=waited.append
        )
        try:
            return sending.run(iter(made)), sum(waited)
        finally:
            producer.close()


@contextmanager
def an_incident(folder):
    """Give three hours on an embedded broker, decided by two versions in turn."""
    policies = folder / "policies"
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
        yield Incident(broker.bootstrap_servers, folder, right, wrong)


def _hours(judges):
    histories = {}
    for n in range(UPLOADS):
        upload, time_ms = an_upload(n), NOON_MS + n * MINUTE_MS
        word = decide(judges[n in WRONG], upload, histories, CODEC.encode)
        key, value = upload.event.content_id.encode(), CODEC.encode(word)
        sent = signals_output(CODEC, SIGNALS.name, upload, ASKED)
        yield replace(sent, timestamp_ms=time_ms)
        for topic in (DECISION.name, DECISION_CURRENT.name):
            yield Output(topic, key, value, timestamp_ms=time_ms)


def tell(incident, decision):
    """Say something as a judge does, later than all of it."""
    producer = DeliveringProducer(incident.bootstrap)
    key, value = decision.content_id.encode(), CODEC.encode(decision)
    producer.send_all([Output(DECISION.name, key, value)])
    producer.close()


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
