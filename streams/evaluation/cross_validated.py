"""Out-of-fold scores of today's head: a frozen encoder and `streams.training.head`.

The folds, the recipe and the calibration are those of `make train`; a text is read as
`assess` reads it, so a figure is of the product and not of the head alone. A head of
another kind brings its own such function; the rest of the scorecard stays as it is.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.text import TextEncoder
from streams.evaluation.out_of_fold import OutOfFoldScores, collect
from streams.evaluation.reading import parts_of
from streams.evaluation.wanted import clean_segments, disguised
from streams.training.calibrate import Platt, fit_platt
from streams.training.clusters import clusters, folds
from streams.training.embed import embed_cached
from streams.training.evaluate import FOLDS
from streams.training.examples import COVERED, Example, label_matrix, weights_of
from streams.training.head import HeadWeights, Recipe, train
from streams.training.text_risk import SEED

MADE_BY = "five-fold cross-validation of the head over a frozen encoder"


def cross_validated(
    examples: Sequence[Example],
    encoder: TextEncoder,
    cache: Path,
    recipe: Recipe,
    head_sha256: str,
) -> OutOfFoldScores:
    """Score every text the scorecard wants by a head that never saw its fold."""
    fold_of = folds(clusters(examples), FOLDS, SEED)
    texts, text_folds = wanted(examples, fold_of)
    parts = [parts_of(text, encoder) for text in texts]
    # One pass of the model over everything; afterwards all of it is in the cache.
    everything = [e.text for e in examples] + [p for text in parts for p in text]
    embeddings = embed_cached(everything, encoder.embed, encoder.model.sha256, cache)
    rows, by_part = embeddings[: len(examples)], embeddings[len(examples) :]
    heads, scales = _fold_heads(examples, rows, fold_of, recipe)
    starts = np.cumsum([0, *(len(text) for text in parts)])
    probabilities = np.zeros((len(texts), len(COVERED)))
    for index, fold in enumerate(text_folds):
        mine = by_part[starts[index] : starts[index + 1]]
        logits = heads[fold].logits(mine)
        risks = [scale(logits[:, c]) for c, scale in enumerate(scales[fold])]
        probabilities[index] = np.stack(risks, axis=1).max(axis=0)
    return collect(texts, probabilities, text_folds, COVERED, MADE_BY, head_sha256)


def wanted(
    examples: Sequence[Example], fold_of: NDArray[np.int64]
) -> tuple[list[str], list[int]]:
    """Return all texts to score, and the fold whose head must score each."""
    copies = disguised(examples)
    segments = clean_segments(examples, fold_of)
    texts = [e.text for e in examples]
    texts += [copy.text for copy in copies] + [s.text for s in segments]
    text_folds = [int(fold) for fold in fold_of]
    text_folds += [int(fold_of[copy.of]) for copy in copies]
    return texts, text_folds + [segment.fold for segment in segments]


def _fold_heads(
    examples: Sequence[Example],
    embeddings: NDArray[np.float32],
    fold_of: NDArray[np.int64],
    recipe: Recipe,
) -> tuple[list[HeadWeights], list[list[Platt]]]:
    """Train a head without each fold; calibrate it on what the others say."""
    labels, weights = label_matrix(examples), weights_of(examples)
    logits = np.zeros_like(labels)
    heads = []
    for fold in range(FOLDS):
        rest, held = fold_of != fold, fold_of == fold
        head = train(embeddings[rest], labels[rest], weights[rest], recipe, SEED)
        logits[held] = head.logits(embeddings[held])
        heads.append(head)
    scales = [
        [
            _scale(logits[:, c], labels[:, c], weights, fold_of != fold)
            for c in range(len(COVERED))
        ]
        for fold in range(FOLDS)
    ]
    return heads, scales


def _scale(
    logits: NDArray[np.float32],
    labels: NDArray[np.float32],
    weights: NDArray[np.float32],
    rest: NDArray[np.bool_],
) -> Platt:
    known = rest & ~np.isnan(labels)
    return fit_platt(logits[known], labels[known], weights[known])
