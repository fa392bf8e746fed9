"""Runs PocketSphinx in processes of its own: it holds Python's lock while it decodes.

Behind `speech`. In the worker's own process the lock starved the Kafka heartbeat, and
the group took the worker for dead. A process ends when its parent does, however that
ends, because its standard input does.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from typing import IO, Final

import numpy as np

from encoders.signals import (
    GatedSpeech,
    ModelIdentity,
    SpeechResult,
    SpeechSegment,
    Waveform,
)
from encoders.windows import Window

_LENGTH: Final = struct.Struct("<Q")  # Before each message: its bytes.
_START: Final = struct.Struct("<d")  # Before a window's samples: its place, in seconds.
_MOST_PROCESSES: Final = 4  # Each takes 150 MB; more cores are better used by Whisper.
_TRIES: Final = 2  # The second in a fresh process: the first may have died of old age.


class SpeechProcessError(RuntimeError):
    """The process died of this window, twice."""


class _Process:
    """One recogniser on the other end of a pipe."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "encoders.speech_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def transcribe(self, window: Window) -> SpeechResult:
        """Send samples, wait for the result; EOFError when the process died."""
        child_in, child_out = self._child.stdin, self._child.stdout
        assert child_in is not None
        assert child_out is not None
        samples = window.waveform.samples.astype("<f4").tobytes()
        try:
            _write(child_in, _START.pack(window.start_s) + samples)
        except BrokenPipeError as error:
            raise EOFError from error
        answer = json.loads(_read(child_out))
        return SpeechResult(
            answer["language"],
            tuple(SpeechSegment(**segment) for segment in answer["segments"]),
            tuple(GatedSpeech(**gated) for gated in answer["gated"]),
        )

    def end(self) -> None:
        """Let the process finish."""
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(BrokenPipeError):  # It died with a message on its way.
                assert pipe is not None
                pipe.close()
        self._child.wait()


class ProcessEngine:
    """A `SpeechEngine` whose windows are decoded side by side."""

    def __init__(self, identity: ModelIdentity, processes: int | None = None) -> None:
        count = processes or min(os.cpu_count() or 1, _MOST_PROCESSES)
        self._identity = identity
        self._free: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(count):
            self._free.put(None)  # Started when first needed.
        self._threads = ThreadPoolExecutor(count, "speech-process")
        weakref.finalize(self, _end_all, self._free, count)

    @property
    def model(self) -> ModelIdentity:
        """See `SpeechEngine`."""
        return self._identity

    def transcribe_windows(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """See `SpeechEngine`.

        Raises:
            SpeechProcessError: a window killed its process twice.
        """
        return list(self._threads.map(self._transcribe_one, windows))

    def _transcribe_one(self, window: Window) -> SpeechResult:
        process = self._free.get()
        try:
            for _ in range(_TRIES):
                process = process or _Process()
                try:
                    return process.transcribe(window)
                except EOFError:
                    process.end()
                    process = None
            raise SpeechProcessError(
                f"speech recognition died {_TRIES} times of one window of "
                f"{window.waveform.duration_s:.1f} s"
            )
        finally:
            self._free.put(process)


def _end_all(free: "SimpleQueue[_Process | None]", count: int) -> None:
    for _ in range(count):
        if (process := free.get()) is not None:
            process.end()


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    size_bytes = _LENGTH.unpack(head)[0]
    message = pipe.read(size_bytes)
    if len(message) < size_bytes:
        raise EOFError
    return message


def _serve() -> None:
    """Be the process: windows on standard input, results on standard output."""
    from encoders.sphinx_speech import load_engine

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent drains and then ends us.
    engine, results = load_engine(), sys.stdout.buffer
    while True:
        try:
            message = _read(sys.stdin.buffer)
        except EOFError:
            return
        (start_s,) = _START.unpack_from(message)
        samples = np.frombuffer(message, "<f4", offset=_START.size)
        (result,) = engine.transcribe_windows([Window(Waveform(samples), start_s)])
        try:
            _write(results, json.dumps(asdict(result)).encode())
        except BrokenPipeError:
            return


if __name__ == "__main__":
    _serve()
