"""Decodes strangers' media in confined processes: their death is the content's failure.

`MediaReader` over `sandbox_process`. Content that crashes a decoder, or takes more time
or memory than it may, is an `EncodeError` like any other; the process is replaced. One
that the machine itself killed, for want of memory, looks the same and can't be told
apart: the decision then says `decoder_died`, and that the signal is missing.
"""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, LifoQueue
from typing import Final

import numpy as np

from encoders.audio import DecodedAudio, waveform_of
from encoders.confinement import Confinement
from encoders.media_format import MediaLimits, check_size
from encoders.media_reader import MediaLook
from encoders.sandbox_process import COMMAND, DecoderProcess
from encoders.sandbox_protocol import (
    parse_look,
    parse_pictures,
    parse_probe,
    parse_truncated,
)
from encoders.sandbox_task import Budget, DecoderDeathError, Result, Task
from encoders.signals import DecoderUnavailableError, MediaProbe, Pixels, Waveform

# Each takes 60 MB; `screen` examines on two threads, `transcribe` decodes on one.
PROCESSES: Final = 2
# A start takes 0.4 s, a small picture 1.4 ms. Leaks, and whatever hostile content left
# behind without a crash, end with the process.
RECYCLE_AFTER_FILES: Final = 500
# Sixteen frames of 4K take 0.6 s of CPU time, the largest picture 1 s; the rest is for
# slower machines, and files of hundreds of megabytes.
_LOOK: Final = Budget(cpu_s=30, wall_s=120)
# Opus, the slowest, is decoded 160 times as fast as it sounds; machines may be slower.
_SOUND_PER_CPU_S: Final = 40
_LONGEST_S: Final = 86_400.0  # A day; limits may be infinite, budgets may not.
_WALL_PER_CPU: Final = 4  # So busy may the machine be.


class SandboxedReader:
    """A `MediaReader` whose decoders run confined, some side by side.

    They start when first needed and end with this object, or with this process however
    it ends.
    """

    def __init__(
        self,
        limits: MediaLimits,
        *,
        processes: int = PROCESSES,
        recycle_after: int = RECYCLE_AFTER_FILES,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._limits = limits
        self._recycle_after = recycle_after
        self._command = tuple(command)
        cpu_s = _LOOK.cpu_s + min(limits.max_s, _LONGEST_S) / _SOUND_PER_CPU_S
        self._sound_budget = Budget(cpu_s, cpu_s * _WALL_PER_CPU)
        self._free: LifoQueue[DecoderProcess | None] = LifoQueue()
        for _ in range(processes):
            self._free.put(None)
        self._live: set[DecoderProcess] = set()
        # The kernel ends a process with the *thread* that started it: this one lasts.
        self._starter = ThreadPoolExecutor(1, "decoder-start")
        self._end = weakref.finalize(
            self, _end_all, self._live, self._free, self._starter
        )

    @property
    def confinement(self) -> Confinement:
        """What the kernel takes from the processes; starts one if none is idle.

        Raises:
            DecoderUnavailableError: none can be started.
        """
        process = None
        idle = self._free.get()
        try:
            process = idle or self._started()
            return process.confinement
        finally:
            self._free.put(process)

    def probe(self, data: bytes) -> MediaProbe:
        """See `MediaReader`."""
        return self._asked(Task("probe", data, self._limits, _LOOK, parse_probe))

    def examine(self, data: bytes) -> MediaLook:
        """See `MediaReader`."""
        return self._asked(Task("examine", data, self._limits, _LOOK, parse_look))

    def audio(self, data: bytes) -> DecodedAudio:
        """See `MediaReader`."""
        budget = self._sound_budget
        task = Task("audio", data, self._limits, budget, parse_truncated)
        truncated = self._asked(task)
        return DecodedAudio(waveform_of(task.sound), truncated)

    def opening(self, data: bytes) -> Waveform:
        """See `MediaReader`."""
        task = Task("opening", data, self._limits, _LOOK, parse_truncated)
        self._asked(task)
        return waveform_of(task.sound)

    def pictures(self, data: bytes) -> tuple[Pixels, ...]:
        """See `MediaReader`."""
        task = Task("pictures", data, self._limits, _LOOK, parse_pictures)
        sizes = self._asked(task)
        return tuple(_cut_up(task.sound, sizes))

    def close(self) -> None:
        """See `MediaReader`; work in other threads ends as unavailable."""
        self._end()

    def _asked(self, task: Task[Result]) -> Result:
        check_size(task.data, self._limits)
        process = self._free.get()
        try:
            while True:
                if process is None or not process.alive:
                    self._discard(process)
                    process = self._started()
                try:
                    return process.work(task)
                except DecoderDeathError as death:
                    fresh = process.files == 1
                    self._discard(process)
                    process = None
                    self._check_open(death)
                    # One that served before may have died of what it met before.
                    if fresh or death.code == "decoder_timeout":
                        raise
        finally:
            self._free.put(self._kept(process))

    def _started(self) -> DecoderProcess:
        self._check_open()
        try:
            start = self._starter.submit(DecoderProcess, self._command)
        except RuntimeError as error:  # The interpreter is on its way out.
            raise DecoderUnavailableError("the decoders have been ended") from error
        process = start.result()
        self._live.add(process)
        return process

    def _kept(self, process: DecoderProcess | None) -> DecoderProcess | None:
        """Return a process that may serve again, else end it."""
        serves = process is not None and process.files < self._recycle_after
        if serves and self._end.alive:
            return process
        self._discard(process)
        return None

    def _discard(self, process: DecoderProcess | None) -> None:
        if process is not None:
            self._live.discard(process)
            process.close()

    def _check_open(self, cause: Exception | None = None) -> None:
        if not self._end.alive:
            raise DecoderUnavailableError("the decoders have been ended") from cause


def _cut_up(
    pixels: bytearray, sizes: Iterable[tuple[int, int, float | None]]
) -> Iterator[Pixels]:
    """Return pictures from their pixels, one after the other."""
    at = 0
    for height, width, frame_s in sizes:
        n_bytes = 3 * height * width
        if at + n_bytes > len(pixels):
            raise DecoderDeathError("decoder_died", "pictures without their pixels")
        rgb = np.frombuffer(pixels, np.uint8, n_bytes, at).reshape(height, width, 3)
        yield Pixels(rgb, frame_s)
        at += n_bytes


def _end_all(
    live: set[DecoderProcess],
    free: "LifoQueue[DecoderProcess | None]",
    starter: ThreadPoolExecutor,
) -> None:
    """Kill all; those at work are closed by the thread that they work for."""
    starter.shutdown(wait=False, cancel_futures=True)
    for process in list(live):
        process.kill()
    places = []
    with suppress(Empty):
        while True:
            places.append(free.get_nowait())
    for idle in places:
        if idle is not None:
            idle.close()
        free.put(None)
