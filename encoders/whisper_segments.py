"""Whisper's tokens become pieces of text with seconds, and what is left to decode.

Between `whisper_decoding` and `whisper_speech`; pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

SECONDS_PER_TIMESTAMP: Final = 0.02  # whisper/transcribe.py, time_precision.
_LEAST_REST_S: Final = 0.2  # No word is shorter.
_LEAST_PARTED_S: Final = 1.0  # Nobody says 224 tokens, Whisper's limit, in a second.


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens of one segment, timestamps among them, in seconds of their window."""

    start_s: float
    end_s: float
    tokens: tuple[int, ...]


def split_tokens(
    tokens: Sequence[int], *, timestamp_begin: int, duration_s: float, complete: bool
) -> tuple[list[Piece], float | None]:
    """Part the tokens of one window at their timestamps.

    Args:
        tokens: what was sampled, without the end token.
        timestamp_begin: the token of 0.00 s; all from there on are timestamps.
        duration_s: the window's length, without what it was padded with.
        complete: whether the model ended by itself, and not at the limit of tokens.

    Returns:
        The pieces in order of time, and from which second the window has to be decoded
        again; None when all was said.
    """
    stamps = [at for at, token in enumerate(tokens) if token >= timestamp_begin]
    # Whisper closes a segment and opens the next with two timestamps in a row.
    ends = [after for before, after in pairwise(stamps) if after == before + 1]
    is_closed = len(tokens) > 1 and stamps[-1:] == [len(tokens) - 1]
    is_closed = is_closed and tokens[-2] < timestamp_begin

    def second(at: int) -> float:
        return min((tokens[at] - timestamp_begin) * SECONDS_PER_TIMESTAMP, duration_s)

    bounds = [0, *ends, *([len(tokens)] if is_closed else [])]
    pieces = [
        Piece(second(start), second(end - 1), tuple(tokens[start:end]))
        for start, end in pairwise(bounds)
        if end - start > 1
    ]
    if complete and (is_closed or not pieces):
        return (pieces or _whole(tokens, stamps, duration_s)), None
    from_s = pieces[-1].end_s if pieces else 0.0
    if pieces and duration_s - from_s >= _LEAST_REST_S:
        return pieces, from_s
    if not pieces and not complete and duration_s > _LEAST_PARTED_S:
        return [], 0.0
    # Too little sound is left for another window; what was said of it stays.
    rest = tuple(tokens[bounds[-1] :])
    if any(token < timestamp_begin for token in rest):
        pieces.append(Piece(from_s, duration_s, rest))
    return pieces, None


def _whole(
    tokens: Sequence[int], stamps: Sequence[int], duration_s: float
) -> list[Piece]:
    """Without a closing timestamp, the text is the whole window's."""
    return [Piece(0.0, duration_s, tuple(tokens))] if len(tokens) > len(stamps) else []
