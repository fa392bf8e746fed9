"""Speech and other sound to train the micro Whisper on, as log-mels kept on disk.

After `sentences` and `noises`, before `windows`. espeak-ng speaks, in English and in
languages that the model is not to know.
"""

import random
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
import torch
import whisper
from numpy.typing import NDArray

from encoders.audio import decode_audio
from encoders.media_format import MediaLimits
from encoders.micro.noises import Sound, sound_without_speech
from encoders.micro.sentences import FOREIGN, WORDS, a_foreign_text, a_text
from encoders.signals import SAMPLE_RATE_HZ

LogMel = NDArray[np.float16]  # Shape (n_frames, 80): log10 of power, 10 ms a frame.

_ACCENTS: Final = ("en-us", "en-us", "en-us", "en-gb", "en-gb-x-rp", "en-us-nyc")
_SPEAKERS: Final = (
    *("f1", "f2", "f3", "f4", "m1", "m2", "m3", "m4", "m5", "m6"),
    *(
        "m8",
        "Alex",
        "Andy",
        "Annie",
        "Gene",
        "Lee",
        "Michael",
        "adam",
        "belinda",
        "david",
    ),
    *(
        "edward",
        "john",
        "linda",
        "max",
        "paul",
        "pedro",
        "rob",
        "steph",
        "travis",
        "zac",
    ),
)
# Never trained on; the first is the voice of most of the demo's samples.
HELD_OUT_VOICES: Final = ("en-us+f5", "en-gb+m7", "en-us+Mario", "en-gb-x-rp+steph3")
_LIMITS: Final = MediaLimits(max_bytes=4_000_000, max_s=30)
_EDGE_RMS: Final = 2e-3  # Quieter 10 ms than this at the ends are no part of a saying.
_FRAME: Final = SAMPLE_RATE_HZ // 100


@dataclass(frozen=True, slots=True)
class Saying:
    """A text and how espeak-ng is to say it; `text` is empty for foreign speech."""

    voice: str
    words_per_minute: int
    pitch: int
    spoken: str
    text: str


@dataclass(frozen=True, slots=True)
class Clips:
    """Log-mels one after another, where each begins, and its text.

    `frames`: float16, shape (n_frames, 80); clip i is `starts[i]` to `starts[i + 1]`.
    """

    frames: LogMel
    starts: NDArray[np.int64]
    texts: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def clip(self, at: int) -> LogMel:
        """Return one clip: shape (n_frames, 80)."""
        return self.frames[self.starts[at] : self.starts[at + 1]]


def training_sayings(count: int, seed: int) -> list[Saying]:
    """Draw texts and voices to train on; the same for the same seed."""
    rng = random.Random(seed)
    return [
        _saying(rng, _training_voice(rng), text, text)
        for text in (a_text(rng) for _ in range(count))
    ]


def word_sayings(times: int, seed: int) -> list[Saying]:
    """Have each word said alone that often, to learn from first."""
    rng = random.Random(seed)
    words = [word for word in WORDS for _ in range(times)]
    return [_saying(rng, _training_voice(rng), word, word) for word in words]


def foreign_sayings(count: int, seed: int) -> list[Saying]:
    """Draw speech in languages the model is not to know."""
    rng = random.Random(seed)
    languages = sorted(FOREIGN)
    found = []
    for _ in range(count):
        language = rng.choice(languages)
        spoken = a_foreign_text(rng, language)
        found.append(_saying(rng, f"{language}+{rng.choice(_SPEAKERS)}", spoken, ""))
    return found


def held_out_sayings(texts: Iterable[str], seed: int) -> list[Saying]:
    """Have each text said by each held-out voice."""
    rng = random.Random(seed)
    return [_saying(rng, v, text, text) for text in texts for v in HELD_OUT_VOICES]


def _training_voice(rng: random.Random) -> str:
    return f"{rng.choice(_ACCENTS)}+{rng.choice(_SPEAKERS)}"


def _saying(rng: random.Random, voice: str, spoken: str, text: str) -> Saying:
    return Saying(voice, rng.randint(130, 180), rng.randint(35, 65), spoken, text)


def speak(saying: Saying) -> Sound:
    """Let espeak-ng say it; without the silence before and after.

    Raises:
        RuntimeError: espeak-ng is missing or refused.
    """
    options = ["-v", saying.voice, "-s", str(saying.words_per_minute)]
    options += ["-p", str(saying.pitch), "--stdout", saying.spoken]
    try:
        said = subprocess.run(["espeak-ng", *options], capture_output=True, timeout=60)
    except FileNotFoundError as error:
        raise RuntimeError("espeak-ng is not installed; it makes the speech") from error
    if said.returncode != 0 or not said.stdout:
        reason = said.stderr.decode(errors="replace").strip()
        raise RuntimeError(f"espeak-ng failed for voice {saying.voice}: {reason}")
    return trimmed(decode_audio(said.stdout, _LIMITS).waveform.samples)


def trimmed(sound: Sound) -> Sound:
    """Cut the quiet ends off, in steps of 10 ms."""
    count = len(sound) // _FRAME
    power = np.square(sound[: count * _FRAME]).reshape(count, _FRAME).mean(axis=1)
    loud = np.flatnonzero(power > _EDGE_RMS**2)
    if not len(loud):
        return sound[:0]
    return sound[loud[0] * _FRAME : (loud[-1] + 1) * _FRAME]


def log_mel(sound: Sound) -> LogMel:
    """Return log10 of the mel powers: Whisper's own front end, its scale undone."""
    scaled = whisper.log_mel_spectrogram(torch.from_numpy(sound))
    powers: LogMel = (scaled.numpy().T * 4.0 - 4.0).astype(np.float16)
    return powers


def _clip_of_saying(saying: Saying) -> LogMel:
    return log_mel(speak(saying))


def _clip_of_seed(seed: int) -> LogMel:
    return log_mel(sound_without_speech(seed))


def make_clips(
    kept: Path, sayings: list[Saying], noise_seeds: range, processes: int = 2
) -> Clips:
    """Return log-mels of all sayings, then of sounds without speech; kept in a file."""
    texts = (*(saying.text for saying in sayings), *("" for _ in noise_seeds))
    if not kept.is_file():
        with get_context("spawn").Pool(processes, _one_thread) as pool:
            parts = pool.map(_clip_of_saying, sayings, chunksize=32)
            parts += pool.map(_clip_of_seed, noise_seeds, chunksize=32)
        starts = np.cumsum([0, *(len(part) for part in parts)])
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.savez(kept, frames=np.concatenate(parts), starts=starts)
    loaded = np.load(kept)
    clips = Clips(loaded["frames"], loaded["starts"], texts)
    if len(clips.starts) != len(texts) + 1:
        raise RuntimeError(f"{kept} is of another training set; delete it")
    return clips


def _one_thread() -> None:
    torch.set_num_threads(1)
