"""Out-of-fold scores and what they are worth; no figure is ever of a training row.

Every row is judged by a head, and a calibration, made without its fold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.training import metrics
from streams.training.calibrate import BASE_RATE, base_rate_weights, fit_platt
from streams.training.examples import COVERED, Example, label_matrix, weights_of
from streams.training.head import FloatArray

FOLDS = 3
# As published; copies, and the team's own texts, are in no figure. Tweets have lines of
# their own: they are most of the rows, and what a crowd calls hate is another thing.
PUBLIC = ("openai", "hatecheck", "sms", "youtube")
TWEETS = ("davidson", "mlma")
# Where labels are an expert's, or plain: the tweets' would flatten every probability.
CALIBRATED_ON = ("openai", "hatecheck", "sms", "youtube", "own")
_OPENAI_COLUMNS = [i for i, c in enumerate(COVERED) if c is not Category.FRAUD_SPAM]
THRESHOLD = 0.5  # For HateCheck's accuracy: "more likely than not" at the base rate.


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Every example with what heads that never saw its cluster say of it."""

    examples: Sequence[Example]
    groups: NDArray[np.int64]
    fold_of: NDArray[np.int64]
    labels: FloatArray  # Shape (n, categories); NaN where unknown.
    logits: FloatArray  # Shape (n, categories).
    probabilities: NDArray[np.float64]  # The same, calibrated on the other folds.
    limits: NDArray[np.float64]  # Shape (folds, categories): logits at THRESHOLD.

    def of(self, *sources: str) -> NDArray[np.bool_]:
        """Return which rows come from `sources`."""
        return np.array([e.source in sources for e in self.examples])


def judged_out_of_fold(
    examples: Sequence[Example],
    groups: NDArray[np.int64],
    fold_of: NDArray[np.int64],
    logits: FloatArray,
) -> OutOfFold:
    """Calibrate every fold's logits on the other folds."""
    labels, weights = label_matrix(examples), calibration_weights(examples)
    probabilities, limits = _cross_fit(logits, labels, weights, fold_of)
    return OutOfFold(examples, groups, fold_of, labels, logits, probabilities, limits)


def calibration_weights(examples: Sequence[Example]) -> FloatArray:
    """Return what each row counts in calibration, float32, shape (n,)."""
    weights = weights_of(examples)
    trusted = [e.source in CALIBRATED_ON for e in examples]
    return np.where(trusted, weights, 0.0).astype(np.float32)


def _cross_fit(
    logits: FloatArray,
    labels: FloatArray,
    weights: FloatArray,
    fold_of: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    probabilities = np.zeros(logits.shape)
    limits = np.zeros((int(fold_of.max()) + 1, labels.shape[1]))
    for column in range(labels.shape[1]):
        known = ~np.isnan(labels[:, column])
        for fold in np.unique(fold_of):
            rest, held = known & (fold_of != fold), fold_of == fold
            platt = fit_platt(logits[rest, column], labels[rest, column], weights[rest])
            probabilities[held, column] = platt(logits[held, column])
            limits[fold, column] = -platt.offset / platt.slope
    return probabilities, limits


def report(result: OutOfFold, seed: int) -> str:
    """Return the figures as Markdown, each with its 95 % interval."""
    return "\n".join(
        [
            *_category_table(result, "OpenAI prompts", result.of("openai"), seed),
            "",
            *_category_table(
                result, "Public rows but tweets", result.of(*PUBLIC), seed
            ),
            "",
            *_openai_any(result, seed),
            *_hatecheck(result, seed),
            *_tweets(result, seed),
            "",
            *_functionalities(result),
        ]
    )


def openai_any(
    result: OutOfFold,
) -> tuple[FloatArray, NDArray[np.float64], NDArray[np.int64]]:
    """Return "any category" labels, scores and clusters of the OpenAI prompts.

    As in the published comparisons, an unknown label counts as negative.
    """
    rows = result.of("openai")
    labels = np.nanmax(np.nan_to_num(result.labels[rows]), axis=1)
    scores = result.probabilities[rows][:, _OPENAI_COLUMNS].max(axis=1)
    return labels.astype(np.float32), scores, result.groups[rows]


def _at_own_base_rates(result: OutOfFold) -> NDArray[np.float64]:
    rows, columns = result.of("openai"), _OPENAI_COLUMNS
    labels = result.labels[rows][:, columns].astype(np.float64)
    known = np.maximum(np.sum(~np.isnan(labels), axis=0), 1)
    shares = np.clip(np.nansum(labels, axis=0) / known, 1e-3, 1 - 1e-3)
    odds = shares / (1 - shares) / (BASE_RATE / (1 - BASE_RATE))
    moved = odds * _odds(result.probabilities[rows][:, columns])
    none: NDArray[np.float64] = np.prod(1 / (1 + moved), axis=1)
    return 1 - none


def _odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    kept = np.clip(probabilities, 1e-9, 1 - 1e-9)
    odds: NDArray[np.float64] = kept / (1 - kept)
    return odds


def _category_table(
    result: OutOfFold, title: str, rows: NDArray[np.bool_], seed: int
) -> Iterator[str]:
    yield f"**{title}**"
    yield ""
    yield "| category | positives / known | AP | AUC | recall at FPR 1 % | ECE |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for column, category in enumerate(COVERED):
        known = rows & ~np.isnan(result.labels[:, column])
        labels = result.labels[known, column]
        if labels.sum() > 0:
            scores = result.probabilities[known, column]
            groups = result.groups[known]
            cells = [
                str(metrics.with_interval(metric, labels, scores, groups, seed))
                for metric in (metrics.average_precision, metrics.auc)
            ]
            recall = metrics.with_interval(
                metrics.recall_at_fpr, labels, scores, groups, seed
            )
            error = metrics.with_interval(
                _base_rate_error, labels, scores, groups, seed
            )
            yield (
                f"| {category.lower()} | {int(labels.sum())} / {len(labels)} | "
                f"{' | '.join(cells)} | {recall} | {error} |"
            )


def _base_rate_error(labels: metrics.Array, probabilities: metrics.Array) -> float:
    weights = base_rate_weights(labels, np.ones(len(labels)))
    return metrics.calibration_error(labels, probabilities, weights)


def _openai_any(result: OutOfFold, seed: int) -> Iterator[str]:
    labels, scores, groups = openai_any(result)
    figure = metrics.with_interval(
        metrics.average_precision, labels, scores, groups, seed
    )
    positives = int(labels.sum())
    yield (
        f"- OpenAI prompts, any category ({positives} of {len(labels)} positive): "
        f"average precision {figure} by the highest probability;"
    )
    own_rates = metrics.with_interval(
        metrics.average_precision, labels, _at_own_base_rates(result), groups, seed
    )
    yield (
        f"  {own_rates} by the chance of at least one, each category's odds moved from "
        "the 5 % base rate to its share among the prompts."
    )


def _hatecheck(result: OutOfFold, seed: int) -> Iterator[str]:
    rows = result.of("hatecheck")
    column = COVERED.index(Category.HATE)
    labels, scores = result.labels[rows, column], result.probabilities[rows, column]
    groups = result.groups[rows]
    right = metrics.with_interval(_accuracy, labels, scores, groups, seed)
    precision = metrics.with_interval(
        metrics.average_precision, labels, scores, groups, seed
    )
    caught = np.mean(scores[labels == 1] >= THRESHOLD)
    spared = np.mean(scores[labels == 0] < THRESHOLD)
    yield (
        f"- HateCheck, template families unseen in training, at {THRESHOLD}: accuracy "
        f"{right} (hateful {caught:.3f}, non-hateful {spared:.3f}); average precision "
        f"{precision}."
    )


def _functionalities(result: OutOfFold) -> Iterator[str]:
    """Give HateCheck's accuracy by functionality, worst first."""
    column = COVERED.index(Category.HATE)
    right: dict[str, list[bool]] = {}
    for at in np.flatnonzero(result.of("hatecheck")).tolist():
        said = result.probabilities[at, column] >= THRESHOLD
        name = result.examples[at].slice
        right.setdefault(name, []).append(bool(said == result.labels[at, column]))
    yield "| HateCheck functionality | rows | right |"
    yield "| --- | ---: | ---: |"
    for name, found in sorted(right.items(), key=lambda item: np.mean(item[1])):
        yield f"| {name} | {len(found)} | {np.mean(found):.2f} |"


def _tweets(result: OutOfFold, seed: int) -> Iterator[str]:
    column = COVERED.index(Category.HATE)
    for source in TWEETS:
        rows = result.of(source) & ~np.isnan(result.labels[:, column])
        labels, scores = result.labels[rows, column], result.probabilities[rows, column]
        if 0 < labels.sum() < len(labels):
            figure = metrics.with_interval(
                metrics.average_precision, labels, scores, result.groups[rows], seed
            )
            error = _base_rate_error(labels, scores)
            yield (
                f"- {source}, hate or not ({int(labels.sum())} of {len(labels)}): "
                f"average precision {figure}, ECE {error:.3f}."
            )


def _accuracy(labels: metrics.Array, scores: metrics.Array) -> float:
    return float(np.mean((scores >= THRESHOLD) == (labels == 1)))
