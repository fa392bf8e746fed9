"""Workers together: apart by stage, joining and leaving.

librdkafka's mock refuses the second aiokafka member of a group (SyncGroup answers
INVALID_REQUEST), so the embedded broker serves one worker for each stage.
"""

import time
import uuid

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, TOPICS
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from tests.builders import an_event
from tests.integration.worker_process import WorkerProcess

pytestmark = [pytest.mark.models, pytest.mark.slow, pytest.mark.timeout(400)]
CODEC = Codec(CommittedIds())


class Stream:
    """A broker with our topics, and a way to send texts and read decisions."""

    def __init__(self, bootstrap, folder, judge_mode="ledger"):
        self.bootstrap, self.folder = bootstrap, folder
        self._producer = DeliveringProducer(bootstrap)
        self._settings = {
            "bootstrap_servers": bootstrap,
            "judge_mode": judge_mode,
            "asr": "sphinx",
            "app_id": f"worker-{uuid.uuid4().hex[:8]}",
            "session_timeout_s": "6",
        }
        apply_topics(bootstrap, TOPICS, partitions=4)

    def worker(self, name, *stages):
        """Start a worker."""
        return WorkerProcess(self.folder / f"{name}.log", stages, **self._settings)

    def send(self, first, count):
        """Write events of distinct uploaders."""
        events = [
            an_event(f"c{n}", uploader_id=f"u{n}", texts=(("title", f"song {n}"),))
            for n in range(first, first + count)
        ]
        self._producer.send_all(
            Output(INGESTED.name, e.content_id.encode(), CODEC.encode(e))
            for e in events
        )

    def wait(self, count, *workers, seconds=120):
        """Wait until that many contents are decided."""
        deadline = time.monotonic() + seconds
        while len(found := self.decided()) < count:
            for worker in workers:
                worker.assert_alive()
            assert time.monotonic() < deadline, f"{len(found)} of {count}"
            time.sleep(1)

    def decided(self):
        """Return the contents that have a final decision."""
        records = tail(self.bootstrap, [DECISION.name], until_end=True)
        return {CODEC.decode(r.value, RiskDecision).content_id for r in records}

    def close(self):
        """Stop sending."""
        self._producer.close()


def test_stages_run_apart(fresh_embedded, tmp_path):
    """One process for the light stages and one for the slow lane do the same job."""
    stream = Stream(fresh_embedded, tmp_path)
    with (
        stream.worker("slow", "transcribe") as slow,
        stream.worker("light", "screen", "judge") as light,
    ):
        stream.send(0, 40)
        stream.wait(40, slow, light)
        assert (light.stop(), slow.stop()) == (0, 0)
    stream.close()


@pytest.mark.kafka
def test_a_worker_joins_and_the_other_leaves_and_nothing_is_lost(fresh_kafka, tmp_path):
    """Partitions move both ways while events keep coming."""
    stream = Stream(fresh_kafka, tmp_path, "transactional")
    with stream.worker("first") as first:
        first.wait_ready()
        stream.send(0, 40)
        with stream.worker("second") as second:
            second.wait_ready()
            stream.send(40, 40)
            stream.wait(60, first, second)
            assert first.stop() == 0
            stream.send(80, 40)
            stream.wait(120, second)
            assert second.stop() == 0
    stream.close()
