"""The commands as people run them: a process, its output, its exit code."""

import json
import os
import subprocess
import sys

import pytest

from schemas.topics import TOPICS
from streams.embedded_broker import EmbeddedBroker
from tests.media_builders import a_sound_file

COMMANDS = (
    *("demo", "assess", "transcribe", "worker", "produce", "tail", "broker"),
    *(
        "doctor",
        "topics",
        "explain",
        "eval",
        "tune",
        "train",
        "replay",
        "why",
        "capture",
        "shadow",
    ),
)


def headgate(*arguments, stdin="", **settings):
    """Run the command line and return what it did."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("HEADGATE_")}
    variables = {f"HEADGATE_{name.upper()}": v for name, v in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "streams.cli", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        env=clean | variables | {"NO_COLOR": "1"},
        timeout=300,
    )


@pytest.fixture
def embedded():
    """The address of an embedded broker with our topics."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        yield broker.bootstrap_servers


def lines(result):
    """Return the JSON objects of standard output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command):
    """Nobody has to read the source to use a command."""
    below = {"topics": "apply", "shadow": "report"}
    arguments = [command, *filter(None, [below.get(command)])]
    result = headgate(*arguments, "--help")

    assert result.returncode == 0
    assert "headgate" in result.stdout.replace("Usage: ", "", 1)


def test_a_bad_setting_is_one_sentence():
    """The variable, its value and what was expected; exit code 2, no traceback."""
    result = headgate("doctor", in_flight="many")

    assert result.returncode == 2
    assert "HEADGATE_IN_FLIGHT is 'many'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_broker_that_is_away_is_one_sentence():
    """Commands that need one say where they looked and what to do."""
    result = headgate("topics", "apply", bootstrap_servers="127.0.0.1:9")

    assert result.returncode == 2
    assert "127.0.0.1:9" in result.stderr
    assert "headgate broker" in result.stderr


def test_topics_are_listed_as_json():
    """One object a topic, for machines."""
    rows = lines(headgate("topics", "list", "--json"))

    assert {"content.ingested.v1", "risk.decision.v1"} <= {r["topic"] for r in rows}


def test_an_unknown_topic_is_refused_with_those_there_are():
    """A misspelt topic is not waited for."""
    result = headgate("tail", "risk.decisions", "--until-end")

    assert result.returncode == 2
    assert "risk.decision.v1" in result.stderr


@pytest.mark.models
@pytest.mark.slow
def test_a_worker_without_its_weights_refuses_to_start(embedded):
    """Exit code 2 and one clear sentence: it must not guess what was said."""
    result = headgate(
        "worker",
        bootstrap_servers=embedded,
        judge_mode="ledger",
        asr="whisper:/nowhere/model.pt",
    )

    assert result.returncode == 2
    assert "/nowhere/model.pt" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_a_worker_refuses_a_broker_that_can_not_do_its_mode(embedded):
    """The embedded broker has no transactions; the sentence names the setting."""
    result = headgate("worker", bootstrap_servers=embedded)

    assert result.returncode == 2
    assert "HEADGATE_JUDGE_MODE" in result.stderr


@pytest.mark.models
@pytest.mark.slow
class TestAssess:
    """`headgate assess`, with the real models."""

    def test_decisions_come_in_input_order(self, tmp_path):
        """Each line of input has its line of output; a bad one a dead letter."""
        events = [
            {"content_id": "a", "uploader_id": "u", "kind": "title"},
            {"content_id": "b", "uploader_id": "u", "kind": "nonsense"},
            {
                "content_id": "c",
                "uploader_id": "u",
                "kind": "LYRICS",
                "texts": {"lyrics": "a quiet summer morning by the sea"},
                "event_time": "2026-11-02T14:00:00Z",
            },
        ]
        result = headgate("assess", "-", stdin="\n".join(map(json.dumps, events)))

        first, second, third = lines(result)
        assert result.returncode == 1
        assert (first["content_id"], third["content_id"]) == ("a", "c")
        assert second["dead_letter"]["reason"] == "invalid_event"
        assert third["action"] == "allow"
        assert len(third["categories"]) == 13
        assert third["categories"]["child_safety"]["probability"] is None
        assert third["categories"]["hate"]["probability"] < 0.5

    def test_missing_weights_are_a_missing_signal(self, tmp_path):
        """Sound that nothing can hear leads to a decision that says so."""
        (tmp_path / "song.flac").write_bytes(a_sound_file("flac", 1))
        gone = f"whisper:{tmp_path / 'gone.pt'}"
        result = headgate("assess", tmp_path / "song.flac", asr=gone)

        (line,) = lines(result)
        assert "gone.pt" in result.stderr
        assert line["missing"][0]["signal"] == "transcript:audio"
        assert line["missing"][0]["reason"].startswith("model_unavailable")
        assert line["action"] == "review"


def test_training_without_the_data_names_the_folder(tmp_path):
    """A wrong path is told at once, not after the models are loaded."""
    result = headgate("train", "--data", tmp_path, "--out", tmp_path / "out")

    assert result.returncode == 2
    assert "openai_moderation" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
