"""Joins uploads to campaigns, one at a time, as they come."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from streams.campaigns.bounds import (
    CHAIN_UPLOADS,
    ENOUGH,
    TEXT_ONLY_PAIRS,
    WARM_UPLOADS,
)
from streams.campaigns.campaign import Campaign, Key, Member, campaign_id
from streams.campaigns.evidence import TEXTS, Evidence, Said, Shelf
from streams.campaigns.near_index import NOWHERE, Places
from streams.campaigns.rarity import Rarity
from streams.campaigns.traits import Traits
from streams.uploader_windows import uploader_digest


class Campaigns:
    """The campaigns among the last uploads; the same uploads give the same ones.

    Bounded: places for so many uploads, half as many campaigns, so many members each.
    An upload and a campaign meet only within the window, by event time.
    """

    def __init__(self, *, window_ms: int, most_uploads: int, most_members: int) -> None:
        """Prepare.

        Args:
            window_ms: uploads further apart are not compared.
            most_uploads: uploads that are compared; the oldest give way. About 1 KB
                each, on top of 150 MB.
            most_members: uploads kept of one campaign.
        """
        self._window_ms = window_ms
        self._most_uploads = most_uploads
        self._most_members = most_members
        self._shelf = Shelf(most_uploads)
        self._rarity = Rarity()
        self._keys: list[Key | None] = [None] * most_uploads
        self._place_of: dict[Key, int] = {}
        self._uploader = [""] * most_uploads
        self._digest = np.zeros(most_uploads, np.uint64)  # Of the uploader.
        self._at_ms = np.zeros(most_uploads, np.int64)
        self._number = np.zeros(most_uploads, np.int64)  # Of its campaign; 0: none.
        self._next_place = 0
        self._numbers = 0
        self._campaigns: dict[int, Campaign] = {}  # The longest quiet first.
        self._told: dict[Key, str] = {}  # To the id it was told; the oldest give way.
        # Copies that came before it was known what is rare.
        self._early: deque[Traits] = deque(maxlen=WARM_UPLOADS)
        self._late: dict[int, None] = {}  # Numbers of campaigns found among them.

    def __len__(self) -> int:
        """Count the campaigns, from two uploads on."""
        return len(self._campaigns)

    def observe(self, traits: Traits) -> Campaign | None:
        """Take an upload in and return the campaign it joined, as it is now.

        One that was observed before changes nothing. Others may be in `take_late`.
        """
        if traits.key in self._place_of:
            return self.of(traits.key)
        evidence = self._evidence(traits)
        backers = copies = evidence.total >= ENOUGH
        if not self._rarity.is_warm:
            backers = copies & ~evidence.is_text
        said = self._said(traits, evidence.places[copies])
        place = self._take_place(traits)
        self._shelf.put(place, traits, said)
        if not copies.any():
            # A campaign's own words must not become common by its size.
            pairs = [p for kind in TEXTS for p in traits.text(kind).pairs]
            self._rarity.count(traits.uploader_id, traits.at_ms / 1000, pairs)
        if backers.any():
            return self._join(place, evidence, backers)
        if copies.any():
            self._early.append(traits)
        elif self._early and self._rarity.is_warm:
            self._look_again()
        return None

    def take_late(self) -> list[Campaign]:
        """Return, once, the campaigns that were found by looking again, as they are."""
        numbers, self._late = self._late, {}
        return [self._campaigns[n] for n in numbers if n in self._campaigns]

    def of(self, key: Key) -> Campaign | None:
        """Return the campaign of an upload that was observed."""
        place = self._place_of.get(key)
        return None if place is None else self._campaigns.get(int(self._number[place]))

    def numbered(self, number: int) -> Campaign | None:
        """Return a campaign by its number; None once it is part of another."""
        return self._campaigns.get(number)

    def told(self, key: Key, told_id: str) -> None:
        """Note that an upload was told its campaign's id, now or in an earlier run."""
        self._told.pop(key, None)
        self._told[key] = told_id
        while len(self._told) > self._most_uploads:
            del self._told[next(iter(self._told))]
        campaign = self.of(key)
        if campaign is not None:
            self._keep_id(campaign, key)

    def forget_told(self, key: Key) -> None:
        """Note that an upload has to be told again."""
        self._told.pop(key, None)

    def untold(self, campaign: Campaign) -> list[Key]:
        """Return the members that were not told yet, in the order they came."""
        return [key for key in campaign.members if key not in self._told]

    def _said(self, traits: Traits, backers: Places) -> Said:
        """Return the rare word pairs; what was rare once stays so among near copies."""
        said: Said = {}
        for kind in TEXTS:
            pairs = traits.text(kind).pairs
            kept = set(self._rarity.rare(pairs))
            if len(backers):
                kept |= self._shelf.said(kind, backers) & set(pairs)
            said[kind] = tuple(sorted(kept))
        return said

    def _look_again(self) -> None:
        """Join the copies that came before it was known what is rare."""
        for traits in self._early:
            place = self._place_of.get(traits.key)
            said = self._said(traits, NOWHERE)
            if place is None or sum(map(len, said.values())) < TEXT_ONLY_PAIRS:
                continue
            evidence = self._evidence(traits, but=place)
            backers = evidence.total >= ENOUGH
            joined = self._join(place, evidence, backers) if backers.any() else None
            if joined is not None:
                self._late[joined.number] = None
        self._early.clear()

    def _evidence(self, traits: Traits, but: int = -1) -> Evidence:
        """Return what speaks for others, leaving out the upload's own place."""
        places, found = self._shelf.find(traits)
        away = np.abs(self._at_ms[places] - traits.at_ms)
        kept = (away <= self._window_ms) & (places != but)
        places = places[kept]
        return self._shelf.compare(
            traits,
            places,
            found[:, kept],
            self._digest[places],
            _digest(traits.uploader_id),
            self._number[places] > 0,
        )

    def _take_place(self, traits: Traits) -> int:
        place = self._next_place
        self._next_place = (place + 1) % self._most_uploads
        old = self._keys[place]
        if old is not None:
            del self._place_of[old]
        self._keys[place] = traits.key
        self._place_of[traits.key] = place
        self._uploader[place] = traits.uploader_id
        self._digest[place] = _digest(traits.uploader_id)
        self._at_ms[place] = traits.at_ms
        self._number[place] = 0
        return place

    def _join(
        self,
        place: int,
        evidence: Evidence,
        backers: NDArray[np.bool_],
    ) -> Campaign | None:
        """Join the campaign with most backers; found one with those that have none."""
        single: list[int] = []
        backed: dict[int, list[int]] = {}
        for at in np.flatnonzero(backers).tolist():
            number = int(self._number[evidence.places[at]])
            if number in self._campaigns:
                backed.setdefault(number, []).append(at)
            else:
                single.append(at)
        joined = [
            self._campaigns[number]
            for number, ats in backed.items()
            if self._is_backed(self._campaigns[number], evidence, ats)
        ]
        if not joined and not single:
            return None
        joined.sort(key=lambda c: (-len(backed[c.number]), c.founder))
        campaign = joined[0] if joined else self._found()
        for other in joined[1:]:
            campaign = self._merged(campaign, other)
        for one in (*evidence.places[single].tolist(), place):
            self._add(campaign, one)
        for kind in evidence.kinds(backers):
            campaign.alike[kind] = campaign.alike.get(kind, 0) + 1
        campaign.weigh(self._window_ms, self._most_members)
        return campaign

    def _is_backed(
        self, campaign: Campaign, evidence: Evidence, ats: list[int]
    ) -> bool:
        if len(campaign.members) < CHAIN_UPLOADS or len(ats) > 1:
            return True
        return bool((evidence.total[ats] > ENOUGH).any())

    def _found(self) -> Campaign:
        self._numbers += 1
        campaign = Campaign("", self._numbers, (2**63, ("", 0)))
        self._campaigns[self._numbers] = campaign
        while 2 * len(self._campaigns) > self._most_uploads:
            del self._campaigns[next(iter(self._campaigns))]
        return campaign

    def _add(self, campaign: Campaign, place: int) -> None:
        key = self._keys[place]
        assert key is not None, "an empty place was found"
        at_ms = int(self._at_ms[place])
        self._number[place] = campaign.number
        campaign.add(key, Member(self._uploader[place], at_ms))
        self._campaigns[campaign.number] = self._campaigns.pop(campaign.number)
        if not campaign.is_told and (at_ms, key) < campaign.founder:
            campaign.founder = (at_ms, key)
            campaign.campaign_id = campaign_id(key)
        self._keep_id(campaign, key)

    def _keep_id(self, campaign: Campaign, key: Key) -> None:
        if not campaign.is_told and key in self._told:
            campaign.campaign_id = self._told[key]
            campaign.is_told = True

    def _merged(self, one: Campaign, other: Campaign) -> Campaign:
        """Make one of two; those whose members know their ids stay apart."""
        if one.is_told and other.is_told:
            return one
        if other.is_told:
            one, other = other, one
        places = np.flatnonzero(self._number == other.number)
        for place in places.tolist():
            if self._keys[place] in other.members:
                self._add(one, place)
        for kind, uploads in other.alike.items():
            one.alike[kind] = one.alike.get(kind, 0) + uploads
        del self._campaigns[other.number]
        return one


def _digest(uploader_id: str) -> np.uint64:
    return np.uint64(int.from_bytes(uploader_digest(uploader_id), "little"))
