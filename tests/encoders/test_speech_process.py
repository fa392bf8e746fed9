import os
import subprocess
import sys
import time

import numpy as np
import pytest

from encoders.signals import ModelIdentity, Waveform
from encoders.speech_process import ProcessEngine, SpeechProcessError, _Process
from encoders.windows import Window

pytestmark = pytest.mark.models
IDENTITY = ModelIdentity("speech", "pocketsphinx:en-us", "0" * 64)
SILENCE = Window(Waveform(np.zeros(16_000, np.float32)), 0.0)


@pytest.fixture
def engine():
    """One process behind the port."""
    pytest.importorskip("pocketsphinx")
    return ProcessEngine(IDENTITY, processes=1)


def child_of(engine):
    """Return the running process, leaving it in its place."""
    process = engine._free.get()
    engine._free.put(process)
    return process._child


def test_a_process_that_died_is_replaced(engine):
    """The waveform is tried again in a fresh process."""
    engine.transcribe_windows([SILENCE])
    first = child_of(engine)
    first.kill()
    first.wait()

    assert engine.transcribe_windows([SILENCE])[0].segments == ()
    assert child_of(engine).pid != first.pid


def test_a_waveform_that_kills_twice_is_an_error(engine, monkeypatch):
    """It must not be tried for ever, and the engine goes on with others."""

    def die(self, window):
        raise EOFError

    with monkeypatch.context() as patch:
        patch.setattr(_Process, "transcribe", die)
        with pytest.raises(SpeechProcessError, match="died 2 times"):
            engine.transcribe_windows([SILENCE])
    assert engine.transcribe_windows([SILENCE])[0].segments == ()


def test_decoding_leaves_the_lock_to_others(engine, shared_data):
    """While speech is decoded, other threads of the worker run on."""
    from encoders.audio import decode_audio
    from encoders.media_format import MediaLimits

    data = (shared_data("ljspeech") / "LJ001-0005.flac").read_bytes()
    waveform = decode_audio(data, MediaLimits(10**8, 60)).waveform
    engine.transcribe_windows([SILENCE])  # Started.
    started, gaps, last = time.monotonic(), [], time.monotonic()
    future = engine._threads.submit(engine._transcribe_one, Window(waveform, 0.0))
    while not future.done():
        time.sleep(0.01)
        now = time.monotonic()
        gaps.append(now - last)
        last = now

    assert time.monotonic() - started > 0.5
    assert max(gaps) < 1.0


def test_a_process_ends_with_its_parent(tmp_path):
    """Killed outright, the worker leaves no process behind."""
    pytest.importorskip("pocketsphinx")
    code = (
        "import numpy as np; from encoders.signals import *;"
        "from encoders.speech_process import *;"
        "t = ProcessEngine(ModelIdentity('s', 'n', 'h'), 1);"
        "t.transcribe_windows([Window(Waveform(np.zeros(16000, np.float32)), 0.0)]);"
        "p = t._free.get(); print(p._child.pid, flush=True); import time;"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and is_alive(child):
        time.sleep(0.1)

    assert not is_alive(child)


def is_alive(pid):
    """Tell whether a process still runs; a zombie doesn't."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:
            return file.read().split()[2] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
