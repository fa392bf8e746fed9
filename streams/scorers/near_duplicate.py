"""Scores a flood of near copies from one uploader."""

from dataclasses import dataclass
from datetime import timedelta

from schemas.records import (
    Category,
    ContentSignals,
    ModelUse,
    RecentUpload,
    UploaderHistory,
)
from streams.fingerprint import differing_bits, signature
from streams.history import has_event_time
from streams.scorers.base import Score

WINDOW = timedelta(days=1)
# Of 256 bits. Measured with the shipped text model on 400 text messages (`python -m
# tests.benchmarks.near_copies`): 95 % of copies with a word added, dropped, shouted or
# renumbered are within 44 bits (94 % without the adapter), and 0.014 % of pairs of
# different messages (0.011 %).
NEAR_BITS = 44
HALF_COPIES = 6  # Copies at which the value is a half; an album's names may be alike.


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Counts other contents within a day whose signature is within 44 of 256 bits.

    The value is 1 - 2^(-copies / 6): 0.2 for two copies, 0.5 for six, 0.97 for thirty.
    It goes by count and not by share, so that a flood can't be watered down. Other
    revisions of the same content are no copies. An upload whose time can't be used is
    compared with everything remembered.
    """

    name: str = "near_duplicate"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; none for an upload that has no signature."""
        own = signature(signals)
        if not own:
            return ()
        others = [e for e in history.recent if _comparable(e, signals)]
        contents = {entry.content_id for entry in others}
        copies = {
            entry.content_id
            for entry in others
            if differing_bits(entry.signature, own) <= NEAR_BITS
        }
        value = float(1.0 - 2.0 ** (-len(copies) / HALF_COPIES))
        reason = f"near copy of {len(copies)} of {len(contents)} other uploads in a day"
        return (Score(self.name, value, reason),)


def _comparable(entry: RecentUpload, signals: ContentSignals) -> bool:
    if not entry.learned or not entry.signature:
        return False
    if entry.content_id == signals.event.content_id:
        return False
    away = abs(entry.event_time - signals.event.event_time)
    return away < WINDOW or not has_event_time(signals)
