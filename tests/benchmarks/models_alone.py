"""Loads both models by their own libraries, runs each once and prints the peak, in MB.

`python -m tests.benchmarks.models_alone CHECKPOINT SOUND TEXTS`
"""

import os
import sys
from pathlib import Path

import whisper
from sentence_transformers import SentenceTransformer

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.model_files import find_text_model
from tests.benchmarks.memory import peak_mb
from tests.benchmarks.uploads import texts


def main(checkpoint: str, sound: str, count: str) -> None:
    """Embed texts, transcribe a sound; greedily, for random weights say nothing."""
    folder = find_text_model("all-MiniLM-L6-v2", allow_download=False)
    text_model = SentenceTransformer(str(folder), device="cpu")
    text_model.encode(texts(int(count), 600_000))
    limits = MediaLimits(max_bytes=16 * 1024 * 1024, max_s=120)
    samples = decode_audio(Path(sound).read_bytes(), limits).waveform.samples
    model = whisper.load_model(checkpoint, device="cpu")
    model.transcribe(samples, temperature=0.0, fp16=False)
    print(peak_mb([os.getpid()]))  # noqa: T201 (the result)


if __name__ == "__main__":
    main(*sys.argv[1:])
