"""What the sections are given: labelled rows with scores of heads that never saw them.

The edge of the package: it reads the shared data and the out-of-fold file. Another head
or another data set comes in here, and no section knows the difference.
"""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.records import Action, Category
from streams.evaluation.campaign_traffic import Embed
from streams.evaluation.linear_baseline import LinearBaseline, read_linear_baseline
from streams.evaluation.out_of_fold import OutOfFoldScores
from streams.evaluation.wanted import SEGMENT_S
from streams.policy import Policy
from streams.scorers.long_form import pooled_columns
from streams.training.clusters import clusters
from streams.training.examples import Example, label_matrix

# Probabilities of an upload's parts, shape (n_parts, n_categories), to the upload's,
# shape (n_categories,).
Pool = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a section may use; none reads a file that is not below `data`."""

    examples: Sequence[Example]
    groups: NDArray[np.int64]  # Cluster of each example: near copies share one.
    labels: NDArray[np.float32]  # Shape (n, categories); NaN where unknown.
    probabilities: NDArray[np.float64]  # The same shape, in [0, 1], out of fold.
    baseline: NDArray[np.float64]  # Shape (n,): the linear baseline's.
    folds: NDArray[np.int8]  # Shape (n,).
    scores: OutOfFoldScores  # Of the rows, disguised copies and clean segments.
    linear: LinearBaseline
    thresholds: Mapping[Category, float]  # From which on the policy asks for review.
    pool: Pool
    data: Path
    nab: Path | None = None  # A folder in NAB's own shape, if one was given.
    embed: Embed | None = None  # The text model, for traffic that is made up.

    def of(self, *sources: str) -> NDArray[np.bool_]:
        """Return which rows come from `sources`."""
        return np.array([e.source in sources for e in self.examples])

    def column(self, category: Category) -> int:
        """Return the category's column."""
        return self.scores.categories.index(category)

    def flagged(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which rows reach a threshold of some category, shape (n,)."""
        limits = [self.thresholds.get(c, np.inf) for c in self.scores.categories]
        flags: NDArray[np.bool_] = np.any(probabilities >= np.array(limits), axis=1)
        return flags


def worst_part(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pool as `TextRisk.score` does short uploads: the riskiest part counts."""
    worst: NDArray[np.float64] = probabilities.max(axis=0)
    return worst


def pool_of(scores: OutOfFoldScores) -> Pool:
    """Pool clean half-minutes as `TextRisk.score` does the segments of a transcript."""

    def pool(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        return pooled_columns(probabilities, scores.categories, 60 / SEGMENT_S)

    return pool


def review_thresholds(policy: Policy) -> dict[Category, float]:
    """Return from which probability on the policy holds an upload for a person."""
    return {
        Category(rule.name.upper()): rule.threshold
        for rule in policy.rules
        if rule.subject == "category" and rule.action == Action.REVIEW
    }


def load_inputs(
    examples: Sequence[Example],
    scores: OutOfFoldScores,
    policy: Policy,
    data: Path,
    nab: Path | None = None,
    pool: Pool = worst_part,
    embed: Embed | None = None,
) -> Inputs:
    """Put rows, out-of-fold scores and the baseline's scores side by side.

    Raises:
        StartError: the out-of-fold file is of other data.
        OSError: the baseline's weights can't be read.
    """
    texts = [e.text for e in examples]
    rows = scores.rows_of(texts)
    linear = read_linear_baseline(data / "weights" / "profanity_check_linear")
    return Inputs(
        examples=examples,
        groups=clusters(examples),
        labels=label_matrix(examples),
        probabilities=scores.probabilities[rows].astype(np.float64),
        baseline=linear(texts),
        folds=scores.folds[rows],
        scores=scores,
        linear=linear,
        thresholds=review_thresholds(policy),
        pool=pool,
        data=data,
        nab=nab,
        embed=embed,
    )


def functionalities(data: Path) -> dict[str, str]:
    """Return HateCheck's functionality of each test case's text."""
    path = data / "hatecheck" / "half_a.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines)
        return {row["test_case"].strip(): row["functionality"] for row in rows}
