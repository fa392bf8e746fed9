"""Ordinary texts to put clean uploads of any length together of, scored out of fold.

For fitting and measuring `streams.scorers.long_form`.

No long clean speech is among the shared sets, so episodes are drawn from messages,
tweets, comments and the team's own texts, as they are (about six seconds each) and
glued to half minutes, as Whisper's segments may be.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.text import TextEncoder
from schemas.records import Category
from streams.training.clusters import folds
from streams.training.embed import embed_cached
from streams.training.examples import COVERED, NOTHING, Example, label_matrix
from streams.training.fold_heads import FoldHeads, JudgedRows, judged_rows
from streams.training.head import FloatArray

SEED: Final = 20_261_126
# Read aloud, English has about 150 words a minute.
GLUED_WORDS: Final = 75
SECONDS: Final = {"short": 6.0, "glued": 30.0}  # What a segment of each form lasts.
# Whose rows are harmless where no label says otherwise. The prompts are left out: they
# were collected for being near to harm, and ordinary speech is not.
CLEAN_SOURCES: Final = ("sms", "davidson", "youtube", "own", "own:spoken")
TOPICS: Final = 24  # Of one half's texts; a topic then has about 150.
_KMEANS_ROUNDS: Final = 25


@dataclass(frozen=True, slots=True)
class Segments:
    """Texts with what a head that never saw them says; rows of the same length."""

    probabilities: NDArray[np.float64]  # Shape (n, categories).
    labels: FloatArray  # Shape (n, categories); NaN where unknown.
    sources: NDArray[np.str_]
    groups: NDArray[np.int64]  # Near copies share one.
    halves: NDArray[np.int64]  # 0: constants are fitted on it; 1: figures are of it.
    topics: NDArray[np.int64]  # Texts of one half that are alike.
    is_clean: NDArray[np.bool_]
    is_glued: NDArray[np.bool_]
    categories: tuple[Category, ...]

    def clean(self, form: str, half: int) -> NDArray[np.int64]:
        """Return the rows of clean segments of a form (`short`, `glued`) and a half."""
        wanted = self.is_clean & (self.halves == half)
        return np.flatnonzero(wanted & (self.is_glued == (form == "glued")))


@dataclass(frozen=True, slots=True)
class Plan:
    """Every example, then the glued half minutes, and whose head must score each.

    Each is scored by the head that was made without its fold; see `segments`.
    """

    examples: Sequence[Example]
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]
    halves: NDArray[np.int64]
    is_glued: NDArray[np.bool_]

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [example.text for example in self.examples]


def plan(rows: JudgedRows) -> Plan:
    """Deal rows, which have a fold, to halves, and glue the clean ones of each."""
    examples, groups, fold_of = rows.examples, rows.groups, rows.fold_of
    half_of = folds(groups, 2, SEED)
    glued = list(_glued(examples, fold_of, half_of))
    return Plan(
        [*examples, *(example for example, _, _ in glued)],
        np.append(groups, groups.max(initial=0) + 1 + np.arange(len(glued))),
        np.append(fold_of, [fold for _, fold, _ in glued]).astype(np.int64),
        np.append(half_of, [half for _, _, half in glued]).astype(np.int64),
        np.arange(len(examples) + len(glued)) >= len(examples),
    )


def segments(
    planned: Plan, probabilities: NDArray[np.float64], embeddings: FloatArray
) -> Segments:
    """Put a plan's texts and what was said of them side by side.

    Args:
        planned: The texts.
        probabilities: float64, shape (n, len(COVERED)), out of fold.
        embeddings: float32, shape (n, dim), rows of unit length: for topics only.
    """
    return Segments(
        probabilities,
        label_matrix(planned.examples),
        np.array([e.source.removesuffix(":spoken") for e in planned.examples]),
        planned.groups,
        planned.halves,
        _topics(embeddings, planned.halves),
        np.array([is_clean(e) for e in planned.examples]),
        planned.is_glued,
        COVERED,
    )


def out_of_fold_segments(
    data: Path, encoder: TextEncoder, heads: FoldHeads, cache: Path
) -> Segments:
    """Score a plan by heads, each trained without the fold that it judges; minutes."""
    made = plan(judged_rows(data, encoder))
    embeddings = embed_cached(made.texts, encoder.embed, encoder.model.sha256, cache)
    return segments(made, heads.probabilities(made.texts, made.folds), embeddings)


def is_clean(example: Example) -> bool:
    """Whether a row is of a harmless source, and no label says otherwise."""
    known = set(example.labels.values())
    # "Offensive" tweets say only that they are not hate.
    says_enough = example.source == "youtube" or len(example.labels) >= len(COVERED) - 2
    return example.source in CLEAN_SOURCES and known == {0} and says_enough


def _glued(
    examples: Sequence[Example],
    fold_of: NDArray[np.int64],
    half_of: NDArray[np.int64],
) -> Iterator[tuple[Example, int, int]]:
    """Yield half minutes of one source, fold and half, with their fold and half."""
    texts: dict[tuple[str, int, int], list[str]] = defaultdict(list)
    for example, fold, half in zip(examples, fold_of, half_of, strict=True):
        if is_clean(example):
            source = example.source.removesuffix(":spoken")
            texts[source, int(fold), int(half)].append(example.text)
    for (source, fold, half), members in sorted(texts.items()):
        random.Random(SEED).shuffle(members)
        for index, text in enumerate(_joined(members)):
            family = f"glued:{source}:{fold}:{half}:{index}"
            yield Example(text, NOTHING, source, family, weight=0.0), fold, half


def _joined(texts: Sequence[str]) -> Iterator[str]:
    parts: list[str] = []
    for text in texts:
        parts.append(text)
        if sum(len(part.split()) for part in parts) >= GLUED_WORDS:
            yield " ".join(parts)
            parts = []


def _topics(embeddings: FloatArray, halves: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return each row's topic, by spherical k-means within its half; seeded."""
    found = np.zeros(len(embeddings), np.int64)
    for half in (0, 1):
        rows = np.flatnonzero(halves == half)
        found[rows] = half * TOPICS + _nearest_centres(embeddings[rows])
    return found


def _nearest_centres(rows: FloatArray) -> NDArray[np.int64]:
    rng = np.random.default_rng(SEED)
    centres = rows[rng.choice(len(rows), TOPICS, replace=False)]
    for _ in range(_KMEANS_ROUNDS):
        nearest = (rows @ centres.T).argmax(axis=1)
        sums = np.stack([rows[nearest == k].sum(axis=0) for k in range(TOPICS)])
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        centres = np.where(lengths > 0, sums / np.maximum(lengths, 1e-9), centres)
    result: NDArray[np.int64] = (rows @ centres.T).argmax(axis=1)
    return result
