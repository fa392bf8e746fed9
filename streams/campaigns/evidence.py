"""What speaks for an upload being a near copy of each of some others."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.campaigns.bounds import (
    COMMON_UPLOADS,
    COVER_BITS,
    ENOUGH,
    SHARED_ITEMS,
    TEXT_ONLY_PAIRS,
)
from streams.campaigns.near_index import ItemIndex, Places, SignatureIndex
from streams.campaigns.text_shelf import TextShelf
from streams.campaigns.traits import SOUND_ITEMS, Traits

TEXTS: Final = ("title", "body", "speech")
KINDS: Final = (*TEXTS, "cover", "sound", "file")
_TITLE, _BODY, _SPEECH, _COVER, _SOUND, _FILE = range(len(KINDS))
_MOST_PLACES: Final = 8  # Of one file.
Halves = NDArray[np.int64]
Said = dict[str, tuple[int, ...]]  # The telling word pairs of each kind of text.


@dataclass(frozen=True, slots=True)
class Evidence:
    """Some other uploads, and what each shares with the one that is looked at.

    `halves` counts the evidence of each kind, int64, shape (n_kinds, n_places).
    """

    places: Places
    halves: Halves

    @property
    def total(self) -> Halves:
        """Evidence for each place, in halves."""
        summed: Halves = self.halves.sum(axis=0)
        return summed

    def kinds(self, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
        """Return the kinds that any of the chosen places shares."""
        shared = np.flatnonzero(self.halves[:, chosen].any(axis=1))
        return tuple(KINDS[row] for row in shared.tolist())


class Shelf:
    """The traits of the last uploads, by place; finds and compares them."""

    def __init__(self, places: int) -> None:
        self._texts = {kind: TextShelf(kind, places) for kind in TEXTS}
        self._covers = SignatureIndex(places)
        self._sounds = ItemIndex(places, SOUND_ITEMS)
        self._files: dict[str, list[int]] = {}  # To the newest places.
        self._files_at: list[tuple[str, ...]] = [()] * places
        self._has_file = np.zeros(places, np.bool_)

    def put(self, place: int, traits: Traits, said: Said) -> None:
        """Put an upload's traits at a place, over what stood there."""
        for kind, shelf in self._texts.items():
            shelf.put(place, traits.text(kind).signature, said[kind])
        self._covers.put(place, traits.cover)
        self._sounds.put(place, traits.sound)
        self._put_files(place, traits.files)

    def said(self, kind: str, places: Places) -> frozenset[int]:
        """Return the telling word pairs that stand at any of the places."""
        return self._texts[kind].said(places)

    def find(self, traits: Traits) -> Places:
        """Return places that share something with an upload, sorted."""
        found = [self._texts[kind].find(traits.text(kind)) for kind in TEXTS]
        if traits.cover:
            found.append(self._covers.near(traits.cover, COVER_BITS))
        if traits.sound:
            found.append(self._sounds.near(traits.sound, SHARED_ITEMS))
        found.append(self._with_file(traits.files))
        return np.unique(np.concatenate(found))

    def compare(
        self,
        traits: Traits,
        places: Places,
        is_same_uploader: NDArray[np.bool_],
        is_joined: NDArray[np.bool_],
        *,
        is_warm: bool,
    ) -> Evidence:
        """Weigh what an upload shares with those at some places.

        What one uploader's uploads share counts only if the content is the same: their
        series has one cover, one template and one description.

        Args:
            traits: of the upload.
            places: as `find` gives them.
            is_same_uploader: bool, shape (n_places,).
            is_joined: those in a campaign, whose size makes nothing common; likewise.
            is_warm: it is known by now which text is common.
        """
        halves = np.zeros((len(KINDS), len(places)), np.int64)
        if not len(places):
            return Evidence(places, halves)
        said = np.zeros((len(TEXTS), len(places)), np.int64)
        for row, kind in enumerate(TEXTS):
            compared = self._texts[kind].compare(traits.text(kind), places)
            halves[row], said[row] = compared
        if traits.cover:
            halves[_COVER] = self._covers.bits(traits.cover, places) <= COVER_BITS
        if traits.sound:
            heard = self._sounds.shared(traits.sound, places) >= SHARED_ITEMS
            halves[_SOUND] = heard * np.where(is_same_uploader, 2, 1)
        halves[_FILE] = 2 * np.isin(places, self._with_file(traits.files))
        unlike = self._is_unlike(traits, places, halves)
        halves[_BODY, unlike] = np.minimum(halves[_BODY, unlike], 1)
        no_file = ~self._has_file[places] & (not traits.files)
        is_copy = (halves[_SPEECH:] == 2).any(axis=0)
        is_copy |= (halves[_BODY] == 2) & no_file
        halves[:, is_same_uploader & ~is_copy] = 0
        _void_common(halves, ~is_same_uploader & ~is_joined)
        only_text = ~halves[_COVER:].any(axis=0)
        told = np.where(halves[: len(TEXTS)] > 0, said, 0).sum(axis=0)
        if not is_warm:
            told[:] = 0
        halves[:, only_text & (told < TEXT_ONLY_PAIRS)] = 0
        return Evidence(places, halves)

    def _is_unlike(
        self, traits: Traits, places: Places, halves: Halves
    ) -> NDArray[np.bool_]:
        """Return where something beside the text is there on both sides and unlike."""
        unlike = np.zeros(len(places), np.bool_)
        if traits.title.signature:
            unlike |= self._texts["title"].has(places) & (halves[_TITLE] == 0)
        if traits.cover:
            unlike |= self._covers.has(places) & (halves[_COVER] == 0)
        if traits.sound:
            unlike |= (self._sounds.size(places) > 0) & (halves[_SOUND] == 0)
        return unlike

    def _put_files(self, place: int, files: tuple[str, ...]) -> None:
        for sha256 in self._files_at[place]:
            kept = [other for other in self._files.get(sha256, []) if other != place]
            if kept:
                self._files[sha256] = kept
            else:
                self._files.pop(sha256, None)
        self._files_at[place] = files
        self._has_file[place] = bool(files)
        for sha256 in files:
            newest = [*self._files.get(sha256, []), place]
            self._files[sha256] = newest[-_MOST_PLACES:]

    def _with_file(self, files: tuple[str, ...]) -> Places:
        return np.array([p for f in files for p in self._files.get(f, ())], np.int64)


def _void_common(halves: Halves, is_other: NDArray[np.bool_]) -> None:
    """Strike single evidence that many share who share nothing else."""
    for row in halves[:_FILE]:
        is_shared = (row == 1) & is_other
        others = int(np.count_nonzero(is_shared))
        if others > COMMON_UPLOADS:
            enough = np.count_nonzero(is_shared & (halves.sum(axis=0) >= ENOUGH))
            if 2 * enough < others:
                row[row == 1] = 0
