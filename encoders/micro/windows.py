"""Windows to train on, composed of clips: what Whisper would see, and should write.

After `speaking`, before `learning`. Sounds are mixed as mel powers, where placing,
gain and noise are sums and products: close to mixing samples, and far cheaper.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from whisper.tokenizer import Tokenizer, get_tokenizer

from encoders.micro.sentences import WORDS
from encoders.micro.speaking import Clips

WINDOW_FRAMES: Final = 3000  # 30 s of 10 ms: Whisper's window.
TICK_S: Final = 0.1  # Times are taught in tenths of a second; Whisper's unit is 0.02 s.
TICKS: Final = 301
_FRAMES_PER_TICK: Final = 10
_UNITS_PER_TICK: Final = 5
_QUIET: Final = -10.0  # log10 of the least power Whisper's front end tells.
_RANGE: Final = 8.0  # It drops what is that many powers of ten below the loudest.
_SHARE_WITHOUT_TIMES: Final = 0.15
_SHARE_NOISY: Final = 0.6
_SHARE_OF_FLOOR: Final = 0.2  # Of what has no speech: nothing but steady noise.
_BANDS: Final = 4
IGNORED: Final = -100  # Where nothing is to be learnt: torch's own mark.


class Vocabulary:
    """The tokens that are taught, numbered from 0; all the others are one, the last.

    Ids are those of Whisper's English tokenizer; `used` lists them in our order:
    words, specials, times.
    """

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # Whisper reads its vocabulary once and leaves the file to chance.
            warnings.simplefilter("ignore", ResourceWarning)
            tokenizer: Tokenizer = get_tokenizer(multilingual=False)
        pieces = {word: tokenizer.encode(f" {word}") for word in WORDS}
        text_ids = sorted({token for ids in pieces.values() for token in ids})
        self.specials = (
            tokenizer.sot,
            tokenizer.eot,
            tokenizer.no_speech,
            tokenizer.no_timestamps,
        )
        first = tokenizer.timestamp_begin
        times = [first + tick * _UNITS_PER_TICK for tick in range(TICKS)]
        self.used = (*text_ids, *self.specials, *times)
        ours = {token: at for at, token in enumerate(text_ids)}
        self.words = {
            word: tuple(ours[token] for token in ids) for word, ids in pieces.items()
        }
        self.n_text = len(text_ids)
        self.sot, self.eot, self.no_speech, self.no_timestamps = range(
            self.n_text, self.n_text + len(self.specials)
        )
        self.first_time = self.n_text + len(self.specials)

    def __len__(self) -> int:
        return len(self.used)

    def text_of(self, words: str) -> list[int]:
        """Number the tokens of a text of known words."""
        return [token for word in words.split() for token in self.words[word]]

    def time_of(self, frame: int) -> int:
        """Number the time token next to a frame of 10 ms."""
        return self.first_time + round(frame / _FRAMES_PER_TICK)


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows of one length.

    `mel`: float32, (n, 80, n_frames); `offsets`: where each begins in its 30 s, in
    encoder frames of 20 ms; `tokens` and `targets`: int64, (n, n_tokens), targets
    `IGNORED` where nothing is learnt; `sounding`: int64, (n, n_frames / 2), the token
    that sounds in each encoder frame, about; `n_text` of the vocabulary for none.
    """

    mel: NDArray[np.float32]
    offsets: NDArray[np.int64]
    tokens: NDArray[np.int64]
    targets: NDArray[np.int64]
    sounding: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """What windows are like: how many in a batch, their sayings, their length.

    No saying begins that would end after `most_frames`, but for the first.
    """

    count: int
    most_sayings: int
    most_frames: int
    most_words: int = 100  # In one saying.
    most_edge: int = 20  # Frames of silence before the first and after the last.
    whole: bool = False  # All 30 s from 0; else only the part with sound, anywhere.


class WindowMaker:
    """Draws batches from clips; the same for the same seed and calls."""

    def __init__(self, clips: Clips, vocabulary: Vocabulary, seed: int) -> None:
        self._clips = clips
        self._vocabulary = vocabulary
        self._rng = np.random.default_rng(seed)
        self._words = np.array([len(text.split()) for text in clips.texts])
        self._other = np.flatnonzero(self._words == 0)
        lengths = np.diff(clips.starts)
        alone = [
            (clips.texts[at], lengths[at]) for at in np.flatnonzero(self._words == 1)
        ]
        self._usual_frames = {
            word: float(np.mean([length for text, length in alone if text == word]))
            for word in {text for text, _ in alone}
        }
        self._by_length = np.argsort(lengths, kind="stable")

    def batch(self, shape: Shape, share_without_speech: float) -> Batch:
        """Draw one batch."""
        said = self._band(shape)
        silent = self._rng.random(shape.count) < share_without_speech
        drawn = [self._draw(shape, self._other if s else said) for s in silent]
        longest = max(end for _, end in drawn)
        frames = WINDOW_FRAMES if shape.whole else longest + longest % 2
        mels, offsets, tokens, targets, sounding = [], [], [], [], []
        for placed, _ in drawn:
            latest = (WINDOW_FRAMES - frames) // 2
            offset = 0 if shape.whole else int(self._rng.integers(0, latest + 1))
            mels.append(self._mixed(placed, frames))
            sounding.append(self._sounding(placed, frames // 2))
            offsets.append(offset)
            sequence, aims = self._written(placed, offset * 2)
            tokens.append(sequence)
            targets.append(aims)
        return Batch(
            np.stack(mels),
            np.array(offsets),
            _padded(tokens, self._vocabulary.eot),
            _padded(targets, IGNORED),
            np.stack(sounding),
        )

    def _band(self, shape: Shape) -> NDArray[np.int64]:
        """Choose sayings for a batch: a quarter of about one length, to pad little."""
        wanted = (self._words > 0) & (self._words <= shape.most_words)
        by_length = self._by_length[wanted[self._by_length]]
        if shape.whole:
            return by_length
        return np.array_split(by_length, _BANDS)[self._rng.integers(_BANDS)]

    def _draw(
        self, shape: Shape, source: NDArray[np.int64]
    ) -> tuple[list[tuple[int, int]], int]:
        """Place clips: (first frame, clip) in order, and the frame where all ends."""
        rng = self._rng
        if source is self._other and rng.random() < _SHARE_OF_FLOOR:
            return [], int(rng.integers(shape.most_frames // 4, shape.most_frames))
        placed: list[tuple[int, int]] = []
        end = 0
        at = int(rng.integers(0, shape.most_edge))
        for _ in range(int(rng.integers(1, shape.most_sayings + 1))):
            clip = int(rng.choice(source))
            length = len(self._clips.clip(clip))
            if placed and at + length > shape.most_frames:
                break
            placed.append((at, clip))
            end = at + length + int(rng.integers(4, 4 + shape.most_edge))
            at += length + int(rng.integers(25, 150))
        if source is self._other:
            end = min(end, shape.most_frames)  # Any part of a noise is one.
        return placed, min(end, WINDOW_FRAMES)

    def _mixed(
        self, placed: Sequence[tuple[int, int]], frames: int
    ) -> NDArray[np.float32]:
        """Add powers, as sounds add, and scale as Whisper's front end does."""
        rng = self._rng
        power = np.full((frames, 80), 10.0**_QUIET, np.float32)
        gain = rng.uniform(-2.0, 0.5) + _curve(rng, 0.4)
        for start, clip in placed:
            piece = self._clips.clip(clip)[: max(frames - start, 0)].astype(np.float32)
            power[start : start + len(piece)] += 10.0 ** (piece + gain)
        if rng.random() < _SHARE_NOISY or not placed:
            power += self._noise(frames, float(power.max()), heard=bool(placed))
        levels = np.log10(power)
        levels = np.maximum(levels, levels.max() - _RANGE)
        mel: NDArray[np.float32] = ((levels.T + 4.0) / 4.0).astype(np.float32)
        return mel

    def _noise(
        self, frames: int, loudest: float, *, heard: bool
    ) -> NDArray[np.float32]:
        """Draw noise: 25 to 75 dB under speech's loudest mel, else of any level."""
        rng = self._rng
        level = (
            np.log10(loudest) - rng.uniform(2.5, 7.5) if heard else rng.uniform(-9, 0)
        )
        flicker = rng.gamma(4.0, 0.25, (frames, 80))
        noise: NDArray[np.float32] = (
            flicker * 10.0 ** (level + _curve(rng, 1.0))
        ).astype(np.float32)
        return noise

    def _sounding(
        self, placed: Sequence[tuple[int, int]], frames: int
    ) -> NDArray[np.int64]:
        """Say which token sounds when; a saying's words have their usual shares."""
        sounding = np.full(frames, self._vocabulary.n_text)
        for start, clip in placed:
            words = self._clips.texts[clip].split()
            if not words:
                continue
            ends = np.cumsum([self._usual_frames[word] for word in words])
            length = len(self._clips.clip(clip))
            bounds = (start + np.array([0, *ends]) / ends[-1] * length) / 2
            for word, first, last in zip(words, bounds, bounds[1:], strict=False):
                within = np.arange(int(first), min(int(last), frames))
                tokens = np.array(self._vocabulary.words[word])
                share = np.linspace(0, len(tokens), len(within), endpoint=False)
                sounding[within] = tokens[share.astype(int)]
        return sounding

    def _written(
        self, placed: Sequence[tuple[int, int]], first_frame: int
    ) -> tuple[list[int], list[int]]:
        """Return what is fed, and what should follow each token."""
        v = self._vocabulary
        texts = [self._clips.texts[clip] for _, clip in placed]
        spoken = [token for text in texts for token in v.text_of(text)]
        if not spoken:  # Whisper asks for the first target, then forces a time.
            start = v.first_time + int(self._rng.integers(0, 4))
            return [v.sot, start], [v.no_speech, v.eot]
        if self._rng.random() < _SHARE_WITHOUT_TIMES:
            fed = [v.sot, v.no_timestamps, *spoken]
            return fed, [IGNORED, *spoken, v.eot]
        written: list[int] = []
        for (start, clip), text in zip(placed, texts, strict=True):
            begin = first_frame + start
            end = begin + len(self._clips.clip(clip))
            written += [v.time_of(begin), *v.text_of(text), v.time_of(end)]
        return [v.sot, *written], [*written, v.eot]


def _curve(rng: np.random.Generator, swing: float) -> NDArray[np.float64]:
    """Draw a smooth curve over the 80 mels, in powers of ten around 0."""
    points = rng.normal(0, swing, 5)
    return np.interp(np.arange(80), np.linspace(0, 79, 5), points)


def _padded(rows: Sequence[Sequence[int]], filler: int) -> NDArray[np.int64]:
    width = max(len(row) for row in rows)
    return np.array([[*row, *[filler] * (width - len(row))] for row in rows], np.int64)
