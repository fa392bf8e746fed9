"""Builders of sound as waveforms, and of a Whisper with random weights."""

from pathlib import Path

import numpy as np

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.signals import SAMPLE_RATE_HZ, Waveform

LIMITS = MediaLimits(max_bytes=16 * 1024 * 1024, max_s=120)


def silence(duration_s: float) -> Waveform:
    """Build digital silence."""
    return Waveform(np.zeros(int(duration_s * SAMPLE_RATE_HZ), np.float32))


def noise(duration_s: float, level: float = 0.1, seed: int = 1) -> Waveform:
    """Build white noise."""
    shape = int(duration_s * SAMPLE_RATE_HZ)
    samples = np.random.default_rng(seed).normal(0, level, shape)
    return Waveform(samples.clip(-1, 1).astype(np.float32))


def recording(path: Path) -> Waveform:
    """Read a recorded file."""
    return decode_audio(path.read_bytes(), LIMITS).waveform


def part(waveform: Waveform, start_s: float, end_s: float) -> Waveform:
    """Cut a waveform."""
    start, end = int(start_s * SAMPLE_RATE_HZ), int(end_s * SAMPLE_RATE_HZ)
    return Waveform(waveform.samples[start:end])


def a_whisper_checkpoint(folder: Path, n_text_ctx: int = 24) -> Path:
    """Save a tiny Whisper with random weights, in the format of OpenAI's files."""
    import torch
    import whisper

    dims = {
        "n_mels": 80,
        "n_audio_ctx": 1500,  # Fixed by the 30 s window.
        "n_audio_state": 8,
        "n_audio_head": 1,
        "n_audio_layer": 1,
        "n_vocab": 51_865,  # Multilingual.
        "n_text_ctx": n_text_ctx,
        "n_text_state": 8,
        "n_text_head": 1,
        "n_text_layer": 1,
    }
    with torch.random.fork_rng():
        torch.manual_seed(7)
        model = whisper.Whisper(whisper.ModelDimensions(**dims))
        for weights in model.parameters():  # Some are made without values.
            torch.nn.init.normal_(weights, std=0.3)
    path = folder / "tiny-random.pt"
    torch.save({"dims": dims, "model_state_dict": model.state_dict()}, path)
    return path
