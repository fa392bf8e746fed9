"""A sound of any length in bounded memory: read in chunks, decoded as it is read.

Above `audio`; what `media_reader` opens. Hours of sound are hundreds of megabytes of
samples, of which no more than a chunk is ever held.
"""

from collections.abc import Generator
from threading import Lock
from typing import Final, Protocol

import numpy as np

from encoders.audio import BYTES_PER_SAMPLE, Truncation, waveform_of
from encoders.signals import SAMPLE_RATE_HZ, Waveform

# As long as a window of speech recognition; 2 MB as float32.
CHUNK_S: Final = 30
CHUNK_BYTES: Final = CHUNK_S * SAMPLE_RATE_HZ * BYTES_PER_SAMPLE
OPENING_S: Final = 120  # What `fpcalc` and AcoustID fingerprint of a recording.
_NOTHING: Final = np.empty(0, np.float32)


class Decoding(Protocol):
    """Gives a sound's int16 samples part by part, decoding no further than is asked."""

    @property
    def truncated(self) -> Truncation | None:
        """Why the sound is not whole; known after the last part."""
        ...

    def __iter__(self) -> Generator[bytes, None, None]:
        """Give the parts, once; what runs for them ends when this is closed."""
        ...

    def abandon(self) -> None:
        """Have a part that is being waited for end soon; from any thread."""
        ...


class SoundStream:
    """One sound, chunk by chunk; a context manager. Its methods block.

    From one thread at a time, but that `close` may come from any, also while `read`
    waits: that `read` then ends with `DecoderUnavailableError`, or with its chunk.
    """

    def __init__(self, decoding: Decoding) -> None:
        self._decoding = decoding
        self._parts = decoding.__iter__()
        self._held = bytearray()
        self._reading = Lock()
        self._over = False

    def read(self) -> Waveform | None:
        """Return the next 30 s, or what is left; None after the end.

        Raises:
            EncodeError: the sound can't be decoded, or not any further.
            DecoderUnavailableError: nothing can be decoded now.
        """
        with self._reading:
            while len(self._held) < CHUNK_BYTES and not self._over:
                part = next(self._parts, None)
                if part is None:
                    self._over = True
                else:
                    self._held += part
            chunk = bytes(self._held[:CHUNK_BYTES])
            del self._held[:CHUNK_BYTES]
        return waveform_of(chunk) if chunk else None

    @property
    def truncated(self) -> Truncation | None:
        """Why the sound is not whole, None if it is; known once `read` gave None."""
        return self._decoding.truncated

    def close(self) -> None:
        """End the decoding, wherever it is; nothing more can be read."""
        self._decoding.abandon()
        with self._reading:
            self._over = True
            self._held.clear()
            self._parts.close()

    def __enter__(self) -> "SoundStream":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_opening(sound: SoundStream) -> Waveform:
    """Return the first two minutes of a sound, and close it: no more is decoded.

    Raises:
        EncodeError: the sound can't be decoded that far.
        DecoderUnavailableError: nothing can be decoded now.
    """
    chunks: list[Waveform] = []
    with sound:
        while len(chunks) < OPENING_S // CHUNK_S and (chunk := sound.read()):
            chunks.append(chunk)
    return Waveform(np.concatenate([c.samples for c in chunks] or [_NOTHING]))
