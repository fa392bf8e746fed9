"""What speaks for an upload being a near copy of each of some others."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.campaigns.bounds import (
    COMMON_UPLOADERS,
    COVER_BITS,
    ENOUGH,
    SHARED_ITEMS,
    TEXT_ONLY_PAIRS,
)
from streams.campaigns.near_index import NOWHERE, ItemIndex, Places, SignatureIndex
from streams.campaigns.text_shelf import TextShelf
from streams.campaigns.traits import SOUND_ITEMS, Traits

TEXTS: Final = ("title", "body", "speech")
KINDS: Final = (*TEXTS, "cover", "sound", "file")
_TITLE, _BODY, _SPEECH, _COVER, _SOUND, _FILE = range(len(KINDS))
_MOST_PLACES: Final = 8  # Of one file.
Halves = NDArray[np.int64]
Digests = NDArray[np.uint64]
Found = NDArray[np.bool_]
Said = dict[str, tuple[int, ...]]  # The telling word pairs of each kind of text.


@dataclass(frozen=True, slots=True)
class Evidence:
    """Some other uploads, and what each shares with the one that is looked at.

    `halves` counts the evidence of each kind, int64, shape (n_kinds, n_places).
    `is_text` says where nothing but text is shared, bool, shape (n_places,).
    """

    places: Places
    halves: Halves
    is_text: NDArray[np.bool_]

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

    def find(self, traits: Traits) -> tuple[Places, Found]:
        """Return places that share something with an upload, sorted, and by what.

        Returns:
            places: int64, shape (n_places,).
            found: which kind's index gave each, bool, shape (n_kinds, n_places).
        """
        by_kind = [self._texts[kind].find(traits.text(kind)) for kind in TEXTS]
        by_kind += [
            self._covers.near(traits.cover, COVER_BITS) if traits.cover else NOWHERE,
            self._sounds.near(traits.sound, SHARED_ITEMS) if traits.sound else NOWHERE,
            self._with_file(traits.files),
        ]
        places = np.unique(np.concatenate(by_kind))
        found = np.zeros((len(KINDS), len(places)), np.bool_)
        for row, given in enumerate(by_kind):
            if len(given):
                found[row, np.searchsorted(places, given)] = True
        return places, found

    def compare(
        self,
        traits: Traits,
        places: Places,
        found: Found,
        uploaders: Digests,
        own: np.uint64,
        is_joined: NDArray[np.bool_],
    ) -> Evidence:
        """Weigh what an upload shares with those at some places.

        What one uploader's uploads share counts only if the content is the same: their
        series has one cover, one template and one description.

        Args:
            traits: of the upload.
            places: as `find` gives them.
            found: likewise.
            uploaders: a digest of each place's uploader, uint64, shape (n_places,).
            own: of the upload's own.
            is_joined: those in a campaign, whose size makes nothing common; bool,
                likewise.
        """
        is_same_uploader = uploaders == own
        halves, said = self._shared(traits, places, is_same_uploader)
        # What follows only ever strikes evidence, and most uploads have too little.
        if not (halves.sum(axis=0) >= ENOUGH).any():
            return Evidence(places, np.zeros_like(halves), _is_text(halves))
        unlike = self._is_unlike(traits, places, halves)
        halves[_BODY, unlike] = np.minimum(halves[_BODY, unlike], 1)
        no_file = ~self._has_file[places] & (not traits.files)
        is_copy = (halves[_SPEECH:] == 2).any(axis=0)
        is_copy |= (halves[_BODY] == 2) & no_file
        halves[:, is_same_uploader & ~is_copy] = 0
        _void_common(halves, found, ~is_same_uploader & ~is_joined, uploaders)
        is_text = _is_text(halves)
        told = np.where(halves[: len(TEXTS)] > 0, said, 0).sum(axis=0)
        halves[:, is_text & (told < TEXT_ONLY_PAIRS)] = 0
        return Evidence(places, halves, is_text)

    def _shared(
        self, traits: Traits, places: Places, is_same_uploader: NDArray[np.bool_]
    ) -> tuple[Halves, NDArray[np.int64]]:
        """Return what is alike, in halves, and how much each place's texts said."""
        halves = np.zeros((len(KINDS), len(places)), np.int64)
        said = np.zeros((len(TEXTS), len(places)), np.int64)
        if not len(places):
            return halves, said
        for row, kind in enumerate(TEXTS):
            compared = self._texts[kind].compare(traits.text(kind), places)
            halves[row], said[row] = compared
        if traits.cover:
            halves[_COVER] = self._covers.bits(traits.cover, places) <= COVER_BITS
        if traits.sound:
            heard = self._sounds.shared(traits.sound, places) >= SHARED_ITEMS
            halves[_SOUND] = heard * np.where(is_same_uploader, 2, 1)
        halves[_FILE] = 2 * np.isin(places, self._with_file(traits.files))
        return halves, said

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


def _is_text(halves: Halves) -> NDArray[np.bool_]:
    """Return where nothing but text is shared, bool, shape (n_places,)."""
    found: NDArray[np.bool_] = halves[_COVER:].sum(axis=0) == 0
    return found


def _void_common(
    halves: Halves, found: Found, is_other: NDArray[np.bool_], uploaders: Digests
) -> None:
    """Strike single evidence that many share who share nothing else.

    Many are uploaders: one that floods makes nothing common. They are counted among all
    places that share it as evidence, and among those that the kind's own index gave:
    what these have alike may be too common by now to be evidence at their places, and
    whoever else was found shares something else, and so is no fair sample.
    """
    for row, by_own in zip(halves[:_FILE], found, strict=False):
        if not (row == 1).any():
            continue
        is_enough = halves.sum(axis=0) >= ENOUGH
        if any(
            _is_common(uploaders[asked], is_enough[asked])
            for asked in ((row == 1) & is_other, by_own & is_other)
        ):
            row[row == 1] = 0


def _is_common(uploaders: Digests, is_enough: NDArray[np.bool_]) -> bool:
    if len(uploaders) <= COMMON_UPLOADERS:
        return False
    many = len(np.unique(uploaders))
    return many > COMMON_UPLOADERS and 2 * len(np.unique(uploaders[is_enough])) < many
