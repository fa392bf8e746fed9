"""One kind of text of the last uploads, by place: what is alike, and what it says."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.campaigns.bounds import (
    ALIKE_TEXT_BITS,
    ALIKE_TEXT_SHARE,
    BODY_PAIRS,
    SAME_TEXT_BITS,
    SAME_TEXT_SHARE,
    TEXT_ONLY_PAIRS,
    TITLE_PAIRS,
)
from streams.campaigns.near_index import NOWHERE, ItemIndex, Places, SignatureIndex
from streams.campaigns.traits import TextTrait

_PAIRS: Final = 32  # That are kept of a text, the smallest hashes.


class TextShelf:
    """Texts by their embedding's signature, and by the telling word pairs in them."""

    def __init__(self, kind: str, places: int) -> None:
        self._least = TITLE_PAIRS if kind == "title" else BODY_PAIRS
        self._may_stand_alone = kind != "title"
        self._signatures = SignatureIndex(places)
        self._said = ItemIndex(places, _PAIRS)

    def put(self, place: int, signature: bytes, said: tuple[int, ...]) -> None:
        """Put a text at a place, with the word pairs that were rare."""
        self._signatures.put(place, signature)
        self._said.put(place, _packed(said[:_PAIRS]))

    def has(self, places: Places) -> NDArray[np.bool_]:
        """Return whether there is a text at each place: bool, shape (n_places,)."""
        return self._signatures.has(places)

    def said(self, places: Places) -> frozenset[int]:
        """Return the telling word pairs that stand at any of the places."""
        return frozenset(self._said.items(places).tolist())

    def find(self, text: TextTrait) -> Places:
        """Return places whose text may be alike."""
        if len(text.pairs) < self._least:
            return NOWHERE
        found = self._said.near(_packed(text.pairs), self._least, ALIKE_TEXT_SHARE)
        if text.signature:
            near = self._signatures.near(text.signature, ALIKE_TEXT_BITS)
            found = np.concatenate((found, near))
        return found

    def compare(
        self, text: TextTrait, places: Places
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return evidence in halves, and how much each text said: int64, (n_places,).

        Two halves are for the same text, where it says enough to stand on its own.
        """
        if len(text.pairs) < self._least:
            nothing = np.zeros(len(places), np.int64)
            return nothing, nothing
        said = self._said.size(places)
        shared = self._said.shared(_packed(text.pairs), places)
        bits = np.full(len(places), 256, np.uint16)
        if text.signature:
            bits = self._signatures.bits(text.signature, places)
        most = np.maximum(self._least, ALIKE_TEXT_SHARE * said)
        is_alike = ((bits <= ALIKE_TEXT_BITS) | (shared >= most)) & (
            said >= self._least
        )
        halves = is_alike.astype(np.int64)
        if self._may_stand_alone and len(text.pairs) >= TEXT_ONLY_PAIRS:
            is_same = (bits <= SAME_TEXT_BITS) | (shared >= SAME_TEXT_SHARE * said)
            halves += is_alike & is_same & (said >= TEXT_ONLY_PAIRS)
        return halves, said


def _packed(pairs: tuple[int, ...]) -> bytes:
    return np.array(pairs, "<u4").tobytes()
