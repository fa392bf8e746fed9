"""Characters that are not what they look like: turned round, unseen, buried, a font.

Beside `normalise`, whose first steps these are.
"""

import re
import unicodedata
from typing import Final

from encoders.look_alikes import folded, is_alphabetic
from encoders.text_draft import DECEIT, FASHION, Draft

_MOST_MARKS: Final = 2  # On one letter, after composing; Vietnamese needs none.
# No writing has more marks (Unicode's Stream-Safe Text Format: 30), and sorting them
# takes time by the square.
_LONGEST_CLUSTER: Final = 31
_OVERRIDE: Final = re.compile("\u202e([^\u202a-\u202e\n]*)\u202c?")
# A joiner shapes letters in scripts that are no alphabet, and joins emoji.
_JOINERS: Final = frozenset("\u200b\u200c\u200d")
_SOFT_HYPHEN: Final = "\u00ad"  # In many web pages, so a fashion.
_CJK: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def turn_back(draft: Draft) -> None:
    """Write text in a right-to-left override as it is shown: from its end."""
    if "\u202e" not in draft.text:
        return
    parts: list[tuple[str, int]] = []
    at = 0
    for found in _OVERRIDE.finditer(draft.text):
        inside = range(*found.span(1))
        parts += [(draft.text[i], draft.origins[i]) for i in range(at, found.start())]
        parts += [(draft.text[i], draft.origins[i]) for i in reversed(inside)]
        draft.mark((draft.origins[i] for i in inside), DECEIT)
        at = found.end()
    parts += [(draft.text[i], draft.origins[i]) for i in range(at, len(draft.text))]
    draft.rewrite(parts)


def drop_invisible(draft: Draft) -> None:
    """Leave out format characters and variation selectors, but joiners that matter."""
    text, kept = draft.text, list[tuple[str, int]]()
    for at, character in enumerate(text):
        if character.isascii() or not _is_invisible(character):
            kept.append((character, draft.origins[at]))
            continue
        before = kept[-1][0] if kept else " "
        if character in _JOINERS and not before.isascii() and not is_alphabetic(before):
            kept.append((character, draft.origins[at]))
        elif kept and is_alphabetic(before) and is_alphabetic(text[at + 1 : at + 2]):
            weight = FASHION if character == _SOFT_HYPHEN else DECEIT
            draft.mark([kept[-1][1]], weight)
    if len(kept) < len(text):
        draft.rewrite(kept)


def _is_invisible(character: str) -> bool:
    if "\ufe00" <= character <= "\ufe0f" or character in "\u034f\u115f\u1160\u3164":
        return True
    return unicodedata.category(character) == "Cf"


def fold(draft: Draft) -> None:
    """Put each character with its marks into NFKC, without marks that bury it."""
    text, parts = draft.text, list[tuple[str, int]]()
    is_cjk = _CJK.search(text) is not None
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and _continues(text[end]):
            end += 1
        cluster, origin = text[at:end][:_LONGEST_CLUSTER], draft.origins[at]
        if cluster.isascii():
            parts.append((cluster, origin))
        else:
            plain = folded(cluster)
            bare = _without_pile(plain)
            if bare != plain:
                draft.mark([origin], DECEIT)
            elif _is_font(text[at], plain) and not is_cjk:
                draft.mark([origin], FASHION)
            parts.append((bare, origin))
        at = end
    draft.rewrite(parts)


def _continues(character: str) -> bool:
    if character.isascii():
        return False
    # Hangul's vowels and finals compose too, as in names of files from a Mac.
    return (
        unicodedata.category(character)[0] == "M" or "\u1161" <= character <= "\u11ff"
    )


def _without_pile(plain: str) -> str:
    """Strip marks that strike a letter through, frame it, or are more than two."""
    if len(plain) < 2 or not is_alphabetic(plain[0]):
        return plain
    marks = [c for c in plain[1:] if unicodedata.category(c)[0] == "M"]
    over = any(
        unicodedata.combining(c) == 1 or unicodedata.category(c) == "Me" for c in marks
    )
    if not over and len(marks) <= _MOST_MARKS:
        return plain
    return "".join(c for c in plain if c not in marks)


def _is_font(character: str, plain: str) -> bool:
    is_letter = len(plain) == 1 and plain.isascii() and plain.isalpha()
    return is_letter and not character.isascii() and character not in "ªº"
