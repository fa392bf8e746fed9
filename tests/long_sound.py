"""Builders of hours of speech, and an engine that counts what it hears."""

import io
import os
import time
from pathlib import Path

import av
import numpy as np

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.signals import ModelIdentity, SpeechResult, SpeechSegment

_ROUND_S = 20  # One utterance and the silence after it.
_RATE_HZ = 48_000  # Opus' own.


def long_speech(utterance: bytes, hours: float) -> bytes:
    """Build an Ogg Opus file: an utterance of under 20 s every 20 s.

    Encoded once; its packets are repeated.
    """
    limits = MediaLimits(1 << 24, _ROUND_S)
    spoken = decode_audio(utterance, limits).waveform.samples
    samples = np.zeros(_ROUND_S * 16_000, np.float32)
    samples[: len(spoken)] = spoken
    packets, round_ticks = _packets(samples)
    with io.BytesIO() as file:
        with av.open(file, "w", format="ogg") as output:
            stream = output.add_stream("libopus", rate=_RATE_HZ)
            stream.layout, stream.bit_rate = "mono", 24_000
            stream.codec_context.open(strict=False)
            for turn in range(round(hours * 3600 / _ROUND_S)):
                for number, data in enumerate(packets):
                    packet = av.Packet(data)
                    packet.stream = stream
                    packet.time_base = stream.codec_context.time_base
                    packet.pts = packet.dts = turn * round_ticks + number * 960
                    packet.duration = 960
                    output.mux(packet)
        return file.getvalue()


def _packets(samples) -> tuple[list[bytes], int]:
    """Encode to Opus: packets of 20 ms, and how many ticks they last."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = _RATE_HZ, "mono", "s16"
    encoder.bit_rate = 24_000
    frame = av.AudioFrame.from_ndarray(
        (samples * 32_767).astype(np.int16).reshape(1, -1), "s16", "mono"
    )
    frame.sample_rate, frame.pts = 16_000, 0
    encoder.open(strict=False)
    fitting = av.AudioResampler("s16", "mono", _RATE_HZ, 960)
    made = [p for f in fitting.resample(frame) for p in encoder.encode(f)]
    made = [bytes(packet) for packet in made]
    return made, len(made) * 960


class CountingEngine:
    """Hears the same words in every window; writes a line for each that it heard."""

    model = ModelIdentity("speech", "counting", "2" * 64)

    def __init__(self, log: Path, window_ms: float = 0) -> None:
        self._log, self._window_s = log, window_ms / 1000

    def transcribe_windows(self, windows):
        """Take some time for each window, and count it."""
        results = []
        for window in windows:
            time.sleep(self._window_s)
            end_s = window.start_s + window.waveform.duration_s
            segment = SpeechSegment(window.start_s, end_s, "ask not what")
            results.append(SpeechResult("en", (segment,)))
            with self._log.open("a") as log:
                log.write(f"{window.start_s}\n")
        return results


def peak_rss_bytes(pid: int | str = "self") -> int:
    """Return the most memory that a process ever held (VmHWM, proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def variables(**settings: str) -> dict[str, str]:
    """Return this environment with these settings and nobody else's."""
    told = {f"HEADGATE_{name.upper()}": str(v) for name, v in settings.items()}
    return {k: v for k, v in os.environ.items() if "HEADGATE" not in k} | told
