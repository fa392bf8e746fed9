"""Facts about whole replays on an embedded broker: capture, heads, cut beginnings."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from schemas.codec import Codec
from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.ids import CommittedIds
from schemas.records import ContentSignals
from schemas.topics import DECISION, INGESTED, SIGNALS, TOPICS, dead_letter_topic
from streams.embedded_broker import EmbeddedBroker
from streams.errors import StartError
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.messages import Output, Record
from streams.pipeline import decide
from streams.producer import DeliveringProducer
from streams.replay.scrub import Scrub
from streams.replaying.capturing import Capturing
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.replaying.topics import plan_topics
from streams.scorers import default_scorers
from streams.settings import default_policy, load_settings
from streams.wire import signals_output
from streams.wiring import WEIGHTS, build_text_risk, read_policy
from tests.integration.decided_signals import uploads
from tests.integration.worker_process import environment_of

CODEC = Codec(CommittedIds())
ASKED = Record(INGESTED.name, 0, 0, 0, None, b"")
LETTERS = dead_letter_topic(SIGNALS.name)


@pytest.fixture(scope="module")
def broker():
    """An embedded broker with decided signals, two of them dead letters."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        sent = uploads(60, seed=3, prefix="x")
        producer.send_all(signals_output(CODEC, SIGNALS.name, s, ASKED) for s in sent)
        producer.send_all([Output(SIGNALS.name, b"busy", b"broken")] * 2)
        producer.send_all(decisions(broker.bootstrap_servers))
        producer.close()
        yield broker.bootstrap_servers


def decisions(bootstrap):
    """Judge what is on the topic, as a worker does; yield its outputs."""
    judge = Judge(default_scorers(build_text_risk()), read_policy(default_policy()))
    histories = {}
    for record in list(tail(bootstrap, [SIGNALS.name], until_end=True)):
        if record.value == b"broken":
            origin = Origin(SIGNALS.name, record.partition, record.offset)
            headers = dead_letter_headers(origin, Failure("judge", "E", "bad"))
            yield Output(
                LETTERS, record.key, record.value, tuple(headers), record.partition
            )
            continue
        upload = CODEC.decode(record.value, ContentSignals)
        word = decide(judge, upload, histories, CODEC.encode)
        if word is not None:
            value = word if isinstance(word, bytes) else CODEC.encode(word)
            key = upload.event.content_id.encode()
            yield Output(DECISION.name, key, value)


@pytest.fixture
def replay(broker, tmp_path):
    """Replay there; return the summary."""

    def run(out="out", bootstrap=broker, **asked):
        settings = load_settings(bootstrap_servers=bootstrap)
        run = open_run(tmp_path / out, Request(**asked), settings, CODEC)
        return run.go(1, lambda _: None, parquet=True)

    return run


def test_a_whole_replay_is_equal_and_a_table_too(broker, replay, tmp_path):
    """Parquet has a row for each line."""
    import pyarrow.parquet as pq

    summary = replay()

    assert summary["equal"], summary
    assert summary["results"]["buried"] == 2
    lines = (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()
    table = pq.read_table(tmp_path / "out" / "decisions.parquet").to_pylist()
    assert len(table) == len(lines) == summary["events"]
    assert table[0]["content_id"] == json.loads(lines[0])["content_id"]
    assert not (tmp_path / "out" / "said").exists()


def test_a_capture_replays_offline_without_people(broker, replay, tmp_path):
    """Equal, with the dead letters' places and nobody's id."""
    access = load_settings(bootstrap_servers=broker).kafka
    plan = plan_topics(access, Request(), CODEC)
    file = tmp_path / "window.jsonl"
    scrub = Scrub(b"salt", with_text=False)

    counts = Capturing(access, plan, CODEC, scrub).write(file)
    summary = replay(bootstrap="127.0.0.1:1", capture=str(file))

    assert counts["dead_letters"] == 2
    assert summary["equal"], summary
    assert summary["results"]["buried"] == 2
    assert summary["results"]["same"] > 50
    assert scrub.id("busy") in (tmp_path / "out" / "decisions.jsonl").read_text()


def test_what_if_with_another_head(broker, replay, tmp_path):
    """The same weights flip nothing; their file is read by path."""
    summary = replay(heads=str(WEIGHTS / "text_risk.safetensors"))

    assert (summary["kind"], summary["flips"]) == ("what_if", 0)


def test_what_cannot_be_read_is_told_before_anything_is_made(broker, replay, tmp_path):
    """A policy, a head, a snapshot, an unknown content; the folder is not made."""
    for asked in (
        {"policy": str(tmp_path / "none.yaml")},
        {"heads": str(tmp_path / "none")},
        {"snapshot": str(tmp_path)},
        {"content": "nobody's"},
        {"start": "2026-01-01T00:00:00Z"},  # The embedded broker knows no times.
    ):
        with pytest.raises(StartError):
            replay(**asked)
    assert not (tmp_path / "out").exists()


def test_a_finished_or_another_run_is_not_gone_on_with(broker, replay):
    """Results are not overwritten."""
    replay()

    with pytest.raises(StartError, match="a finished replay"):
        replay()
    with pytest.raises(StartError, match="another replay"):
        replay(uploader="busy")


def test_a_lost_decision_is_found_missing(broker, replay, tmp_path):
    """A capture without one of its decisions differs there, and only there."""
    access = load_settings(bootstrap_servers=broker).kafka
    plan = plan_topics(access, Request(), CODEC)
    file = tmp_path / "window.jsonl"
    Capturing(access, plan, CODEC, Scrub(b"s", with_text=False)).write(file)
    lines = file.read_text().splitlines(keepends=True)
    lost = next(n for n, x in enumerate(lines) if DECISION.name in x)
    file.write_text("".join([*lines[:lost], *lines[lost + 1 :]]))

    summary = replay(capture=str(file))

    assert not summary["equal"]
    assert summary["results"]["unknown"] == 1
    assert summary["first_difference"]["reason"].startswith("no decision was recorded")


def test_a_cut_beginning_is_not_pretended_away(broker, replay, tmp_path):
    """Where retention took the first signals, histories are said to be inexact."""
    settings = load_settings(bootstrap_servers=broker)
    request = Request()
    run = open_run(tmp_path / "out", request, settings, CODEC)
    longest = max(run.plan.parts, key=lambda part: part.read.length)
    cut = replace(longest, read=replace(longest.read, start=20, low=20), start=20)
    run = replace(run, plan=replace(run.plan, parts=(cut,), warmth="cut"))

    summary = run.go(1, lambda _: None)

    assert not summary["histories_exact"]
    assert summary["histories"].startswith("histories: NOT exact")
    assert summary["decisions_without_signals"] > 0
    assert not summary["equal"]


def headgate(folder, bootstrap, *arguments):
    """Run a command as a person does; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        env=environment_of(folder, bootstrap_servers=bootstrap) | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_people_are_told_in_words(broker, tmp_path):
    """A verdict, and a story with clause, history and today's word."""
    code, said = headgate(tmp_path, broker, "replay", "--out", tmp_path / "out")
    lines = (tmp_path / "out" / "decisions.jsonl").read_text().splitlines()
    content_id = next(
        line["content_id"]
        for line in map(json.loads, lines)
        if line["result"] == "same"
    )
    why, story = headgate(tmp_path, broker, "why", content_id)

    assert (code, why) == (0, 0), said + story
    assert "equal: all" in said
    assert "histories: exact" in said
    for word in ("decided", "history", "policy", "same: the same bytes", "today"):
        assert word in story
