"""Text as a reader sees it, for models: what hides words from them is undone.

Before `text`. Undone are Unicode's compatibility forms (NFKC), invisible characters,
piled-up marks, letters of look-alike scripts, text that runs backwards by an override,
spaced letters and digits for letters. Ordinary writing in any script stays itself.

Time is linear in the text; plain ASCII without suspicion costs two searches.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from encoders.disguised_characters import drop_invisible, fold, turn_back
from encoders.hidden_words import (
    APART,
    LEET,
    SPACED,
    THROUGHOUT,
    Words,
    is_apart,
    is_throughout,
    plain_word,
    read_throughout,
    spaced_words,
)
from encoders.look_alikes import homoglyph
from encoders.signals import Span
from encoders.text_draft import DECEIT, FASHION, Draft

# Passes over the text: what one uncovers the next may undo (a homoglyph in a spaced
# word). Two settle all but what was made to need more.
_MOST_PASSES: Final = 4
# Words that the share is of at least, so that one odd name is no disguised text.
_LEAST_WORDS: Final = 4

_WORD: Final = re.compile(r"[^\W\d_]+")
_TOKEN: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A text for models, and where its characters come from."""

    text: str
    origins: Sequence[int] | None  # Place in the raw text, each; None: unchanged.
    evasion: float  # In [0, 1]: the share of its words that were hidden.

    def raw_span(self, span: Span) -> Span:
        """Return the range of the raw text that a non-empty range here comes from."""
        if self.origins is None:
            return span
        part = self.origins[span.start_char : span.end_char]
        return Span(min(part), max(part) + 1)


def normalise(raw: str, words: Words) -> Normalised:
    """Undo what hides words; `words` are those that the text model knows.

    Idempotent: what it gives it leaves as it is.
    """
    draft = Draft(raw, range(len(raw)))
    for _ in range(_MOST_PASSES):
        before = draft.text
        if not draft.text.isascii():
            turn_back(draft)
            drop_invisible(draft)
            fold(draft)
            _replace_homoglyphs(draft, words)
        _close_up(draft)
        _join_spaced(draft, words)
        _read_leet(draft, words)
        if draft.text == before:
            break
    # A text of nothing but what was undone is no text to read: it stays, to be seen.
    if draft.text == raw or not draft.text.strip():
        return Normalised(raw, None, 0.0)
    return Normalised(draft.text, draft.origins, _evasion(draft))


def _evasion(draft: Draft) -> float:
    if not draft.disguised:
        return 0.0
    hidden, count = 0.0, 0
    for word in _TOKEN.finditer(draft.text):
        count += 1
        weights = [
            draft.disguised.get(at, 0.0) for at in draft.origins[slice(*word.span())]
        ]
        # One letter in another font is a sign (ℹ, ™, 10²), not a word in disguise.
        if max(weights) == DECEIT or sum(w > 0 for w in weights) > 1:
            hidden += max(weights)
    return round(min(1.0, hidden / max(_LEAST_WORDS, count)), 4)


def _replace_homoglyphs(draft: Draft, words: Words) -> None:
    """Give words of mixed scripts, and known words in another's letters, their own."""
    letters = list(draft.text)
    ascii_letters = sum(c.isascii() and c.isalpha() for c in letters)
    foreign_letters = sum(not c.isascii() and c.isalpha() for c in letters)
    for found in _WORD.finditer(draft.text):
        word = found[0]
        if word.isascii():
            continue
        plain = [homoglyph(c) if not c.isascii() else None for c in word]
        if not any(plain):
            continue
        whole = "".join(p or c for p, c in zip(plain, word, strict=True))
        is_mixed = any(c.isascii() for c in word)
        is_known = len(word) > 2 and whole.isascii() and whole.lower() in words
        if is_mixed or (is_known and ascii_letters > foreign_letters):
            letters[found.start() : found.end()] = whole
            draft.mark(draft.origins[slice(*found.span())], DECEIT)
    draft.text = "".join(letters)


def _close_up(draft: Draft) -> None:
    """Close up a text whose letters all stand apart: its gaps say where words end."""
    if not is_apart(draft.text):
        return
    parts: list[tuple[str, int]] = []
    at = 0
    for found in APART.finditer(draft.text):
        parts += _as_is(draft, at, found.start())
        places = draft.origins[found.start() : found.end() : 2]
        parts += zip(found[0][::2], places, strict=True)
        draft.mark(places, FASHION)
        at = found.end()
    parts += _as_is(draft, at, len(draft.text))
    # What parted the words is more than one blank no longer.
    kept = [
        part
        for part, before in zip(parts, [("", 0), *parts], strict=False)
        if not (part[0] == before[0] == " ")
    ]
    draft.rewrite(kept)


def _join_spaced(draft: Draft, words: Words) -> None:
    """Close up single letters that make words: `h a t e`, `h.a.t.e`."""
    parts: list[tuple[str, int]] = []
    at = 0
    for found in SPACED.finditer(draft.text):
        places = draft.origins[found.start() : found.end() : 2]
        said = spaced_words(found[0][::2], words)
        if said is None:
            continue
        parts += _as_is(draft, at, found.start())
        first = 0
        for word in said:
            if first:
                parts.append((" ", places[first]))
            parts += zip(word, places[first : first + len(word)], strict=True)
            first += len(word)
        # Initials such as U.S.A. are written so.
        if not (found[1] == "." and found[0].isupper()):
            draft.mark(places, FASHION)
        at = found.end()
    if at:
        draft.rewrite([*parts, *_as_is(draft, at, len(draft.text))])


def _as_is(draft: Draft, start: int, end: int) -> Iterable[tuple[str, int]]:
    return zip(draft.text[start:end], draft.origins[start:end], strict=True)


def _read_leet(draft: Draft, words: Words) -> None:
    """Write letters for the digits and signs that stand for them."""
    # A mark of exclamation at the end is one.
    tokens = [(f, f[0].rstrip("!|")) for f in LEET.finditer(draft.text)]
    sure = sum(plain_word(token, words) is not None for _, token in tokens)
    if not sure:
        return
    throughout = is_throughout(sure, len(draft.text.split()))
    if throughout:
        tokens = [(f, f[0].rstrip("!|'")) for f in THROUGHOUT.finditer(draft.text)]
    pieces = []
    at = 0
    for found, token in tokens:
        if throughout:
            word = read_throughout(token, words)
        else:
            word = plain_word(token, words, in_leet=True)
        if word is not None:
            pieces += [draft.text[at : found.start()], word]
            at = found.start() + len(token)
            draft.mark(draft.origins[found.start() : at], FASHION)
    draft.text = "".join(pieces) + draft.text[at:]
