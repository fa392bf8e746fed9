"""A worker judges by the policy in force, from one upload to the next."""

import time
from datetime import UTC, datetime

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, TOPICS
from streams.kafka_tail import tail
from streams.messages import Output
from streams.policy_activation import activation, activation_output
from streams.policy_folder import read_policy_files
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics
from tests.builders import an_event
from tests.integration.worker_process import WorkerProcess

CODEC = Codec(CommittedIds())


def send(bootstrap, *outputs):
    """Write records and wait for them."""
    producer = DeliveringProducer(bootstrap)
    producer.send_all(outputs)
    producer.close()


def activate(bootstrap, folder, version, threshold):
    """Put a policy in force that blocks spam from a threshold on."""
    path = folder / f"{version}.yaml"
    path.write_text(
        f'id: ours\nversion: "{version}"\n'
        f"categories:\n  fraud_spam: {{block: {threshold}}}\n"
    )
    record = activation(read_policy_files(path), datetime.now(UTC))
    send(bootstrap, activation_output(CODEC, record))


def decided(bootstrap, content_id):
    """Wait for the decision on an upload."""
    for record in tail(bootstrap, [DECISION.name], idle_timeout_s=60):
        decision = CODEC.decode(record.value, RiskDecision)
        if decision.content_id == content_id:
            return decision
    raise AssertionError(f"no decision on {content_id}")


def wait_until(seen, within_s=60):
    """Wait for what has to come."""
    deadline_s = time.monotonic() + within_s
    while not seen():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


@pytest.mark.kafka
@pytest.mark.models
@pytest.mark.slow
def test_a_worker_switches_and_says_by_which_it_judged(fresh_kafka, tmp_path):
    """The one it started with, the one that was activated, and after a restart."""
    apply_topics(fresh_kafka, TOPICS, partitions=2)
    settings = {
        "bootstrap_servers": fresh_kafka,
        "media_root": tmp_path,
        "policy_topic": "true",
        "app_id": "switch",
    }
    log = tmp_path / "worker.log"

    def judged(content_id):
        value = CODEC.encode(an_event(content_id, event_time=datetime.now(UTC)))
        send(fresh_kafka, Output(INGESTED.name, content_id.encode(), value))
        return decided(fresh_kafka, content_id)

    with WorkerProcess(log, ("screen", "judge"), **settings) as worker:
        worker.wait_ready()
        assert judged("c1").policy.id == "headgate-default"
        activate(fresh_kafka, tmp_path, "7", 0.0)
        wait_until(lambda: "policy_switched" in log.read_text())
        switched = judged("c2")
        worker.stop()
    log.write_text("")
    with WorkerProcess(log, ("screen", "judge"), **settings) as worker:
        worker.wait_ready()
        after = judged("c3")
        worker.stop()

    assert switched.policy.version == "7"
    assert after.policy == switched.policy
