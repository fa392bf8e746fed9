"""What sound sounds like, as numbers that survive a change of format: chromaprint.

After `audio`, beside `hashing`; needs the extra `audio-fingerprint` and libchromaprint.
An item is 32 bits about 2.6 s of sound, one every 0.124 s.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.signals import SAMPLE_RATE_HZ, ModelUnavailableError, Waveform
from encoders.sound_stream import OPENING_S

# Fewer could be anything: see `fingerprint_index.MIN_ITEMS`. 24 are 5.6 s of sound.
_MIN_ITEMS: Final = 24


class Fingerprinter:
    """Takes fingerprints of sound; any thread may ask.

    Raises:
        ModelUnavailableError: the library is not installed.
    """

    def __init__(self) -> None:
        try:
            import chromaprint
        except ImportError as error:
            raise ModelUnavailableError(
                "audio fingerprints need libchromaprint and pyacoustid: install the "
                "system package libchromaprint1 and headgate[audio-fingerprint], or "
                "set HEADGATE_AUDIO_FINGERPRINT=false"
            ) from error
        self._library = chromaprint

    def fingerprint(self, sound: Waveform) -> str:
        """Return the items of the first two minutes, 8 hex digits each.

        Empty where the sound is too short to be known again, under 6 s.
        """
        samples = sound.samples[: OPENING_S * SAMPLE_RATE_HZ]
        printer = self._library.Fingerprinter()
        printer.start(SAMPLE_RATE_HZ, 1)
        printer.feed((samples * 32_768).clip(-32_768, 32_767).astype("<i2").tobytes())
        items, _ = self._library.decode_fingerprint(printer.finish())
        if len(items) < _MIN_ITEMS:
            return ""
        return np.array(items, dtype=">u4").tobytes().hex()


def items_of(value: str) -> NDArray[np.uint32]:
    """Return a fingerprint's items: uint32, shape (n_items,)."""
    return np.frombuffer(bytes.fromhex(value), dtype=">u4").astype(np.uint32)
