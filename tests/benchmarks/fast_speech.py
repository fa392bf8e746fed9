"""The 8-bit speech engine against faster-whisper's own batched pipeline.

Both run the reciting model of `speech`, converted to CTranslate2, so both sample the
same tokens for the same windows; both find out the language, neither looks for voices.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
import whisper
from faster_whisper import BatchedInferencePipeline, WhisperModel

from encoders.faster_whisper_speech import load_faster_whisper
from encoders.speech import WINDOW_S
from tests.benchmarks.speech import (
    TEXT_TOKENS,
    THREADS,
    TINY,
    as_windows,
    clips,
    reciting_model,
)
from tests.benchmarks.table import Aim, Row, ratio
from tests.ctranslate2_builders import a_ctranslate2_folder

PEER = "faster_whisper.BatchedInferencePipeline, int8, batch 8"
TARGET = 1.0


def rows(quick: bool) -> list[Row]:
    """Clips transcribed a second in 8 bits, ours over theirs."""
    count, rounds = (2, 1) if quick else (30, 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with TemporaryDirectory() as folder:
            value = _measure(_converted(Path(folder)), count, rounds)
    finally:
        torch.set_num_threads(threads)
    name = f"speech: clips of 5 to 40 s, Whisper tiny in 8 bits, {THREADS} threads"
    return [Aim(name, PEER, TARGET).row(value)]


def _converted(folder: Path) -> Path:
    model: whisper.Whisper = reciting_model(TEXT_TOKENS)
    state = {"dims": vars(TINY), "model_state_dict": model.state_dict()}
    torch.save(state, folder / "reciting.pt")
    return a_ctranslate2_folder(folder / "reciting.pt", folder / "converted")


def _measure(model: Path, count: int, rounds: int) -> float:
    engine = load_faster_whisper(str(model), device="cpu", allow_download=False)
    library = WhisperModel(
        str(model), device="cpu", compute_type="int8", cpu_threads=THREADS
    )
    pipeline = BatchedInferencePipeline(library)
    sample = clips(count)
    windows = [window for clip in sample for window in as_windows(clip)]

    def ours() -> list[str]:
        found = engine.transcribe_windows(windows)
        return [part.text for result in found for part in result.segments]

    def theirs() -> list[str]:
        return [text for clip in sample for text in _pipelined(pipeline, clip)]

    if ours() != theirs():
        raise AssertionError("the two sides did not say the same")
    return ratio(ours, theirs, rounds)


def _pipelined(pipeline: BatchedInferencePipeline, clip: np.ndarray) -> list[str]:
    bounds = [
        {
            "start": window.start_s,
            "end": min(window.start_s + WINDOW_S, window.start_s + window.speech_s),
        }
        for window in as_windows(clip)
    ]
    segments, _ = pipeline.transcribe(
        clip,
        beam_size=1,
        temperature=0.0,
        batch_size=8,
        without_timestamps=False,
        vad_filter=False,
        clip_timestamps=bounds,
    )
    return [segment.text.strip() for segment in segments]
