"""The judge of the matrix: its policy, and a scorer that gives what signals state."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    CATEGORIES,
    Category,
    ContentSignals,
    ModelUse,
    PictureLabel,
    RiskDecision,
    UploaderHistory,
)
from streams.braking import PartitionBrakes
from streams.judge import Judge
from streams.pipeline import Histories, decide
from streams.policy_file import parse_policy_folder
from streams.scorers import Score
from tests.contracts.decision_matrix.case import MODEL, MatrixCase
from tests.contracts.decision_matrix.policy import FILES

CODEC = Codec(CommittedIds())


@dataclass(frozen=True)
class StatedScores:
    """Gives the scores that the signals state: labels such as `score:hate`."""

    name: str = MODEL
    categories: tuple[Category, ...] = CATEGORIES
    # Not under the role of a risk head: replay would look for that head's file.
    models: tuple[ModelUse, ...] = (ModelUse("stated", MODEL, "ab" * 32),)
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Return them in their order."""
        return tuple(self._one(label) for label in signals.labels)

    def _one(self, label: PictureLabel) -> Score:
        space, _, name = label.label.partition(":")
        category = Category(name.upper()) if space == "score" else None
        return Score(name, label.probability, "stated", category)


@cache
def matrix_judge() -> Judge:
    """Return the judge of the matrix; pure, so one serves all."""
    policy = parse_policy_folder(FILES, "matrix").policy
    return Judge((StatedScores(),), policy)


@cache
def judged(case: MatrixCase) -> RiskDecision:
    """Judge a case's uploads in a partition of their own; return the last word."""
    histories: Histories = {}
    brakes = PartitionBrakes()
    word: RiskDecision | bytes | None = None
    for upload in case.uploads:
        word = decide(matrix_judge(), upload, histories, CODEC.encode, brakes)
    assert isinstance(word, RiskDecision)
    return word


def last_words(decisions: Sequence[RiskDecision]) -> dict[str, RiskDecision]:
    """Return the last of the decisions on each content."""
    return {decision.content_id: decision for decision in decisions}
