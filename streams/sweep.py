"""Finds uploads that a bank came to know after they were judged; core, no I/O.

Every record of content.signals.v1 passes `note`. From then on each bank entry that
matches an upload stands in that upload's signals or in SWEPT signals behind them, or
`missed` gives those SWEPT signals. So the topic alone says what is left to do, whoever
crashed in between, and an entry that came while an upload was on its way is not missed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.records import (
    BankMatch,
    CampaignFact,
    ContentSignals,
    MediaHash,
    Stage,
    SweptEntry,
)

FindMatches = Callable[[Sequence[MediaHash]], Sequence[BankMatch]]
_Upload = tuple[str, int]  # Content id and revision.


@dataclass(frozen=True, slots=True)
class _Done:
    """The entries that an upload's signals name already."""

    event_time: datetime
    entries: frozenset[SweptEntry]


class Sweep:
    """What is known of the uploads of one partition."""

    def __init__(self, matches: FindMatches, window: timedelta) -> None:
        """Prepare.

        Args:
            matches: finds hashes in the banks as they are now.
            window: uploads older than this are left alone.
        """
        self._matches = matches
        self._window = window
        self._done: dict[_Upload, _Done] = {}
        # A new decision must not forget the campaign that an earlier one told.
        self._campaigns: dict[_Upload, tuple[datetime, CampaignFact]] = {}

    def note(self, signals: ContentSignals) -> None:
        """Learn which entries an upload's signals already name."""
        named = frozenset(entry_of(match) for match in signals.matches)
        if named and signals.stage is not Stage.SCREENED:
            known = self._done.get(_upload(signals))
            before = known.entries if known else frozenset()
            at = signals.event.event_time
            self._done[_upload(signals)] = _Done(at, before | named)
        if signals.campaign is not None:
            fact = signals.event.event_time, signals.campaign
            self._campaigns[_upload(signals)] = fact

    def missed(self, signals: ContentSignals, now: datetime) -> ContentSignals | None:
        """Return SWEPT signals with the matches that an upload's signals lack.

        None where nothing is missing, or the upload is too old.
        """
        is_judged = signals.stage is Stage.COMPLETE
        if not is_judged or signals.event.event_time < now - self._window:
            return None
        known = self._done.get(_upload(signals))
        done = known.entries if known else frozenset()
        found = self._matches(signals.hashes)
        new = [match for match in found if entry_of(match) not in done]
        if _upload(signals) in self._campaigns:
            _, campaign = self._campaigns[_upload(signals)]
            signals = replace(signals, campaign=campaign)
        return swept(signals, new) if new else None

    def expire(self, now: datetime) -> None:
        """Forget the uploads that left the window."""
        since = now - self._window
        self._done = {u: d for u, d in self._done.items() if d.event_time >= since}
        facts = self._campaigns.items()
        self._campaigns = {u: fact for u, fact in facts if fact[0] >= since}

    @property
    def uploads(self) -> int:
        """How many uploads match an entry."""
        return len(self._done)


def swept(signals: ContentSignals, new: Sequence[BankMatch]) -> ContentSignals:
    """Return an upload's signals with matches that were found afterwards."""
    entries = {entry_of(match) for match in new}
    return replace(
        signals,
        stage=Stage.SWEPT,
        matches=(*signals.matches, *new),
        sweep=tuple(sorted(entries, key=lambda e: (e.bank, e.entry_id))),
    )


def entry_of(match: BankMatch) -> SweptEntry:
    """Return which entry a match is of."""
    return SweptEntry(match.bank, match.entry_id)


def _upload(signals: ContentSignals) -> _Upload:
    return signals.event.content_id, signals.event.revision
