"""From what each scorer gave to one word a category, and one each anomaly."""

from dataclasses import replace
from typing import Final

from schemas.records import (
    CATEGORIES,
    AnomalyScore,
    Category,
    CategoryScore,
    Evidence,
)
from streams.scorers.base import Score

# Probabilities are rounded before policy sees them: their low bits differ between
# processors, and a decision must not.
PROBABILITY_DECIMALS: Final = 4
TOP_EVIDENCE: Final = 5  # Spans a category; a reviewer reads no more at a glance.
_UNSCORED: Final = {category: CategoryScore(category, None) for category in CATEGORIES}


def by_category(scores: tuple[Score, ...]) -> tuple[CategoryScore, ...]:
    """Merge the scores into every category, in CATEGORIES' order."""
    found: dict[Category, list[Score]] = {}
    for score in scores:
        if score.category is not None:
            found.setdefault(score.category, []).append(score)
    return tuple(
        _merged(category, found[category]) if category in found else unscored
        for category, unscored in _UNSCORED.items()
    )


def _merged(category: Category, scores: list[Score]) -> CategoryScore:
    """Take the highest score and the strongest evidence of all."""
    spans = [_rounded_evidence(e) for score in scores for e in score.evidence]
    spans.sort(key=lambda e: -1.0 if e.score is None else e.score, reverse=True)
    highest = max(score.value for score in scores)
    return CategoryScore(category, rounded(highest), tuple(spans[:TOP_EVIDENCE]))


def anomalies_of(scores: tuple[Score, ...]) -> tuple[AnomalyScore, ...]:
    """Return the scores that are of no category, in the scorers' order."""
    return tuple(
        AnomalyScore(score.name, rounded(score.value), score.reason)
        for score in scores
        if score.category is None
    )


def rounded(value: float) -> float:
    """Round as every number is that a policy sees."""
    return round(float(value), PROBABILITY_DECIMALS)


def _rounded_evidence(evidence: Evidence) -> Evidence:
    if evidence.score is None:
        return evidence
    return replace(evidence, score=rounded(evidence.score))
