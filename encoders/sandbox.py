"""Decodes strangers' media in confined processes: their death is the content's failure.

`MediaReader` over `sandbox_process`. Content that crashes a decoder, or takes more time
or memory than it may, is an `EncodeError` like any other; the process is replaced. One
that the machine itself killed, for want of memory, looks the same and can't be told
apart: the decision then says `decoder_died`, and that the signal is missing.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from encoders.audio import DecodedAudio, waveform_of
from encoders.confinement import Confinement
from encoders.media_format import MediaLimits, check_size
from encoders.media_reader import MediaLook
from encoders.sandbox_pool import DecoderPool
from encoders.sandbox_process import COMMAND
from encoders.sandbox_protocol import (
    Request,
    parse_look,
    parse_pictures,
    parse_probe,
)
from encoders.sandbox_sound import SandboxedSound
from encoders.sandbox_task import Budget, DecoderDeathError, Result, Task
from encoders.signals import MediaProbe, Pixels
from encoders.sound_stream import SoundStream

# Each takes 60 MB and starts when it is needed; `screen` examines on two threads.
PROCESSES: Final = 2
# Sounds that are read at once: each has a process to itself until it is closed, and
# none that looks at media waits for it.
SOUNDS: Final = 2
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
        sounds: int = SOUNDS,
        recycle_after: int = RECYCLE_AFTER_FILES,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._limits = limits
        cpu_s = _LOOK.cpu_s + min(limits.max_s, _LONGEST_S) / _SOUND_PER_CPU_S
        self._sound_budget = Budget(cpu_s, cpu_s * _WALL_PER_CPU)
        self._looks = DecoderPool(processes, recycle_after, command)
        self._sounds = DecoderPool(sounds, recycle_after, command)

    @property
    def confinement(self) -> Confinement:
        """What the kernel takes from the processes; starts one if none is idle.

        Raises:
            DecoderUnavailableError: none can be started.
        """
        process = self._looks.take()
        try:
            process = self._looks.ready(process)
            return process.confinement
        finally:
            self._looks.give(process)

    def probe(self, data: bytes) -> MediaProbe:
        """See `MediaReader`."""
        request = Request("probe", self._limits, data)
        return self._asked(Task(request, _LOOK, parse_probe))

    def examine(self, data: bytes) -> MediaLook:
        """See `MediaReader`."""
        request = Request("examine", self._limits, data)
        return self._asked(Task(request, _LOOK, parse_look))

    def audio(self, data: bytes) -> DecodedAudio:
        """See `MediaReader`."""
        sound = self._sound(data, 0)
        pcm = bytearray()  # int16: half the memory of float32 while it grows.
        for part in sound:
            pcm += part
        return DecodedAudio(waveform_of(pcm), sound.truncated)

    def open_sound(self, data: bytes, *, skip_samples: int = 0) -> SoundStream:
        """See `MediaReader`; waits in `read` while all places for sounds are taken."""
        return SoundStream(self._sound(data, skip_samples))

    def pictures(self, data: bytes) -> tuple[Pixels, ...]:
        """See `MediaReader`."""
        task = Task(Request("pictures", self._limits, data), _LOOK, parse_pictures)
        sizes = self._asked(task)
        return tuple(_cut_up(task.pixels, sizes))

    def close(self) -> None:
        """See `MediaReader`; work in other threads ends as unavailable."""
        self._looks.close()
        self._sounds.close()

    def _sound(self, data: bytes, skip_samples: int) -> SandboxedSound:
        request = Request("sound", self._limits, data, skip_samples)
        return SandboxedSound(self._sounds, request, self._sound_budget)

    def _asked(self, task: Task[Result]) -> Result:
        check_size(task.request.data, self._limits)
        pool = self._looks
        process = pool.take()
        try:
            while True:
                process = pool.ready(process)
                fresh = process.files == 0
                try:
                    return process.work(task)
                except DecoderDeathError as death:
                    pool.check_open(death)
                    # One that served before may have died of what it met before.
                    if fresh or death.code == "decoder_timeout":
                        raise
        finally:
            pool.give(process)


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
