"""Long sounds as people have them transcribed: bounded memory, and on after a kill."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.long_sound import long_speech, variables

MOST_BYTES = 600_000_000  # Over the process with its models, before any sound.
pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the sandbox is Linux's"
)


@pytest.fixture
def command(tmp_path):
    """Return what starts `headgate transcribe FILE --json` with a counting engine."""

    def start(file, window_ms=0):
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.integration.counting_transcribe"),
                *(tmp_path / "heard.txt", str(window_ms), file, "--json"),
            ],
            env=variables(state_dir=tmp_path / "state"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finished(process):
    """Wait for a process; return the one line that it printed."""
    out, err = process.communicate(timeout=500)
    assert process.returncode == 0, err
    return json.loads(out)


def heard(folder):
    """Return where the windows began that the engine heard, over all runs."""
    log = folder / "heard.txt"
    return log.read_text().split() if log.exists() else []


def speech(shared_data, folder, hours):
    """Write a long file of one utterance after another."""
    utterance = (shared_data("speech_jfk") / "jfk.flac").read_bytes()
    file = folder / "long.ogg"
    file.write_bytes(long_speech(utterance, hours))
    return file


def test_killed_half_way_it_hears_no_window_twice(command, shared_data, tmp_path):
    """And the transcript is the one that a run without a kill gives."""
    file = speech(shared_data, tmp_path, hours=1 / 6)
    killed = command(file, window_ms=300)
    while len(heard(tmp_path)) < 15:
        assert killed.poll() is None, killed.stderr.read()
        time.sleep(0.05)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    before = heard(tmp_path)
    (journal,) = (tmp_path / "state" / "transcripts").iterdir()
    finished_windows = len(journal.read_text().splitlines())
    assert journal.stat().st_mode & 0o777 == 0o600
    assert journal.parent.stat().st_mode & 0o777 == 0o700

    line = finished(command(file))
    again = heard(tmp_path)[len(before) :]

    assert finished_windows >= len(before) - 4  # A batch was at work.
    assert line["recalled_windows"] == finished_windows
    assert len(again) == len(set(before + again)) - finished_windows
    assert not journal.exists()
    whole = finished(command(file))
    assert whole["recalled_windows"] == 0
    assert whole["segments"] == line["segments"]
    assert len(whole["segments"]) >= 25


@pytest.mark.parametrize(
    "hours",
    [1 / 6, pytest.param(3, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
    ids=["10 min", "3 h"],
)
def test_memory_does_not_grow_with_the_sound(command, shared_data, tmp_path, hours):
    """Ten minutes or three hours: the compressed bytes and a few windows are held."""
    file = speech(shared_data, tmp_path, hours)
    line = finished(command(file))
    idle, peak = map(int, (tmp_path / "heard.rss").read_text().split())

    assert line["duration_s"] == pytest.approx(hours * 3600, rel=0.01)
    assert line["truncated"] is None
    assert peak - idle < MOST_BYTES
