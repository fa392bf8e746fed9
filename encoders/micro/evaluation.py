"""How well a Whisper hears: word errors on held-out speech, words made up in noise.

After `speaking`; asks `whisper.transcribe`, as the engine does.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import whisper

from encoders.micro.noises import Sound, sound_without_speech
from encoders.micro.sentences import HELD_OUT, normalised
from encoders.micro.speaking import (
    Saying,
    held_out_sayings,
    speak,
)
from encoders.signals import SAMPLE_RATE_HZ

_SEED: Final = 20261126
_NOISE_SEEDS: Final = range(1_000_000, 1_000_060)  # Training takes them from 0.
_BOOTSTRAP_ROUNDS: Final = 2_000
_NO_SPEECH_PROB: Final = 0.6  # Whisper's own default threshold.


@dataclass(frozen=True, slots=True)
class Heard:
    """One sound's words as said and as heard, and how far off its times are."""

    said: str
    text: str
    no_speech_prob: float
    time_error_s: float | None = None

    @property
    def errors(self) -> int:
        """Words to insert, delete or replace."""
        return edit_distance(self.said.split(), self.text.split())


def edit_distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """Count the fewest insertions, deletions and replacements between two texts."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            above, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, above + (word != other)),
            )
    return row[-1]


def word_error_rate(results: Sequence[Heard]) -> float:
    """Return errors a word said."""
    return sum(r.errors for r in results) / sum(len(r.said.split()) for r in results)


def interval(
    results: Sequence[Heard], measure: Callable[[Sequence[Heard]], float]
) -> tuple[float, float]:
    """Return a measure's 95 % bootstrap interval over sounds."""
    rng = random.Random(_SEED)
    found = sorted(
        measure(rng.choices(results, k=len(results))) for _ in range(_BOOTSTRAP_ROUNDS)
    )
    return found[int(0.025 * len(found))], found[int(0.975 * len(found))]


def hear(model: Any, sound: Sound, said: str) -> Heard:
    """Transcribe one sound that has speech from its first to its last sample."""
    found = whisper.transcribe(
        model,
        sound,
        temperature=0.0,
        condition_on_previous_text=False,
        fp16=False,
        verbose=None,
    )
    segments = found["segments"]
    times = None
    if segments:
        late_s = abs(segments[-1]["end"] - len(sound) / SAMPLE_RATE_HZ)
        times = max(segments[0]["start"], late_s)
    silent = [segment["no_speech_prob"] for segment in segments]
    prob = max(silent) if silent else no_speech_prob(model, sound)
    return Heard(said, normalised(found["text"]), float(prob), times)


def no_speech_prob(model: Any, sound: Sound) -> float:
    """Ask Whisper how likely it is that nobody speaks in the first 30 s."""
    padded = whisper.pad_or_trim(whisper.log_mel_spectrogram(sound), 3000)
    options = whisper.DecodingOptions(language="en", fp16=False, sample_len=1)
    return float(whisper.decode(model, padded, options).no_speech_prob)


def on_speech(model: Any, sayings: Sequence[Saying]) -> list[Heard]:
    """Hear what espeak-ng says."""
    return [hear(model, speak(saying), saying.text) for saying in sayings]


def on_noise(model: Any) -> list[Heard]:
    """Hear sounds without speech that training had no part in, and silence."""
    sounds = [sound_without_speech(seed) for seed in _NOISE_SEEDS]
    sounds.append(np.zeros(5 * SAMPLE_RATE_HZ, np.float32))
    return [hear(model, sound, "") for sound in sounds]


def held_out() -> list[Saying]:
    """Return the held-out sentences in the held-out voices."""
    return held_out_sayings(HELD_OUT, _SEED)


def figures(model: Any) -> dict[str, Any]:
    """Measure everything the model card states of a model."""
    speech = on_speech(model, held_out())
    noise = on_noise(model)
    late = [r.time_error_s for r in speech if r.time_error_s is not None]
    low, high = interval(speech, word_error_rate)
    return {
        "sayings": len(speech),
        "words": sum(len(r.said.split()) for r in speech),
        "word_error_rate": round(word_error_rate(speech), 4),
        "word_error_rate_interval": [round(low, 4), round(high, 4)],
        "median_time_error_s": round(float(np.median(late)), 3) if late else None,
        "speech_taken_for_none": sum(
            r.no_speech_prob > _NO_SPEECH_PROB for r in speech
        ),
        "sounds_without_speech": len(noise),
        "of_them_with_words": sum(bool(r.text) for r in noise),
        "of_them_told_as_no_speech": sum(
            r.no_speech_prob > _NO_SPEECH_PROB for r in noise
        ),
    }
