"""Brakes on a real Kafka: two workers in turn decide as one judge would."""

from collections import defaultdict

import pytest

from schemas.records import BrakeCount, ContentSignals, RiskDecision
from schemas.topics import BRAKE_STATE, SIGNALS, TOPICS
from streams.brake_records import PARTITION_KEY
from streams.braking import PartitionBrakes
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.pipeline import decide
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.scorers import default_scorers
from streams.settings import load_settings
from streams.topic_admin import apply_topics
from streams.wiring import build_text_risk, read_policy
from tests.integration.decided_signals import CODEC, Decided, uploads

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

POLICY = """
id: braked
version: "1"
owner: me
second_approval: {uploaders: [u3]}
missing: {default: allow}
rules:
  - id: no-videos
    clause: c
    when: kind in [video, title]
    action: block
    brake: {per_hour: 120, per_uploader_per_hour: 3}
"""


@pytest.fixture
def decided(fresh_kafka, tmp_path):
    """Two batches of uploads, each decided by a worker of its own."""
    apply_topics(fresh_kafka, TOPICS, partitions=3)
    job = Decided(fresh_kafka, tmp_path)
    job.policy = tmp_path / "braked.yaml"
    job.policy.write_text(POLICY)
    for prefix in ("first", "second"):
        job.send(uploads(120, seed=len(prefix), prefix=prefix))
        job.judge(job.policy)
    return job


def in_one_go(job):
    """Judge each partition's signals from beginning to end, without any restart."""
    judge = Judge(default_scorers(build_text_risk()), read_policy(job.policy))
    histories = {}
    brakes = defaultdict(lambda: PartitionBrakes(partitions=SIGNALS.partitions))
    for record in job.records():
        upload = CODEC.decode(record.value, ContentSignals)
        hold = brakes[record.partition]
        word = decide(judge, upload, histories, CODEC.encode, hold)
        if word is not None:
            yield word if isinstance(word, bytes) else CODEC.encode(word)


def test_a_second_worker_goes_on_from_the_brakes_of_the_first(decided, tmp_path):
    """Their decisions are those of one judge, and replay gives the same bytes."""
    said = decided.values()

    assert sorted(said) == sorted(in_one_go(decided))
    reasons = {
        held.reason.partition(":")[0]
        for value in said
        for held in CODEC.decode(value, RiskDecision).brakes
    }
    assert {"per_hour", "per_uploader_per_hour", "second_approval"} <= reasons
    counts = {
        CODEC.decode(record.value, BrakeCount).rule_id: record.key.decode()
        for record in tail(decided.bootstrap, [BRAKE_STATE.name], until_end=True)
    }
    assert counts == {"": PARTITION_KEY, "no-videos": "no-videos"}
    settings = load_settings(
        bootstrap_servers=decided.bootstrap, policy=str(decided.policy)
    )
    summary = open_run(tmp_path / "out", Request(), settings, CODEC).go(
        1, lambda _: None, parquet=False
    )
    assert summary["equal"], summary
