"""Replay from the events: uploads are understood again and decided the same."""

import time
import uuid

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.topics import DECISION, INGESTED, TOPICS
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.settings import load_settings
from streams.topic_admin import apply_topics
from tests.integration.understood_events import understood_events
from tests.integration.worker_process import WorkerProcess

pytestmark = [pytest.mark.kafka, pytest.mark.models, pytest.mark.slow]

CODEC = Codec(CommittedIds())


def test_uploads_understood_again_are_decided_the_same(fresh_kafka, tmp_path):
    """Byte for byte, from events and media; an event that is gone is told."""
    apply_topics(fresh_kafka, TOPICS, partitions=2)
    made = understood_events(tmp_path, 24)
    sent = [*made, made[0]]
    producer = DeliveringProducer(fresh_kafka)
    producer.send_all(
        Output(INGESTED.name, e.content_id.encode(), CODEC.encode(e)) for e in sent
    )
    asked = {
        "bootstrap_servers": fresh_kafka,
        "media_root": str(tmp_path),
        "asr": "sphinx",
    }
    with WorkerProcess(
        tmp_path / "worker.log",
        ["screen", "judge"],
        app_id=f"job-{uuid.uuid4().hex[:8]}",
        session_timeout_s="6",
        **asked,
    ) as worker:
        deadline = time.monotonic() + 400
        while len(list(tail(fresh_kafka, [DECISION.name], until_end=True))) < len(sent):
            worker.assert_alive()
            assert time.monotonic() < deadline
            time.sleep(2)
        assert worker.stop() == 0
    producer.close()

    request = Request(from_stage="ingested")
    settings = load_settings(**asked)
    run = open_run(tmp_path / "out", request, settings, CODEC)
    summary = run.go(1, lambda _: None)

    assert summary["equal"], summary
    assert summary["results"] == {"same": 24, "again": 1}
