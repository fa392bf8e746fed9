"""Scores media whose hash is in a bank of known ones."""

from dataclasses import dataclass

from schemas.records import (
    CATEGORIES,
    BankMatch,
    Category,
    ContentSignals,
    Evidence,
    ModelUse,
    UploaderHistory,
)
from streams.scorers.base import Score

PDQ_MATCH_BITS = 31  # PDQ's own "same picture" distance (Meta, hashing.pdf).
VALUE_AT_MATCH_BITS = 0.9  # What such a match is worth, against 1.0 for the same bits.


@dataclass(frozen=True, slots=True)
class HashMatch:
    """1.0 for an exact match; a perceptual one loses 0.1 over PDQ's 31 bits."""

    name: str = "hash_match"
    categories: tuple[Category, ...] = CATEGORIES  # A bank says what it is a bank of.
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score a category that a bank matched in, with every match of it."""
        by_category: dict[Category, list[BankMatch]] = {}
        for match in signals.matches:
            by_category.setdefault(match.category, []).append(match)
        return tuple(
            self._scored(category, by_category[category])
            for category in Category  # UNKNOWN too: a bank newer than we are.
            if category in by_category
        )

    def _scored(self, category: Category, matches: list[BankMatch]) -> Score:
        best = max(matches, key=match_value)  # The first of the best.
        known = Category.OTHER_POLICY if category is Category.UNKNOWN else category
        return Score(
            name=self.name,
            value=match_value(best),
            reason=_reason(best),
            category=known,
            evidence=tuple(_evidence(match) for match in matches),
        )


def match_value(match: BankMatch) -> float:
    """Return what a match is worth, in [0, 1]: 1.0 at distance 0, 0.9 at 31 bits."""
    lost = (1.0 - VALUE_AT_MATCH_BITS) * match.distance / PDQ_MATCH_BITS
    return max(0.0, min(1.0, 1.0 - lost))


def _reason(match: BankMatch) -> str:
    how = "exact" if match.distance == 0 else f"{match.distance} bits away"
    return f"{match.algorithm} of {match.bank} entry {match.entry_id}, {how}"


def _evidence(match: BankMatch) -> Evidence:
    return Evidence(
        source=match.role,
        reason=_reason(match),
        start_s=match.frame_s,
        end_s=match.frame_s,
        score=match_value(match),
    )
