"""Facts about replay on a real Kafka: what was decided is decided again, untouched."""

import base64
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest

from schemas.records import ContentSignals, RiskDecision, Stage
from schemas.topics import SIGNALS, TOPICS
from streams.judge import Judge
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.kafka_tail import tail
from streams.pipeline import decide
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.scorers import default_scorers
from streams.settings import default_policy, load_settings
from streams.topic_admin import apply_topics
from streams.wiring import build_text_risk, read_policy
from tests.integration.decided_signals import CODEC, Decided, uploads
from tests.integration.worker_process import environment_of

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

LENIENT = ("velocity: {limit: 0.8, review: 0.9,", "velocity: {limit: 0.1, block: 0.2,")


@pytest.fixture(scope="module")
def decided(tmp_path_factory):
    """Two batches of uploads on three partitions, the second under another policy."""
    folder = tmp_path_factory.mktemp("decided")
    strict = shutil.copytree(default_policy(), folder / "strict")
    shutil.rmtree(strict / "tests")  # They are of the other.
    thresholds = strict / "thresholds.yaml"
    lines = thresholds.read_text()
    assert LENIENT[0] in lines
    thresholds.write_text(lines.replace(*LENIENT))
    with KafkaBroker(jars=fetch_jars()) as broker:
        apply_topics(broker.bootstrap_servers, TOPICS, partitions=3)
        job = Decided(broker.bootstrap_servers, folder)
        first = uploads(120, seed=1, prefix="first")
        job.send(first, broken=2)
        job.judge(default_policy())
        job.strict = strict
        job.second_at = time.time()
        job.send([*uploads(100, seed=2, prefix="second"), first[-1]])
        job.judge(strict)
        yield job


@pytest.fixture
def replay(decided, tmp_path):
    """Replay on that broker in processes of this one; return the summary."""

    def run(out="out", **asked):
        settings = load_settings(bootstrap_servers=decided.bootstrap)
        request = Request(**{"known_policies": (str(decided.strict),), **asked})
        run = open_run(tmp_path / out, request, settings, CODEC)
        return run.go(2, lambda _: None, parquet=True)

    return run


def headgate_replay(folder, bootstrap, *arguments, stop_when=None):
    """Run the command; return its exit code, summary and complaint."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "streams.cli", "replay", "--json"),
            *("--processes", "2", *map(str, arguments)),
        ],
        env=environment_of(folder, bootstrap_servers=bootstrap),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while stop_when and not stop_when() and process.poll() is None:
        time.sleep(0.01)
    if stop_when:
        process.send_signal(signal.SIGINT)
    said, complaint = process.communicate(timeout=300)
    return process.returncode, json.loads(said or "null"), complaint


def groups(bootstrap):
    """Return the consumer groups of a broker."""
    from confluent_kafka.admin import AdminClient

    listed = AdminClient({"bootstrap.servers": bootstrap}).list_consumer_groups()
    return {group.group_id for group in listed.result(10).valid}


def lines(folder, name="decisions.jsonl"):
    """Return a result file's lines."""
    return [json.loads(line) for line in (folder / name).read_text().splitlines()]


def test_every_decision_is_decided_again_byte_for_byte(decided, tmp_path):
    """Under two policies, with holds, sweeps, repeats and dead letters among them."""
    before = decided.bounds(), groups(decided.bootstrap)

    code, summary, complaint = headgate_replay(
        *(tmp_path, decided.bootstrap, "--known-policy", decided.strict),
        *("--out", tmp_path / "out"),
    )

    assert (code, summary and summary["equal"]) == (0, True), (summary, complaint)
    results = summary["results"]
    assert results["same"] + results["again"] == len(decided.sent)
    assert results["same"] == len({d.decision_id for d in decided.decisions()})
    assert results["buried"] == 2
    assert summary["histories_exact"]
    assert summary["decisions_without_signals"] == 0
    stages = Counter(line["stage"] for line in lines(tmp_path / "out"))
    assert min(stages[s] for s in ("screened", "complete", "swept")) > 10
    assert (decided.bounds(), groups(decided.bootstrap)) == before


def test_a_policy_that_is_not_here_is_named(decided, replay):
    """The first decision under it is the first difference; all before are equal."""
    summary = replay(known_policies=())

    assert not summary["equal"]
    sha256 = read_policy(decided.strict).sha256
    assert summary["reasons"] == {
        f"policy {sha256[:12]}… is not here": summary["results"]["different"]
    }
    first = summary["first_difference"]
    assert first["time_ms"] >= decided.second_at * 1000
    assert first["content_id"].startswith("second-")


def test_a_window_begins_with_the_histories_of_its_time(decided, replay, tmp_path):
    """The second hour alone is equal too; what came before was learned, not judged."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(decided.second_at))

    summary = replay(start=at)

    assert summary["equal"], summary
    assert summary["warmed"] > 100
    assert {x["content_id"][0] for x in lines(tmp_path / "out")} <= {"f", "s"}
    assert summary["events"] + summary["warmed"] >= len(decided.sent)


def test_a_snapshot_saves_the_way(decided, replay, tmp_path):
    """A replay up to a time, and one from there with its histories, are equal."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(decided.second_at))
    replay(out="first", end=at)

    summary = replay(out="second", start=at, snapshot=str(tmp_path / "first"))

    assert summary["equal"], summary
    assert summary["warmed"] == 0
    both = [*lines(tmp_path / "first"), *lines(tmp_path / "second")]
    assert sum(line["result"] in ("same", "again") for line in both) == len(
        decided.sent
    )


def test_what_if_finds_the_flips_that_brute_force_finds(decided, replay, tmp_path):
    """Exactly those uploads, with the action then and now."""
    summary = replay(policy=str(decided.strict))

    found = {
        (
            x["content_id"],
            x["revision"],
            x["stage"],
            x["then"]["action"],
            x["now"]["action"],
        )
        for x in lines(tmp_path / "out", "flips.jsonl")
    }
    assert found == brute_force_flips(decided)
    assert summary["flips"] == len(found) > 0
    assert sum(summary["clauses"].values()) == summary["flips"]
    flip = lines(tmp_path / "out", "flips.jsonl")[0]
    assert flip["now"]["anomalies"]


def brute_force_flips(decided):
    """Judge all signals by the candidate in memory; compare with the first word."""
    judge = Judge(default_scorers(build_text_risk()), read_policy(decided.strict))
    first_words = {}
    for decision in decided.decisions():
        first_words.setdefault(decision.decision_id, decision)
    histories, flips = {}, set()
    for record in decided.records():
        if not record.value or record.value.startswith(b"\x00no"):
            continue
        upload = CODEC.decode(record.value, ContentSignals)
        word = decide(judge, upload, histories, CODEC.encode)
        if not isinstance(word, RiskDecision):
            continue
        then = said_then(first_words, upload)
        if then.action is not word.action:
            flips.add(
                (
                    upload.event.content_id,
                    upload.event.revision,
                    upload.stage.lower(),
                    then.action.lower(),
                    word.action.lower(),
                )
            )
    return flips


def said_then(words, upload):
    """Find the recorded decision by what it says of itself, not by its id."""
    (found,) = [
        d
        for d in words.values()
        if (d.content_id, d.revision)
        == (upload.event.content_id, upload.event.revision)
        and d.provisional == (upload.stage is Stage.SCREENED)
        and is_swept(d) == (upload.stage is Stage.SWEPT)
    ]
    return found


def is_swept(decision):
    """Tell a sweep's decision: it names the entry."""
    return any("takedowns" in e.reason for c in decision.categories for e in c.evidence)


def test_stopped_and_gone_on_it_gives_the_same(decided, replay, tmp_path):
    """Interrupted once it has begun, the results are the same bytes."""
    replay(out="whole")
    begun = tmp_path / "parts" / "said"  # Early: all of it takes a second.
    arguments = (
        *(tmp_path, decided.bootstrap, "--known-policy", decided.strict),
        *("--out", tmp_path / "parts"),
    )

    code, _, complaint = headgate_replay(
        *arguments, stop_when=lambda: any(begun.glob("*.sqlite"))
    )
    finished = (tmp_path / "parts" / "summary.json").exists()
    again, _, _ = headgate_replay(*arguments)

    assert (code, finished, again) == (130, False, 0), complaint
    assert "goes on" in complaint
    for name in ("decisions.jsonl", "flips.jsonl"):
        whole = (tmp_path / "whole" / name).read_bytes()
        assert (tmp_path / "parts" / name).read_bytes() == whole


def test_decisions_can_go_to_a_topic_of_their_own(decided, replay):
    """With ids of their own and the replay's id; nothing else is written."""
    before = decided.bounds()

    summary = replay(policy=str(decided.strict), topic=True)

    topic = f"replay.{summary['replay_id']}"
    found = list(tail(decided.bootstrap, [topic], until_end=True))
    written = [CODEC.decode(record.value, RiskDecision) for record in found]
    assert len(written) == summary["events"] - summary["results"]["buried"]
    theirs = {decision.decision_id for decision in decided.decisions()}
    assert not theirs & {decision.decision_id for decision in written}
    assert {dict(r.headers)["replay_id"].decode() for r in found} == {
        summary["replay_id"]
    }
    assert decided.bounds() == before


def test_one_uploader_is_replayed_alone(decided, replay, tmp_path):
    """Only their records are read and judged, and they are equal."""
    summary = replay(uploader="busy")

    sent = [s for s in decided.sent if s.event.uploader_id == "busy"]
    assert summary["equal"], summary
    assert summary["results"]["same"] + summary["results"]["again"] == len(sent)


def test_one_content_is_replayed_alone(decided, replay, tmp_path):
    """Its uploader's other uploads are learned on the way."""
    wanted = decided.sent[60].event.content_id

    summary = replay(content=wanted)

    assert summary["equal"], summary
    assert {x["content_id"] for x in lines(tmp_path / "out")} == {wanted}


def headgate(decided, folder, *arguments):
    """Run another command; return its exit code and JSON lines."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        env=environment_of(folder, bootstrap_servers=decided.bootstrap),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_why_tells_the_story_of_one_upload(decided, tmp_path):
    """Event, findings, history then, decision and today's word, for each judgement."""
    wanted = next(s for s in decided.sent[80:] if s.provisional_sent)
    content_id = wanted.event.content_id

    code, stories = headgate(
        *(decided, tmp_path, "why", content_id, "--json"),
        *("--known-policy", decided.strict),
    )

    said = [d for d in decided.decisions() if d.content_id == content_id]
    assert code == 0, stories
    assert {s["decision"]["decision_id"] for s in stories} == {
        d.decision_id for d in said
    }
    assert [s["stage"] for s in stories[:2]] == ["screened", "complete"]
    assert stories[1]["event"]["content_id"] == content_id
    assert stories[1]["today"]["policy_sha256"] == read_policy(default_policy()).sha256
    before = stories[1]["history"]
    assert before["uploader_id"] == wanted.event.uploader_id
    assert before["uploads"] < sum(
        s.event.uploader_id == wanted.event.uploader_id for s in decided.sent
    )


def test_a_capture_replays_offline_without_people(decided, tmp_path):
    """Equal decisions with no broker; no id and no text is left in the file."""
    file = tmp_path / "window.jsonl"
    code, (counts,) = headgate(
        *(decided, tmp_path, "capture", "--json", "--out", file, "--salt", "s")
    )
    assert (code, counts["signals"]) == (0, len(decided.sent))

    offline, (summary,) = headgate(
        replace(decided, bootstrap="127.0.0.1:1"),
        *(tmp_path, "replay", "--json", "--capture", file, "--out", tmp_path / "out"),
        *("--known-policy", decided.strict),
    )

    assert (offline, summary["equal"]) == (0, True), summary
    results = summary["results"]
    assert results["same"] + results["again"] == len(decided.sent)
    assert results["buried"] == 2
    said = file.read_text()
    values = [json.loads(line).get("value_base64") for line in said.splitlines()]
    plain = b"".join(base64.b64decode(value) for value in values if value)
    for secret in (b"some words", b"busy", b"first-", b"second-"):
        assert secret not in plain
    keys = [json.loads(line).get("key_base64") for line in said.splitlines()]
    assert b"busy" not in b"".join(base64.b64decode(key) for key in keys if key)


def test_what_is_not_judged_yet_is_told(decided, replay, tmp_path):
    """Signals without a decision are a difference that says so."""
    assert SIGNALS.name  # The last test: it changes what is on the topic.
    decided.send(uploads(3, seed=9, prefix="new"))

    summary = replay()

    assert not summary["equal"]
    assert summary["results"]["unknown"] >= 3
    assert summary["first_difference"]["reason"].startswith("no decision was recorded")
