"""A long sound from a confined process: held for as long as the sound is read.

Behind `sandbox`; what `sound_stream` reads. The process waits when its pipe is full, so
it is never further than two seconds of sound ahead of who reads.
"""

from collections.abc import Generator
from dataclasses import replace
from time import monotonic
from typing import Final

from encoders.audio import BYTES_PER_SAMPLE, Truncation
from encoders.media_format import check_size
from encoders.sandbox_pool import DecoderPool
from encoders.sandbox_process import DecoderProcess
from encoders.sandbox_protocol import (
    MAX_FRAME_BYTES,
    Request,
    SoundEnd,
    parse_sound_end,
)
from encoders.sandbox_task import Budget, DecoderDeathError, Task
from encoders.signals import SAMPLE_RATE_HZ, DecoderUnavailableError, EncodeError
from encoders.sound_stream import CHUNK_BYTES

# Past the limit of seconds one frame may follow.
_SLACK_BYTES: Final = 4 * MAX_FRAME_BYTES


class SandboxedSound:
    """One sound and the process that decodes it: see `sound_stream.Decoding`."""

    def __init__(self, pool: DecoderPool, request: Request, budget: Budget) -> None:
        self._pool = pool
        self._request = request
        self._budget = budget
        self._most_bytes = (
            request.limits.max_s * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE + _SLACK_BYTES
        )
        self._process: DecoderProcess | None = None
        self._abandoned = False
        self.truncated: Truncation | None = None

    def __iter__(self) -> Generator[bytes, None, None]:
        """See `Decoding`."""
        check_size(self._request.data, self._request.limits)
        handed_bytes = 0
        self._process = self._pool.take()
        done = False  # Only a process that is done with the sound may serve again.
        try:
            while not done:
                self._process = process = self._pool.ready(self._process)
                fresh = process.files == 0
                try:
                    for part in self._parts(process, handed_bytes):
                        handed_bytes += len(part)
                        yield part
                    done = True
                except DecoderDeathError as death:
                    self._after(death, fresh)
        except EncodeError:
            done = True
            raise
        finally:
            last, self._process = self._process, None
            if not done:
                self._pool.discard(last)
            self._pool.give(last if done else None)

    def abandon(self) -> None:
        """See `Decoding`."""
        self._abandoned = True
        process = self._process
        if process is not None:
            process.kill()

    def _parts(
        self, process: DecoderProcess, handed_bytes: int
    ) -> Generator[bytes, None, None]:
        """Decode from where what was handed on ends; one or two chunks at a time."""
        skip = self._request.skip_samples + handed_bytes // BYTES_PER_SAMPLE
        request = replace(self._request, skip_samples=skip)
        task = Task(request, self._budget, parse_sound_end)
        process.begin(task)
        left_s = self._budget.wall_s
        end: SoundEnd | None = None
        while end is None:
            began_s = monotonic()
            pcm, found = process.sound(task, CHUNK_BYTES, left_s)
            left_s = max(left_s - (monotonic() - began_s), 0.0)
            handed_bytes += len(pcm)
            if handed_bytes > self._most_bytes:
                process.close()
                raise DecoderDeathError(
                    "decoder_died", "the decoder failed with sound without end"
                )
            if found is not None:
                end = found
                self.truncated = end.truncated
            yield pcm

    def _after(self, death: DecoderDeathError, fresh: bool) -> None:
        """Raise what the death means; return if another process shall try again."""
        if self._abandoned:
            raise DecoderUnavailableError("the sound was let go of") from death
        self._pool.check_open(death)
        # One that served before may have died of what it met before.
        if fresh or death.code == "decoder_timeout":
            raise death
