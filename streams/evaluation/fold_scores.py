"""Scores of every text the scorecard wants, by heads that never saw its fold.

Made once after a training, from the folds' weights that it keeps; the scorecard then
needs neither them nor another training.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from encoders.text import TextEncoder
from streams.evaluation.out_of_fold import OutOfFoldScores, collect
from streams.evaluation.wanted import clean_segments, disguised
from streams.training.evaluate import FOLDS
from streams.training.examples import COVERED, Example
from streams.training.fold_heads import FoldHeads, judged_rows

MADE_BY = f"{FOLDS} folds by cluster, an adapter and a head trained without each"


def fold_scores(
    data: Path, encoder: TextEncoder, heads: FoldHeads, head_sha256: str
) -> OutOfFoldScores:
    """Judge all texts; minutes.

    Args:
        data: the folder of the shared sets.
        encoder: the base model, for its words.
        heads: the folds' weights.
        head_sha256: of the head that was made on all folds in the same training.
    """
    rows = judged_rows(data, encoder)
    texts, fold_of = wanted(rows.examples, rows.fold_of)
    found = heads.probabilities(texts, np.array(fold_of))
    return collect(texts, found, fold_of, COVERED, MADE_BY, head_sha256)


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
