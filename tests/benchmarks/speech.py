"""Speech: Whisper's architecture in our batches, against its own `transcribe`.

No weights are needed: the model recites a text that its positions prescribe, so that
both sides sample the same tokens, and every step costs what it costs with real ones.
"""

from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch
import whisper
from whisper.tokenizer import Tokenizer, get_tokenizer

from encoders.signals import SAMPLE_RATE_HZ, ModelIdentity, Waveform
from encoders.speech import WINDOW_S, Window
from encoders.whisper_speech import WhisperEngine
from tests.benchmarks.table import Aim, Row

# whisper's tiny (its checkpoint's `dims`).
TINY = whisper.ModelDimensions(80, 1500, 384, 6, 4, 51_865, 448, 384, 6, 4)
THREADS = 2
TEXT_TOKENS = 72  # In 20 s: LJ Speech has 3.6 tokens a second.
SHORTEST_S, LONGEST_S = 5, 40
TARGET = 3.0


def reciting_model(text_tokens: int) -> whisper.Whisper:
    """Build a tiny Whisper with random weights that says the same in every window."""
    torch.manual_seed(7)
    model = whisper.Whisper(TINY).eval()
    with torch.no_grad():
        for weights in model.parameters():
            torch.nn.init.normal_(weights, std=0.02)
        decoder = model.decoder
        decoder.token_embedding.weight.normal_(std=0.1)
        decoder.ln.weight.fill_(1.0)
        said = _script(get_tokenizer(True, num_languages=99), text_tokens)
        for position, token in enumerate(said):
            # So long that nothing else on the way to the last layer counts.
            decoder.positional_embedding[position] = (
                100 * decoder.token_embedding.weight[token]
            )
    return model


def _script(tokenizer: Tokenizer, text_tokens: int) -> list[int]:
    """List what follows each position: language, task, then the window's text."""
    words = [token for token in range(1000, 20_000, 97)]
    begin = tokenizer.timestamp_begin
    text = [begin, *words[:text_tokens], begin + round(WINDOW_S / 0.02)]
    prompt = [tokenizer.to_language_token("en"), tokenizer.transcribe]
    return [*prompt, *text, tokenizer.eot]


def clips(count: int) -> list[np.ndarray]:
    """Make noise in clips of 5 to 40 s."""
    dice = np.random.default_rng(3)
    lengths_s = np.linspace(SHORTEST_S, LONGEST_S, count)
    return [
        dice.normal(0, 0.05, round(length_s * SAMPLE_RATE_HZ)).astype(np.float32)
        for length_s in lengths_s
    ]


def as_windows(clip: np.ndarray) -> list[Window]:
    """Cut a clip where `whisper.transcribe` does."""
    size = round(WINDOW_S * SAMPLE_RATE_HZ)
    return [
        Window(Waveform(clip[at : at + size]), at / SAMPLE_RATE_HZ)
        for at in range(0, len(clip), size)
    ]


def rows(quick: bool) -> list[Row]:
    """Clips transcribed a second, against whisper.transcribe one by one."""
    count, text_tokens = (1, 4) if quick else (30, TEXT_TOKENS)
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        value = _measure(count, text_tokens)
    finally:
        torch.set_num_threads(threads)
    aim = Aim(
        f"speech: clips of 5 to 40 s, Whisper tiny, {THREADS} threads",
        "whisper.transcribe one by one",
        TARGET,
    )
    return [aim.row(value)]


def _measure(count: int, text_tokens: int) -> float:
    model = reciting_model(text_tokens)
    engine = WhisperEngine(model, ModelIdentity("speech", "whisper:tiny", "0" * 64))
    sample = clips(count)
    windows = [window for clip in sample for window in as_windows(clip)]

    def ours() -> list[str]:
        found = engine.transcribe_windows(windows)
        return [part.text for result in found for part in result.segments]

    def theirs() -> list[str]:
        found = [
            # As we do: a prompt of what was said before would move all positions.
            whisper.transcribe(
                model, clip, fp16=False, condition_on_previous_text=False
            )
            for clip in sample
        ]
        return [part["text"].strip() for one in found for part in one["segments"]]

    if ours() != theirs():
        raise AssertionError("the two sides did not say the same")
    return round(_ratio(ours, theirs), 2)


def _ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    started_s = perf_counter()
    ours()
    between_s = perf_counter()
    theirs()
    return (perf_counter() - between_s) / (between_s - started_s)
