"""The matrix by every other way: `assess`, workers, shadow and replay say the same.

Each way judges the uploads of all cases in one go. Counts of brakes are a partition's,
so cases with brakes come one after another, weeks apart: what is counted is then the
same whichever cases share a partition.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from schemas.json_form import record_from_json
from schemas.records import RiskDecision, ShadowDecision
from schemas.topics import DECISION_SHADOW, SIGNALS, TOPICS
from streams.captures import as_capture
from streams.embedded_broker import PARTITIONS, EmbeddedBroker
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.kafka_tail import tail
from streams.messages import Record
from streams.replay.outcome import differing_fields
from streams.topic_admin import apply_topics
from tests.contracts.decision_matrix import (
    CASES,
    CODEC,
    FILES,
    judged,
    last_words,
    said,
    said_by_shadow,
)
from tests.integration.decided_signals import Decided
from tests.integration.worker_process import environment_of

pytestmark = pytest.mark.slow

HEADGATE = "tests.contracts.matrix_headgate"
UPLOADS = [upload for case in CASES for upload in case.uploads]
WORKER = {
    "command": (HEADGATE, "worker"),
    "campaign_days": "0",  # Cases are alike on purpose; a campaign is not theirs.
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    """The matrix's policy as a folder."""
    folder = tmp_path_factory.mktemp("policies") / "matrix"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def headgate(folder, *arguments, **settings):
    """Run the command that scores by what signals state."""
    return subprocess.run(
        [sys.executable, "-m", HEADGATE, *map(str, arguments)],
        env=environment_of(folder, **settings),
        capture_output=True,
        text=True,
        timeout=300,
    )


def otherwise(words):
    """Return the cases whose decision is not the judge's, and in what it differs."""
    return {
        case.name: (differing_fields(judged(case), word), said(word), case.expected)
        for case in CASES
        if (word := words[case.content_id]) != judged(case)
        or said(word) != case.expected
    }


@pytest.mark.models
def test_assess_decides_each_case_alike(policy, tmp_path):
    """All cases are lines of one file of captured signals."""
    file = tmp_path / "signals.jsonl"
    records = (
        Record(SIGNALS.name, 0, n, 0, None, CODEC.encode(upload))
        for n, upload in enumerate(UPLOADS)
    )
    file.write_text("".join(json.dumps(as_capture(r)) + "\n" for r in records))

    done = headgate(tmp_path, "assess", file, policy=policy)

    assert done.returncode == 0, done.stderr
    found = map(json.loads, done.stdout.splitlines())
    words = [record_from_json(line, RiskDecision) for line in found if "action" in line]
    assert len(words) == len(UPLOADS)
    assert otherwise(last_words(words)) == {}


def test_a_worker_on_the_embedded_broker_decides_each_case_alike(policy, tmp_path):
    """Its `judge`, without transactions; records of four partitions."""
    with EmbeddedBroker() as broker:
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=PARTITIONS)
        job = Decided(broker.bootstrap_servers, tmp_path)
        job.send(UPLOADS)
        job.judge(policy, judge_mode="ledger", **WORKER)

        assert otherwise(last_words(job.decisions())) == {}


@pytest.fixture(scope="module")
def decided(policy, tmp_path_factory):
    """All cases on a real Kafka, judged by one worker with its policy as a shadow."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
    with KafkaBroker(jars=fetch_jars()) as broker:
        job = Decided(broker.bootstrap_servers, tmp_path_factory.mktemp("decided"))
        apply_topics(job.bootstrap, TOPICS, partitions=3)
        job.send(UPLOADS)
        job.judge(policy, shadow=f"same={policy}", **WORKER)
        yield job


@pytest.mark.kafka
def test_a_worker_on_kafka_decides_each_case_alike(decided):
    """The decisions that subscribers read, whole."""
    assert otherwise(last_words(decided.decisions())) == {}


@pytest.mark.kafka
def test_a_shadow_of_the_same_policy_says_the_same_of_each_case(decided):
    """But that no limit of a brake holds its rules, for it never acts.

    A second approval it asks for as the live policy does. What the live policy said
    stands beside its word, brakes and all.
    """
    read = tail(decided.bootstrap, [DECISION_SHADOW.name], until_end=True)
    words = [CODEC.decode(record.value, ShadowDecision) for record in read]
    by_live = {word.decision_id: word for word in words}

    assert {
        case.name: (as_told(word), wanted)
        for case in CASES
        if as_told(word := by_live[judged(case).decision_id])
        != (wanted := wanted_of(case))
    } == {}


def as_told(word):
    """Return what a shadow's word says: of itself, of live, and whether alike."""
    told = said_by_shadow(word)
    live = {m.market: m.live_action.lower() for m in word.by_market}
    return (
        (told.action, told.clause, told.fired, told.by_market),
        (word.live_action.lower(), word.live_clause, word.live_rules, live),
        (word.same_degree, word.stage),
    )


def wanted_of(case):
    """Return what a shadow's word must say; without a limit where that is told."""
    live, free = case.expected, case.expected.unlimited or case.expected
    return (
        (free.action, free.clause, free.fired, free.by_market),
        (
            live.action,
            live.clause,
            live.fired,
            {m: live.by_market.get(m, live.action) for m in told_apart(live, free)},
        ),
        (
            (live.action, live.by_market) == (free.action, free.by_market),
            case.uploads[-1].stage,
        ),
    )


def told_apart(*said_of_it):
    """Return the territories that any of them tells apart."""
    return sorted({market for one in said_of_it for market in one.by_market})


@pytest.mark.kafka
def test_replay_from_signals_decides_each_case_alike(decided, policy, tmp_path):
    """The same bytes as live, and by its own words what each case expects.

    What a limit held it takes from the recorded decision; counts are not made again.
    """
    done = headgate(
        *(tmp_path, "replay", "--json", "--topic", "--out", tmp_path / "out"),
        bootstrap_servers=decided.bootstrap,
        policy=policy,
    )

    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    results = summary["results"]
    assert summary["equal"]
    assert results["same"] + results["again"] == len(UPLOADS)
    topic = f"replay.{summary['replay_id']}"
    read = tail(decided.bootstrap, [topic], until_end=True)
    words = last_words([CODEC.decode(record.value, RiskDecision) for record in read])
    for case in CASES:  # Its decisions have ids of their own.
        live = judged(case)
        ids = {"decision_id": live.decision_id, "supersedes": live.supersedes}
        words[case.content_id] = replace(words[case.content_id], **ids)
    assert otherwise(words) == {}
