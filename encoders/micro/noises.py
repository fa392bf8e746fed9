"""Sound without speech, made of sines and noise, for the micro Whisper.

Before `speaking`.
"""

import numpy as np
from numpy.typing import NDArray

from encoders.signals import SAMPLE_RATE_HZ

Sound = NDArray[np.float32]  # Shape (n_samples,), mono, 16 kHz, in [-1, 1].


def sound_without_speech(seed: int) -> Sound:
    """Make two to six seconds of chords, beeps, a sweep, hum, clicks or noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(rng.uniform(2, 6) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    kinds = (_chords, _beeps, _sweep, _hum, _clicks, _noise)
    made = kinds[seed % len(kinds)](rng, time_s)
    made = made / max(float(np.abs(made).max()), 1e-6)
    return (made * rng.uniform(0.02, 0.9)).astype(np.float32)


_Random = np.random.Generator
_Signal = NDArray[np.float64]


def _chords(rng: _Random, time_s: _Signal) -> _Signal:
    """Plucked chords over a soft drum, a beat each 0.3 to 0.8 s."""
    beat_s = rng.uniform(0.3, 0.8)
    since_s = time_s % beat_s
    root_hz = 110 * 2 ** (rng.integers(0, 24, 64) / 12)
    hz = root_hz[(time_s // (beat_s * 3)).astype(int) % 64]
    steps = (1.0, 2 ** (rng.choice([3, 4]) / 12), 2 ** (7 / 12))
    parts = [
        np.sin(2 * np.pi * hz * s * k * time_s) / k**2 for s in steps for k in (1, 2, 3)
    ]
    drum = rng.uniform(0, 1) * rng.normal(size=len(time_s)) * np.exp(-since_s / 0.02)
    strings: _Signal = np.sum(parts, axis=0) * np.exp(-since_s / rng.uniform(0.1, 0.6))
    return strings + drum


def _beeps(rng: _Random, time_s: _Signal) -> _Signal:
    """Pure tones that go on and off."""
    period_s = rng.uniform(0.2, 1.0)
    on = (time_s % period_s) < period_s * rng.uniform(0.2, 0.8)
    beeps: _Signal = np.sin(2 * np.pi * rng.uniform(150, 4000) * time_s) * on
    return beeps


def _sweep(rng: _Random, time_s: _Signal) -> _Signal:
    """A siren: a tone whose pitch swings."""
    swing = np.sin(2 * np.pi * rng.uniform(0.2, 3) * time_s)
    hz = rng.uniform(300, 1500) * 2 ** (rng.uniform(0.1, 1) * swing)
    tone: _Signal = np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ)
    return tone


def _hum(rng: _Random, time_s: _Signal) -> _Signal:
    """Mains or a motor: many harmonics of a low tone, in a little noise."""
    hz = rng.uniform(40, 180)
    parts = [
        rng.uniform(0, 1) * np.sin(2 * np.pi * hz * k * time_s) for k in range(1, 12)
    ]
    hum: _Signal = np.sum(parts, axis=0)
    return hum + rng.uniform(0, 0.5) * rng.normal(size=len(time_s))


def _clicks(rng: _Random, time_s: _Signal) -> _Signal:
    """Knocks: bursts of noise at random moments."""
    hits = rng.random(len(time_s)) < rng.uniform(1, 8) / SAMPLE_RATE_HZ
    fade = np.exp(-np.arange(3200) / SAMPLE_RATE_HZ / rng.uniform(0.003, 0.05))
    shape = np.convolve(hits.astype(float), fade)[: len(time_s)]
    clicks: _Signal = shape * rng.normal(size=len(time_s))
    return clicks + 1e-4 * rng.normal(size=len(time_s))


def _noise(rng: _Random, time_s: _Signal) -> _Signal:
    """Steady or swelling noise, white to brown."""
    spectrum = np.fft.rfft(rng.normal(size=len(time_s)))
    steps = np.maximum(np.arange(len(spectrum)), 20)
    noise = np.fft.irfft(spectrum / steps ** rng.uniform(0, 1.2), len(time_s))
    swell = 1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * rng.uniform(0.1, 2) * time_s)
    coloured: _Signal = noise * swell
    return coloured
