"""Cut a text into spans that fit a model's window; pure, given a tokenizer.

Before `text`, which embeds each span: nothing of a long text is left unseen.
"""

import re
from collections.abc import Callable
from typing import Final

from encoders.signals import Span

# Where each token of a text begins, in code points.
TokenStarts = Callable[[str], list[int]]

# English gives about 4.3 characters a token (SMS texts, MiniLM's vocabulary). More
# would be read than kept; it also bounds words that are one token however long.
_CHARS_PER_TOKEN: Final = 5
_INK: Final = re.compile(r"\S")
_GAP: Final = re.compile(r"\s+")
# A line's end, or a sentence's; Chinese and Japanese put no space behind theirs.
_SENTENCE_END: Final = re.compile(
    r"""\n+|(?<=[.!?…])\s+|(?<=[.!?…]["'”’)\]])\s+|(?<=[。！？])"""
)


def split_text(
    text: str, token_starts: TokenStarts, window_tokens: int
) -> tuple[Span, ...]:
    """Cut at ends of sentences, else of words, else anywhere; blank ends are trimmed.

    Takes time linear in the text: each step reads one block and keeps a share of it.
    """
    spans = []
    start = 0
    while (ink := _INK.search(text, start)) is not None:
        begin = ink.start()
        block = text[begin : begin + _CHARS_PER_TOKEN * window_tokens]
        is_last = begin + len(block) == len(text)
        start = begin + _cut(block, token_starts(block), window_tokens, is_last)
        spans.append(Span(begin, begin + len(text[begin:start].rstrip())))
    return tuple(spans)


def _cut(block: str, starts: list[int], window_tokens: int, is_last: bool) -> int:
    """Find how many characters of `block` the next span takes; at least one."""
    fits = len(starts) <= window_tokens
    if fits and is_last:
        return len(block)
    # Several tokens of one character begin at the same place; it is not cut apart.
    limit = len(block) if fits else max(starts[window_tokens], 1)
    # A sentence that ends early leaves a short span; better half full than many.
    return (
        _last_end(_SENTENCE_END, block, limit // 2, limit)
        or _last_end(_GAP, block, 0, limit)
        or limit
    )


def _last_end(pattern: re.Pattern[str], block: str, low: int, limit: int) -> int:
    # One character more is seen: the blank behind the last word may stand there.
    places = [match.start() for match in pattern.finditer(block, low, limit + 1)]
    return next((place for place in reversed(places) if low < place <= limit), 0)
