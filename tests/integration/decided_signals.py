"""Signals of every kind on a Kafka, decided by real `judge` workers in turn."""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    BankMatch,
    Category,
    ContentSignals,
    Kind,
    Missing,
    ModelUse,
    RiskDecision,
    Stage,
)
from schemas.topics import DECISION, SIGNALS, TOPICS, dead_letter_topic
from streams.kafka_tail import tail
from streams.messages import Output, Record
from streams.producer import DeliveringProducer
from streams.sweep import swept
from streams.wire import signals_output
from streams.wiring import build_text_risk
from tests.builders import a_text_signal, signals
from tests.integration.worker_process import WorkerProcess

CODEC = Codec(CommittedIds())
ASKED = Record("content.ingested.v1", 0, 0, 0, None, b"")
TEXT_MODEL = ModelUse("text", "fake", build_text_risk()._head.encoder_sha256)
KINDS = (Kind.TRACK, Kind.TITLE, Kind.VIDEO)
BROKEN = b"\x00no signals"


@dataclass
class Decided:
    """A broker, what was sent to it, and the folder of its workers."""

    bootstrap: str
    folder: Path
    sent: list[ContentSignals] = field(default_factory=list)
    answers: int = 0  # How many records on risk.decision.v1 are waited for.
    letters: int = 0

    def send(self, uploads: list[ContentSignals], broken: int = 0) -> None:
        """Write signals as `screen` does, and some bytes that are none."""
        producer = DeliveringProducer(self.bootstrap)
        outputs = [signals_output(CODEC, SIGNALS.name, s, ASKED) for s in uploads]
        outputs += [Output(SIGNALS.name, b"broken", BROKEN)] * broken
        producer.send_all(outputs)
        producer.close()
        self.sent += uploads
        self.answers += len(uploads)
        self.letters += broken

    def worker(
        self, policy: Path, stages: Sequence[str] = ("judge",), **settings: str
    ) -> WorkerProcess:
        """Start a worker that judges by a policy."""
        return WorkerProcess(
            self.folder / "worker.log",
            list(stages),
            bootstrap_servers=self.bootstrap,
            policy=str(policy),
            app_id="decided",
            session_timeout_s="6",
            **settings,
        )

    def judge(self, policy: Path, **settings: str) -> None:
        """Run a worker by a policy until everything is decided."""
        with self.worker(policy, **settings) as worker:
            deadline = time.monotonic() + 300
            while self._undecided():
                worker.assert_alive()
                assert time.monotonic() < deadline, "not decided in time"
                time.sleep(1)
            assert worker.stop() == 0

    def values(self) -> list[bytes]:
        """Return what lies on risk.decision.v1."""
        read = tail(self.bootstrap, [DECISION.name], until_end=True)
        return [record.value or b"" for record in read]

    def decisions(self) -> list[RiskDecision]:
        """Return the same, decoded."""
        return [CODEC.decode(value, RiskDecision) for value in self.values()]

    def records(self) -> list[Record]:
        """Return the signals as they lie on their topic."""
        return list(tail(self.bootstrap, [SIGNALS.name], until_end=True))

    def bounds(self) -> dict[tuple[str, int], tuple[int, int]]:
        """Return the first and last offsets of every partition of every topic."""
        reader = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "bounds"})
        found = {}
        for topic in (topic.name for topic in TOPICS):
            for number in reader.list_topics(topic).topics[topic].partitions:
                place = TopicPartition(topic, number)
                found[topic, number] = reader.get_watermark_offsets(place, timeout=10)
        reader.close()
        return found

    def _undecided(self) -> bool:
        buried = tail(self.bootstrap, [dead_letter_topic(SIGNALS.name)], until_end=True)
        return len(self.values()) < self.answers or len(list(buried)) < self.letters


def uploads(
    count: int, seed: int, prefix: str, uploaders: int = 30
) -> list[ContentSignals]:
    """Make uploads of so many: bursts, late ones, revisions, holds, sweeps."""
    rng = random.Random(seed)
    return [s for n in range(count) for s in _upload(n, rng, prefix, uploaders)]


def _upload(
    n: int, rng: random.Random, prefix: str, uploaders: int
) -> Iterator[ContentSignals]:
    busy = rng.random() < 9 / uploaders
    whole = signals(
        f"{prefix}-{n}",
        uploader_id="busy" if busy else f"u{rng.randrange(uploaders)}",
        kind=rng.choice(KINDS),
        at_s=n * 20 - rng.choice((0, 0, 0, 7200)),
        texts=(a_text_signal("some words", seed=rng.randrange(4) if busy else n),),
        models=(TEXT_MODEL,),
        missing=(Missing("hash:cover", "not_found"),) if rng.random() < 0.1 else (),
    )
    if rng.random() < 0.15:
        yield replace(whole, stage=Stage.SCREENED, provisional_sent=True)
        whole = replace(whole, provisional_sent=True)
    yield whole
    if rng.random() < 0.1:
        yield whole  # Delivered twice.
    if rng.random() < 0.1:
        yield replace(whole, event=replace(whole.event, revision=1))
    if rng.random() < 0.1:
        match = BankMatch("cover", "takedowns", f"e{n}", Category.PRIVACY, "pdq", 4)
        yield swept(whole, [match])
