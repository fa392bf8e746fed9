"""Facts about finding campaigns among all uploads, on a real Kafka."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    Action,
    ContentSignals,
    MediaFact,
    RiskDecision,
    Stage,
    SweptEntry,
)
from schemas.topics import DECISION, SIGNALS, TOPICS
from streams.campaign_watch import CampaignWatch
from streams.campaigns import Campaigns
from streams.kafka_tail import tail
from streams.messages import Record
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from streams.topic_reader import TopicReader
from streams.wire import signals_output
from tests.builders import a_text_signal, signals
from tests.fakes import FakeLog
from tests.integration.worker_process import WorkerProcess

CODEC = Codec(CommittedIds())
PARTITIONS = 3
WINDOW = timedelta(days=7)
ASKED = Record("content.ingested.v1", 0, 0, 0, None, b"")
NOW = datetime.now(UTC)


def a_copy(number, **fields):
    """Build the signals of an upload of one file, by a numbered uploader."""
    return signals(
        f"c{number}",
        uploader_id=f"u{number}",
        event_time=NOW - timedelta(minutes=60 - number),
        texts=(a_text_signal(f"title {number}", seed=number),),
        media=(MediaFact("audio", "audio/mpeg", 9, "ab" * 32),),
        **fields,
    )


def send(bootstrap, *uploads):
    """Write signals as `screen` does."""
    producer = DeliveringProducer(bootstrap)
    producer.send_all(
        signals_output(CODEC, SIGNALS.name, upload, ASKED) for upload in uploads
    )
    producer.close()


def told(bootstrap):
    """Return the CAMPAIGN signals on the topic, sorted by content."""
    read = (
        CODEC.decode(record.value, ContentSignals)
        for record in tail(bootstrap, [SIGNALS.name], until_end=True)
    )
    found = [s for s in read if s.stage is Stage.CAMPAIGN]
    return sorted(found, key=lambda s: s.event.content_id)


class Watching:
    """A watch at work over a topic, in the test's own loop."""

    def __init__(self, bootstrap):
        self.producer = DeliveringProducer(bootstrap)
        self.log = FakeLog()
        self.watch = CampaignWatch(
            open_reader=lambda since: TopicReader(
                bootstrap, SIGNALS.name, since, most_records=10_000
            ),
            new_campaigns=lambda: Campaigns(
                window_ms=WINDOW // timedelta(milliseconds=1),
                most_uploads=1000,
                most_members=100,
            ),
            codec=CODEC,
            producer=self.producer,
            window=WINDOW,
            most_uploads=1000,
            log=self.log,
        )

    async def __aenter__(self):
        self.watch.assign([0])
        self._task = asyncio.create_task(self.watch.run())
        await until(lambda: self.log.notes["campaigns_caught_up"] == 1)
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self.producer.close)


async def until(done, timeout_s=60):
    """Wait for a condition."""
    async with asyncio.timeout(timeout_s):
        while not done():
            await asyncio.sleep(0.1)


async def until_told(bootstrap, count):
    """Wait for so many CAMPAIGN signals and return them."""
    found = []
    async with asyncio.timeout(60):
        while len(found) < count:
            await asyncio.sleep(0.3)
            found = await asyncio.to_thread(told, bootstrap)
    return found


@pytest.fixture
def topic(fresh_kafka):
    """Return a broker with the topics, each with three partitions."""
    apply_topics(fresh_kafka, TOPICS, partitions=PARTITIONS)
    return fresh_kafka


@pytest.mark.kafka
def test_members_are_told_once(topic):
    """Across partitions, late ones too, with one id, whatever restarts between."""
    send(topic, *(a_copy(n) for n in range(6)))

    async def scenario():
        async with Watching(topic) as first:
            found = await until_told(topic, 6)
            assert first.log.notes["campaign_found"] == 1
        assert {s.campaign.uploaders for s in found} == {6}
        async with Watching(topic) as second:
            send(topic, a_copy(6))  # It joins what is known from before.
            found = await until_told(topic, 7)
            await asyncio.sleep(1)
            assert second.log.notes["campaign_found"] == 0
        async with Watching(topic):
            await asyncio.sleep(1)

    asyncio.run(scenario())

    found = told(topic)
    assert [s.event.content_id for s in found] == [f"c{n}" for n in range(7)]
    assert len({s.campaign.campaign_id for s in found}) == 1
    assert found[6].campaign.alike == ("file",)


@pytest.mark.kafka
def test_only_who_judges_partition_0_watches(topic):
    """The others read nothing, and let go of what they read."""
    send(topic, *(a_copy(n) for n in range(6)))

    async def scenario():
        async with Watching(topic) as worker:
            await until_told(topic, 6)
            worker.watch.assign([1, 2])
            await asyncio.sleep(1)
            send(topic, a_copy(6))
            await asyncio.sleep(2)
            assert len(told(topic)) == 6
            worker.watch.assign([0, 1])
            await until_told(topic, 7)

    asyncio.run(scenario())


@pytest.mark.kafka
def test_a_member_that_was_swept_is_told_again(topic):
    """With the sweep: a campaign must not lift what a bank entry led to."""
    entries = (SweptEntry("leaks", "e1"),)
    send(topic, *(a_copy(n) for n in range(6)))

    async def scenario():
        async with Watching(topic):
            await until_told(topic, 6)
            send(topic, a_copy(2, stage=Stage.SWEPT, sweep=entries))
            await until_told(topic, 7)
        async with Watching(topic):
            await asyncio.sleep(1)

    asyncio.run(scenario())

    again = [s for s in told(topic) if s.event.content_id == "c2"]
    assert sorted(s.sweep for s in again) == [(), entries]


@pytest.mark.kafka
def test_only_the_newest_revision_is_told(topic):
    """A decision on an old one would become the content's latest word."""
    newer = a_copy(2, revision=1)
    send(topic, a_copy(2), newer, *(a_copy(n) for n in (0, 1, 3, 4, 5)))

    async def scenario():
        async with Watching(topic):
            await until_told(topic, 6)
            await asyncio.sleep(1)

    asyncio.run(scenario())

    found = told(topic)
    assert len(found) == 6
    assert [s.event.revision for s in found if s.event.content_id == "c2"] == [1]


@pytest.mark.kafka
@pytest.mark.models
@pytest.mark.slow
def test_a_worker_decides_again_on_a_campaigns_members(topic, tmp_path):
    """Uploads by several uploaders end as decisions with one campaign id, once."""
    settings = {"bootstrap_servers": topic, "app_id": "campaigns"}

    def worker():
        return WorkerProcess(tmp_path / "worker.log", ("judge",), **settings)

    with worker() as first:
        first.wait_ready()
        send(topic, *(a_copy(n) for n in range(6)))
        before = decisions(topic, 12)
        first.stop()
    (tmp_path / "worker.log").write_text("")
    with worker() as second:
        second.wait_ready()
        send(topic, a_copy(6))
        after = decisions(topic, 14)
        second.stop()

    found = [decision for decision in after if decision.campaign_id]
    assert len(before) == 12
    assert sorted(d.content_id for d in found) == [f"c{n}" for n in range(7)]
    assert len({d.campaign_id for d in found}) == 1
    assert all(d.action in (Action.LIMIT, Action.REVIEW) for d in found)
    superseded = {d.decision_id for d in after if not d.campaign_id}
    assert {d.supersedes for d in found} == superseded


def decisions(bootstrap, count):
    """Return the first decisions, as soon as there are so many."""
    found = []
    records = tail(bootstrap, [DECISION.name], idle_timeout_s=120)
    for record in records:
        found.append(CODEC.decode(record.value, RiskDecision))
        if len(found) == count:
            records.close()
            break
    return found
