"""The main job, end to end: uploads in as Kafka events, decisions out.

On a real Kafka and on the embedded broker, with real models and a real worker process;
and the same uploads through `headgate assess`.
"""

import time
import uuid
from collections import Counter

import pytest

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.ids import CommittedIds
from schemas.json_form import decision_to_json
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, SIGNALS, TOPICS, dead_letter_topic
from streams.assessing import Assessing
from streams.event_files import Source
from streams.kafka_tail import tail
from streams.producer import DeliveringProducer
from streams.retries import RetryBounds
from streams.settings import load_settings
from streams.topic_admin import apply_topics
from streams.wiring import build_pipeline, build_store
from tests.integration.mixed_events import mixed_events
from tests.integration.worker_process import WorkerProcess

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(900)]

CODEC = Codec(CommittedIds())
LETTERS = [t.name for t in TOPICS if t.name.endswith(".dlq")]


class Job:
    """A folder of uploads, a broker, and what came out."""

    def __init__(self, bootstrap, folder, uploads, judge_mode):
        self.bootstrap, self.folder = bootstrap, folder
        self.media, self.mixed = uploads
        self.settings = {
            "bootstrap_servers": bootstrap,
            "judge_mode": judge_mode,
            "media_root": self.media,
            "asr": "sphinx",
            "app_id": f"job-{uuid.uuid4().hex[:8]}",
            "session_timeout_s": "6",
        }

    def worker(self):
        """Start a worker."""
        return WorkerProcess(self.folder / "worker.log", **self.settings)

    def send(self):
        """Write all events."""
        producer = DeliveringProducer(self.bootstrap)
        try:
            return producer.send_all(self.mixed.outputs(CODEC))
        finally:
            producer.close()

    def records(self, *topics):
        """Return what was written to topics."""
        return list(tail(self.bootstrap, topics, until_end=True))

    def decisions(self):
        """Return every decision that was written, as decoded."""
        return [
            CODEC.decode(r.value, RiskDecision) for r in self.records(DECISION.name)
        ]

    def finals(self):
        """Return the final decisions by id; the same id twice must be equal."""
        finals = {}
        for decision in self.decisions():
            if not decision.provisional:
                assert finals.setdefault(decision.decision_id, decision) == decision
        return finals

    def letters(self):
        """Return dead letters by the record they stand for: a crash may repeat one."""
        letters = {}
        for record in self.records(*LETTERS):
            origin, _ = parse_dead_letter(record.headers)
            place = (origin.topic, origin.partition, origin.offset)
            assert letters.setdefault(place, record).value == record.value
        return letters.values()

    def wait(self, worker, until, seconds=400):
        """Wait until that many final decisions and dead letters are there."""
        deadline = time.monotonic() + seconds
        while (done := len(self.finals()) + len(self.letters())) < until:
            worker.assert_alive()
            tell = (self.folder / "worker.log").read_text()[-2000:]
            assert time.monotonic() < deadline, f"{done} of {until} done: {tell}"
            time.sleep(2)

    def assert_complete(self):
        """490 final decisions, 10 dead letters with their original bytes."""
        finals = self.finals().values()
        wanted = {event.content_id for event in self.mixed.events}
        assert Counter(d.content_id for d in finals) == Counter(wanted)
        letters = self.letters()
        assert {r.topic for r in letters} == {dead_letter_topic(INGESTED.name)}
        found = Counter(r.value for r in letters)
        assert found == Counter(self.mixed.broken)


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    """The events and their media, the same for every broker."""
    folder = tmp_path_factory.mktemp("media")
    return folder, mixed_events(folder)


@pytest.fixture(scope="module")
def assess(uploads):
    """What `headgate assess` says of sources, by content; one pipeline for all."""
    settings = load_settings(asr="sphinx", media_root=uploads[0])
    pipeline = build_pipeline(settings, warn=pytest.fail)
    store = build_store(settings)

    def assess(sources):
        assessing = Assessing(pipeline, store, CODEC, RetryBounds(1, 60))
        return {line["content_id"]: word(line) for line in assessing.assess(sources)}

    return assess


@pytest.fixture(scope="module")
def lone(uploads, assess):
    """What `assess` says of every upload whose uploader has no other."""
    events = uploads[1].events
    count = Counter(event.uploader_id for event in events)
    alone = [event for event in events if count[event.uploader_id] == 1]
    return assess([Source(event.content_id, event=event) for event in alone])


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def job(request, uploads, tmp_path):
    """A job on each kind of broker, with its topics made."""
    bootstrap = request.getfixturevalue(f"fresh_{request.param}")
    apply_topics(bootstrap, TOPICS, partitions=4)
    mode = "ledger" if request.param == "embedded" else "transactional"
    return Job(bootstrap, tmp_path, uploads, mode)


def word(decision):
    """Return what a decision says: id, action, probabilities."""
    line = decision if isinstance(decision, dict) else decision_to_json(decision)
    probabilities = {k: v["probability"] for k, v in line["categories"].items()}
    return line["decision_id"], line["action"], probabilities


def test_every_upload_is_decided_and_every_broken_record_kept(job, assess, lone):
    """500 in: 490 final decisions and 10 dead letters; `assess` says the same.

    Of uploaders with one upload from their files; of all from the recorded signals,
    for the two lanes may put an uploader's uploads in another order.
    """
    assert job.send() == 500
    with job.worker() as worker:
        job.wait(worker, 500)
        assert worker.stop() == 0
    job.assert_complete()

    live = {d.content_id: word(d) for d in job.finals().values()}
    assert lone == {content_id: live[content_id] for content_id in lone}
    recorded = job.records(SIGNALS.name)
    assert assess([Source(str(r.offset), signals=r.value) for r in recorded]) == live


@pytest.mark.kafka
def test_a_killed_worker_loses_and_doubles_nothing(fresh_kafka, uploads, tmp_path):
    """Kill -9 in the middle and a new worker: the same counts, each id once."""
    apply_topics(fresh_kafka, TOPICS, partitions=4)
    job = Job(fresh_kafka, tmp_path, uploads, "transactional")
    job.send()
    with job.worker() as first:
        job.wait(first, 100)
        first.kill()
    assert len(job.finals()) < 490
    with job.worker() as second:
        job.wait(second, 500)
        assert second.stop() == 0

    job.assert_complete()
