"""What a scorer is and what it gives: a number in [0, 1] with a reason."""

from dataclasses import dataclass
from typing import Protocol

from schemas.records import (
    Category,
    ContentSignals,
    Evidence,
    ModelUse,
    UploaderHistory,
)


@dataclass(frozen=True, slots=True)
class Score:
    """How risky, or how unusual, an upload is to one scorer; higher is riskier.

    With a category it is a probability of that harm; without, an anomaly score.
    """

    name: str
    value: float  # In [0, 1].
    reason: str
    category: Category | None = None
    evidence: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        # A NaN passes under every threshold, so it must never get as far as one.
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(
                f"scorer {self.name} gave {self.value!r}; expected a number in "
                "[0, 1]; mend the scorer"
            )


class Scorer(Protocol):
    """Scores one upload against its uploader's history; changes neither.

    Pure and fast: no I/O, no clock, no randomness but seeded constants. No thresholds:
    what a score leads to is the policy's word.
    """

    @property
    def name(self) -> str:
        """The score's name, as the policy and the decision say it."""

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories it can speak on; empty for an anomaly scorer."""

    @property
    def models(self) -> tuple[ModelUse, ...]:
        """The models it uses; empty for rules."""

    @property
    def languages(self) -> frozenset[str] | None:
        """The languages it reads, ISO 639-1; None where that makes no difference.

        It gives no score for a text that is surely in another, and the decision says
        that one is missing.
        """

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Score the upload; no score where the input it needs is missing.

        Never raises for odd signals: an empty or non-finite embedding is no embedding.
        """


def is_read(language: str | None, languages: frozenset[str] | None) -> bool:
    """Whether who reads `languages` reads a text; one of unknown language is tried."""
    return language is None or languages is None or language in languages
