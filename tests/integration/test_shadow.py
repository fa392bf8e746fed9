"""Facts about candidates on a real Kafka: one transaction, and a report of it."""

import json
import subprocess
import sys

import pytest

from schemas.records import ShadowDecision
from schemas.topics import DECISION_SHADOW, TOPICS
from streams.kafka_tail import tail
from streams.settings import default_policy
from streams.topic_admin import apply_topics
from tests.integration.decided_signals import CODEC, Decided, uploads
from tests.integration.worker_process import environment_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

CANDIDATE = """
id: candidate
version: "1"
rules:
  - id: all
    owner: t
    clause: c
    when: kind == track
    action: block
"""


def test_candidates_speak_beside_every_live_decision_and_change_none(
    fresh_kafka, tmp_path
):
    """Words name the live decisions; half of the uploaders; the report adds up."""
    apply_topics(fresh_kafka, TOPICS, partitions=3)
    candidate = tmp_path / "candidate.yaml"
    candidate.write_text(CANDIDATE)
    job = Decided(fresh_kafka, tmp_path)
    job.send(uploads(80, seed=1, prefix="c"))
    job.judge(default_policy(), shadow=f"same={default_policy()},tracks={candidate}@50")

    live = {decision.decision_id: decision for decision in job.decisions()}
    read = tail(fresh_kafka, [DECISION_SHADOW.name], until_end=True)
    words = [CODEC.decode(record.value, ShadowDecision) for record in read]
    same = [word for word in words if word.shadow == "same"]
    assert sorted(word.decision_id for word in same) == sorted(live)
    assert all(word.same_degree and word.clause == word.live_clause for word in same)
    for word in words:
        assert word.live_action is live[word.decision_id].action
    asked = {word.uploader_id for word in words if word.shadow == "tracks"}
    assert 0 < len(asked) < len({decision.uploader_id for decision in live.values()})

    said = subprocess.run(
        [sys.executable, "-m", "streams.cli", "shadow", "report", "--json"],
        env=environment_of(tmp_path, bootstrap_servers=fresh_kafka),
        capture_output=True,
        text=True,
        timeout=120,
    )
    reports = {r["shadow"]: r for r in map(json.loads, said.stdout.splitlines())}
    assert (said.returncode, set(reports)) == (0, {"same", "tracks"}), said.stderr
    assert reports["same"]["agreement"]["share"] == 1.0
    final = sum(1 for word in same if word.stage != "SCREENED")
    assert reports["same"]["decisions"] == final
