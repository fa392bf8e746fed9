"""Windows through Whisper's decoder, again and again until all that was said is said.

Between `whisper_segments` and the engines that run Whisper's weights. Each round takes
what is left of each window, in batches; an engine only says how one batch is decoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Final

from whisper.tokenizer import Tokenizer

from encoders.signals import (
    SAMPLE_RATE_HZ,
    GatedSpeech,
    SpeechResult,
    SpeechSegment,
    SpokenWord,
    Waveform,
)
from encoders.speech import Window, is_silent
from encoders.whisper_decoding import Decoded
from encoders.whisper_segments import Piece, split_tokens

# A window is decoded again from where the limit of tokens cut it. Speech never fills
# two times 30 s; loops do.
_MOST_ROUNDS: Final = 8


@dataclass(frozen=True, slots=True)
class Part:
    """A window, or what is left of it to decode; `start_s` in seconds of the sound."""

    place: int  # Of the window among those that were given.
    start_s: float
    waveform: Waveform
    speech_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """What was heard in a part; from `rest_s` of its seconds on it is decoded again."""

    language: str
    segments: list[SpeechSegment]
    rest_s: float | None


@dataclass(slots=True)
class _Heard:
    """What was heard in one window so far."""

    languages: list[str] = field(default_factory=list)
    segments: list[SpeechSegment] = field(default_factory=list)
    gated: list[GatedSpeech] = field(default_factory=list)


# When each word of a part's pieces was said, in seconds of the part.
SpokenWords = Callable[[list[Piece]], list[tuple[SpokenWord, ...]]]
DecodeBatch = Callable[[Sequence[Part]], Sequence[Found]]


def decode_windows(
    windows: Sequence[Window], decode: DecodeBatch, batch_size: int
) -> list[SpeechResult]:
    """Decode windows, in batches of parts; see `SpeechEngine.transcribe_windows`."""
    heard = [_Heard() for _ in windows]
    parts = [
        Part(place, window.start_s, window.waveform, window.speech_s)
        for place, window in enumerate(windows)
        if not is_silent(window.waveform)
    ]
    for _ in range(_MOST_ROUNDS):
        parts = _round(parts, heard, decode, batch_size)
    for part in parts:
        # A model that moves on this slowly is in a loop.
        end_s = part.start_s + part.waveform.duration_s
        heard[part.place].gated.append(GatedSpeech(part.start_s, end_s, "unsure"))
    return [_result(one) for one in heard]


def found_in(
    part: Part, decoded: Decoded, tokenizer: Tokenizer, words: SpokenWords | None = None
) -> Found:
    """Return the segments of a part's tokens, with words where they are asked for."""
    pieces, rest_s = split_tokens(
        decoded.tokens,
        timestamp_begin=tokenizer.timestamp_begin,
        duration_s=part.waveform.duration_s,
        complete=decoded.complete,
    )
    spoken = words(pieces) if words else [()] * len(pieces)
    segments = [
        SpeechSegment(
            start_s=part.start_s + piece.start_s,
            end_s=part.start_s + piece.end_s,
            text=tokenizer.decode(piece.tokens).strip(),
            avg_logprob=decoded.avg_logprob,
            no_speech_prob=decoded.no_speech_prob,
            compression_ratio=decoded.compression_ratio,
            words=tuple(
                replace(
                    word,
                    start_s=part.start_s + word.start_s,
                    end_s=part.start_s + word.end_s,
                )
                for word in said
            ),
        )
        for piece, said in zip(pieces, spoken, strict=True)
    ]
    return Found(decoded.language, segments, rest_s)


def _round(
    parts: list[Part], heard: list[_Heard], decode: DecodeBatch, batch_size: int
) -> list[Part]:
    """Decode each part once; return what has to be decoded again."""
    # Long with long: a batch takes as many steps as its longest text.
    parts = sorted(parts, key=lambda part: part.speech_s)
    left: list[Part] = []
    for at in range(0, len(parts), batch_size):
        some = parts[at : at + batch_size]
        for part, found in zip(some, decode(some), strict=True):
            window = heard[part.place]
            window.languages.append(found.language)
            window.segments += found.segments
            if found.rest_s is not None:
                left += _rest(part, found.rest_s)
    return left


def _rest(part: Part, rest_s: float) -> list[Part]:
    """Return what is left of a part from `rest_s` on, in two where nothing was said."""
    length_s = part.waveform.duration_s
    cuts = [rest_s, length_s] if rest_s > 0 else [0.0, length_s / 2, length_s]
    return [
        Part(
            part.place,
            part.start_s + start_s,
            _cut(part.waveform, start_s, end_s),
            part.speech_s * (end_s - start_s) / length_s,
        )
        for start_s, end_s in pairwise(cuts)
    ]


def _cut(waveform: Waveform, start_s: float, end_s: float) -> Waveform:
    start, end = round(start_s * SAMPLE_RATE_HZ), round(end_s * SAMPLE_RATE_HZ)
    return Waveform(waveform.samples[start:end])


def _result(heard: _Heard) -> SpeechResult:
    segments = tuple(sorted(heard.segments, key=lambda part: part.start_s))
    # The first part is the longest.
    language = heard.languages[0] if segments else None
    return SpeechResult(language, segments, tuple(heard.gated))
