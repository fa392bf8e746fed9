"""Facts about sweeping the past for a new bank entry, on a real Kafka."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from PIL import Image

from encoders.bank_entries import KnownHash
from encoders.hashing import sha256_hex
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    Action,
    BankEntry,
    BankMatch,
    Category,
    ContentSignals,
    MediaHash,
    MediaRef,
    RiskDecision,
    Stage,
)
from schemas.topics import DECISION, INGESTED, SIGNALS, TOPICS
from streams.bank_topic import entry_output
from streams.kafka_tail import tail
from streams.messages import Output, Record
from streams.partition_reader import PartitionReader
from streams.producer import DeliveringProducer
from streams.sweeper import Sweeper
from streams.topic_admin import apply_topics
from streams.wire import signals_output
from tests.builders import a_text_signal, an_event, signals
from tests.fakes import FakeLog
from tests.integration.worker_process import WorkerProcess

CODEC = Codec(CommittedIds())
PARTITIONS = 2
ASKED = Record("content.ingested.v1", 0, 0, 0, None, b"")


def a_hash(number: int) -> MediaHash:
    """Build the sha256 of a cover."""
    return MediaHash("cover", "sha256", f"{number:064x}")


@dataclass
class Banks:
    """Banks that know covers by number."""

    known: set[int] = field(default_factory=set)

    def __call__(self, hashes):
        """Find the covers that are known."""
        return [
            BankMatch("cover", "takedowns", f"e{n}", Category.PRIVACY, "sha256", 0)
            for n in sorted(self.known)
            if a_hash(n) in hashes
        ]


class Swept:
    """A sweeper at work over a topic, in the test's own loop."""

    def __init__(self, bootstrap, banks):
        self.producer = DeliveringProducer(bootstrap)
        self.log = FakeLog()
        self.sweeper = Sweeper(
            open_reader=partial(PartitionReader, bootstrap, SIGNALS.name),
            codec=CODEC,
            producer=self.producer,
            matches=banks,
            window=timedelta(days=90),
            most_hashes=1000,
            log=self.log,
        )

    async def __aenter__(self):
        self.sweeper.assign(range(PARTITIONS))
        self._task = asyncio.create_task(self.sweeper.run())
        await until(lambda: self.log.notes["sweep_caught_up"] == PARTITIONS)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self.producer.close)

    def learn(self, banks, number):
        """Let the banks know a cover, as their follower does."""
        banks.known.add(number)
        value = a_hash(number).value
        self.sweeper.hear([KnownHash(f"e{number}", "sha256", value, "PRIVACY")])


async def until(done, timeout_s=20):
    """Wait for a condition."""
    async with asyncio.timeout(timeout_s):
        while not done():
            await asyncio.sleep(0.05)


def send(bootstrap, *numbers):
    """Write the signals of uploads with these covers, as `screen` does."""
    producer = DeliveringProducer(bootstrap)
    producer.send_all(
        signals_output(CODEC, SIGNALS.name, an_upload(n), ASKED) for n in numbers
    )
    producer.close()


def an_upload(number):
    """Build the signals of an upload, by a numbered uploader."""
    return signals(
        f"c{number}",
        uploader_id=f"u{number}",
        event_time=datetime.now(UTC),
        texts=(a_text_signal(),),
        hashes=(a_hash(number),),
    )


def swept(bootstrap):
    """Return the SWEPT signals on the topic: content id and entries."""
    read = (
        CODEC.decode(record.value, ContentSignals)
        for record in tail(bootstrap, [SIGNALS.name], until_end=True)
    )
    return sorted(
        (s.event.content_id, *(entry.entry_id for entry in s.sweep))
        for s in read
        if s.stage is Stage.SWEPT
    )


@pytest.fixture
def topic(fresh_kafka):
    """Return a broker with the topics, each with two partitions."""
    apply_topics(fresh_kafka, TOPICS, partitions=PARTITIONS)
    return fresh_kafka


@pytest.mark.kafka
def test_a_new_entry_finds_what_was_seen_before(topic):
    """Once for each upload, at whatever moment the entry and the worker come."""
    banks = Banks()
    send(topic, *range(50))

    async def scenario():
        async with Swept(topic, banks) as worker:
            worker.learn(banks, 7)
            await until(lambda: worker.log.notes["swept"] == 1)
            # Screened before the entry was known, judged after it.
            banks.known.add(60)
            send(topic, 60, 61)
            await until(lambda: worker.log.notes["swept"] == 2)
        assert swept(topic) == [("c60", "e60"), ("c7", "e7")]
        banks.known.add(8)  # While no worker is there to hear of it.
        async with Swept(topic, banks) as worker:
            await until(lambda: worker.log.notes["swept"] == 1)
            await asyncio.sleep(1)

    asyncio.run(scenario())

    assert swept(topic) == [("c60", "e60"), ("c7", "e7"), ("c8", "e8")]


@pytest.mark.kafka
def test_nothing_is_swept_before_all_was_read(topic):
    """What was swept stands far behind the upload: a restart reads up to it first."""
    banks = Banks()
    send(topic, *range(1500))  # Several reads of each partition.

    async def scenario():
        async with Swept(topic, banks) as worker:
            worker.learn(banks, 0)
            await until(lambda: worker.log.notes["swept"] == 1)
        async with Swept(topic, banks) as worker:
            worker.learn(banks, 1499)
            await until(lambda: worker.log.notes["swept"] == 1)

    asyncio.run(scenario())

    assert swept(topic) == [("c0", "e0"), ("c1499", "e1499")]


@pytest.mark.kafka
def test_partitions_are_let_go_and_taken(topic):
    """What moved to another worker is not swept here."""
    banks = Banks()
    send(topic, *range(20))

    async def scenario():
        async with Swept(topic, banks) as worker:
            worker.sweeper.assign([])
            await asyncio.sleep(1)
            for number in range(20):
                worker.learn(banks, number)
            await asyncio.sleep(1)
            assert swept(topic) == []
            worker.sweeper.assign([0, 1])
            await until(lambda: worker.log.notes["swept"] == 20)

    asyncio.run(scenario())

    assert len(swept(topic)) == 20


@pytest.mark.kafka
@pytest.mark.models
@pytest.mark.slow
def test_a_worker_decides_again_on_what_a_new_entry_finds(topic, tmp_path):
    """From the operator's entry to the decision, through a worker's restart."""
    (tmp_path / "media").mkdir()
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "media" / "cover.png")
    sha256 = sha256_hex((tmp_path / "media" / "cover.png").read_bytes())
    settings = {
        "bootstrap_servers": topic,
        "media_root": tmp_path / "media",
        "bank_topic": "true",
        "app_id": "sweep",
    }
    entry = BankEntry("leaks", "album-1", "sha256", sha256, Category.IP_INFRINGEMENT)

    def worker():
        stages = ("screen", "judge")
        return WorkerProcess(tmp_path / "worker.log", stages, **settings)

    with worker() as first:
        first.wait_ready()
        event = an_event(
            "c1",
            media=(MediaRef("cover", f"file://{tmp_path}/media/cover.png"),),
            event_time=datetime.now(UTC),
        )
        write(topic, Output(INGESTED.name, b"c1", CODEC.encode(event)))
        (before,) = decisions(topic, 1)
        write(topic, entry_output(CODEC, entry))
        _, swept = decisions(topic, 2)
        first.stop()
    (tmp_path / "worker.log").write_text("")
    with worker() as second:
        second.wait_ready()
        write(topic, Output(INGESTED.name, b"c2", CODEC.encode(an_event("c2"))))
        *_, last = decisions(topic, 3)
        second.stop()

    assert (before.action, swept.action) == (Action.ALLOW, Action.BLOCK)
    assert swept.supersedes == before.decision_id
    evidence = [e for category in swept.categories for e in category.evidence]
    assert any("album-1" in one.reason for one in evidence)
    assert last.content_id == "c2"  # Nothing was swept again.


def write(bootstrap, *outputs):
    """Write records and wait for them."""
    producer = DeliveringProducer(bootstrap)
    producer.send_all(outputs)
    producer.close()


def decisions(bootstrap, count):
    """Return the first final decisions, as soon as there are so many."""
    found = []
    records = tail(bootstrap, [DECISION.name], idle_timeout_s=60)
    for record in records:
        found.append(CODEC.decode(record.value, RiskDecision))
        if len(found) == count:
            records.close()
            break
    return found
