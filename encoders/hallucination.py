"""Which words of a recogniser are believed: recognisers hear words in everything.

After any engine of `speech`. Pure. What is not believed is told, with its place and
its reason, so that a policy can ask for a person.
"""

import re
from collections.abc import Sequence
from typing import Final

from encoders.signals import GatedSpeech, GateReason, SpeechResult, SpeechSegment

# Whisper's own thresholds (whisper/transcribe.py).
NO_SPEECH_PROB: Final = 0.6
AVG_LOGPROB: Final = -1.0
COMPRESSION_RATIO: Final = 2.4

# Of a segment's time: words that Whisper calls failed need a voice under most of it,
# all others under some. Its times are rough, so a quarter of a second is enough there;
# Silero calls no shorter voice speech.
_UNSURE_VOICE_SHARE: Final = 0.5
_LEAST_VOICE_SHARE: Final = 0.1
_LEAST_VOICE_S: Final = 0.25

# A chorus says a line four times, and "no no no no" is speech; loops go on.
_LONGEST_REPEATED: Final = 8  # Words.
_MOST_REPEATS: Final = 5
_MOST_SAME_SEGMENTS: Final = 4

_WORD: Final = re.compile(r"\w+")


def believed(
    result: SpeechResult, voice: Sequence[tuple[float, float]] | None
) -> SpeechResult:
    """Keep the segments of one window that are speech; say what was not, and why.

    Args:
        result: what an engine gave for the window.
        voice: where a detector heard a voice, (start, end) in seconds of the sound, in
            order; None where none listened.
    """
    kept: list[SpeechSegment] = []
    gated = list(result.gated)
    last, times = "", 0
    for segment in result.segments:
        words = " ".join(_WORD.findall(segment.text.lower()))
        times = times + 1 if words == last else 1
        last = words
        reason = _doubt(segment, words, voice)
        if reason is None and times > _MOST_SAME_SEGMENTS:
            reason = "repetitive"
        if reason is None:
            kept.append(segment)
        else:
            gated.append(GatedSpeech(segment.start_s, segment.end_s, reason))
    language = result.language if kept else None
    return SpeechResult(language, tuple(kept), tuple(gated))


def _doubt(
    segment: SpeechSegment, words: str, voice: Sequence[tuple[float, float]] | None
) -> GateReason | None:
    duration_s = segment.end_s - segment.start_s
    if not words or duration_s <= 0:
        return "empty"
    if (segment.compression_ratio or 0.0) > COMPRESSION_RATIO or is_loop(words.split()):
        return "repetitive"
    failed = (segment.avg_logprob or 0.0) < AVG_LOGPROB
    if failed and (segment.no_speech_prob or 0.0) > NO_SPEECH_PROB:
        return "no_speech"
    if voice is None:
        return None
    voice_s = overlap_s(segment, voice)
    least_s = min(_LEAST_VOICE_S, duration_s / 2)
    if voice_s < max(least_s, _LEAST_VOICE_SHARE * duration_s):
        return "no_voice"
    return "unsure" if failed and voice_s < _UNSURE_VOICE_SHARE * duration_s else None


def overlap_s(segment: SpeechSegment, voice: Sequence[tuple[float, float]]) -> float:
    """Return how many seconds of a segment have a voice under them."""
    return sum(
        max(0.0, min(end_s, segment.end_s) - max(start_s, segment.start_s))
        for start_s, end_s in voice
    )


def is_loop(words: Sequence[str]) -> bool:
    """Tell whether up to eight words are said more than five times, one by one.

    Linear in the words for each length of the repeated phrase.
    """
    for size in range(1, _LONGEST_REPEATED + 1):
        same = 0
        for at in range(size, len(words)):
            same = same + 1 if words[at] == words[at - size] else 0
            if same >= size * _MOST_REPEATS:
                return True
    return False
