"""When each word was said, from where Whisper's decoder looked as it wrote it.

Behind `whisper_speech`, where words were asked for.
"""

from collections.abc import Sequence
from typing import Any, Final

import whisper
from torch import Tensor
from whisper.timing import add_word_timestamps
from whisper.tokenizer import Tokenizer

from encoders.signals import SpokenWord, Waveform
from encoders.whisper_segments import Piece

_SAMPLES_PER_FRAME: Final = 160  # whisper/audio.py, HOP_LENGTH.


def spoken_words(
    model: whisper.Whisper,
    tokenizer: Tokenizer,
    pieces: Sequence[Piece],
    mel: Tensor,
    waveform: Waveform,
) -> list[tuple[SpokenWord, ...]]:
    """Return each piece's words, in seconds of the window.

    Takes one pass over the window: Whisper aligns one text at a time.
    """
    segments: list[dict[str, Any]] = [
        {"seek": 0, "start": p.start_s, "end": p.end_s, "tokens": list(p.tokens)}
        for p in pieces
    ]
    add_word_timestamps(
        segments=segments,
        model=model,
        tokenizer=tokenizer,
        mel=mel,
        num_frames=len(waveform.samples) // _SAMPLES_PER_FRAME,
        last_speech_timestamp=0.0,
    )
    return [
        tuple(_word(word, piece) for word in segment.get("words", ()))
        for segment, piece in zip(segments, pieces, strict=True)
    ]


def _word(raw: dict[str, Any], piece: Piece) -> SpokenWord:
    # Alignment is looser than the segment's own times; a word is within its segment.
    start_s = min(max(float(raw["start"]), piece.start_s), piece.end_s)
    end_s = min(max(float(raw["end"]), start_s), piece.end_s)
    return SpokenWord(
        start_s, end_s, str(raw["word"]).strip(), float(raw["probability"])
    )
