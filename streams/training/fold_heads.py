"""Heads that were trained without a fold, kept as weights, to judge texts of that fold.

One folder for each fold, with adapter and calibrated head as `headgate train` writes
them for use. They are no product: figures, and what is fitted to a head's words on
texts it never saw, come from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.text import TextEncoder, load_text_encoder
from streams.errors import StartError
from streams.scorers.text_risk import TextRisk
from streams.training.evaluate import FOLDS
from streams.training.examples import COVERED, Example
from streams.training.lessons import as_read, rows_of
from streams.training.plan import SEED, examples_of
from streams.training.reading import parts_of

FOLDER: Final = Path("build/train")
HEAD_FILE: Final = "text_risk.safetensors"
ADAPTER_FILE: Final = "text_adapter.safetensors"
_AT_ONCE: Final = 512  # Texts embedded at a time; more would only cost memory.


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """The rows that some fold holds out, as published: texts, clusters and folds."""

    examples: Sequence[Example]
    groups: NDArray[np.int64]
    fold_of: NDArray[np.int64]


def judged_rows(data: Path, encoder: TextEncoder) -> JudgedRows:
    """Return the rows of the shared sets and the team's, dealt as training deals them.

    Args:
        data: the folder of the shared sets.
        encoder: the base model, whose words tell what is disguised.
    """
    as_written = examples_of(data)
    rows = rows_of(as_read(as_written, encoder.words), FOLDS, SEED)
    every = np.sort(np.concatenate([rows.judged(fold) for fold in range(FOLDS)]))
    return JudgedRows(
        [as_written[at] for at in every.tolist()],
        rows.groups[every],
        rows.fold_of[every],
    )


class FoldHeads:
    """The models of all folds, loaded one at a time."""

    def __init__(self, folder: Path, text_model: str) -> None:
        """Name the folder they were kept in, and the model that the adapters are of.

        Raises:
            StartError: they are not there.
        """
        self._folder, self._text_model = folder, text_model
        for fold in range(FOLDS):
            if not (_folder_of(folder, fold) / HEAD_FILE).is_file():
                raise StartError(
                    f"{_folder_of(folder, fold)} has no weights; expected those that "
                    "`make train` keeps of each fold; run it first"
                )

    def probabilities(
        self, texts: Sequence[str], folds: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return float64, shape (n, len(COVERED)): of each text its worst part's.

        Args:
            texts: as they were written; they are read as the scorer reads them.
            folds: shape (n,): each is judged by the head that was made without it.
        """
        found = np.zeros((len(texts), len(COVERED)))
        for fold in range(FOLDS):
            rows = np.flatnonzero(folds == fold)
            if len(rows):
                found[rows] = self._judged(fold, [texts[at] for at in rows.tolist()])
        return found

    def _judged(self, fold: int, texts: Sequence[str]) -> NDArray[np.float64]:
        folder = _folder_of(self._folder, fold)
        head = TextRisk((folder / HEAD_FILE).read_bytes())
        encoder = load_text_encoder(
            self._text_model,
            device="cpu",
            allow_download=False,
            adapter=(folder / ADAPTER_FILE).read_bytes(),
        )
        parts = [parts_of(text, encoder) for text in texts]
        owner = np.repeat(np.arange(len(texts)), [len(part) for part in parts])
        pieces = [piece for part in parts for piece in part]
        worst = np.zeros((len(texts), len(COVERED)))
        for first in range(0, len(pieces), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            risks = head.probabilities(encoder.embed(pieces[some]))
            np.maximum.at(worst, owner[some], risks)
        return worst


def keep(fold: int, adapter: bytes, head: bytes, folder: Path) -> None:
    """Write a fold's adapter and calibrated head, as their files' bytes."""
    own = _folder_of(folder, fold)
    own.mkdir(parents=True, exist_ok=True)
    (own / ADAPTER_FILE).write_bytes(adapter)
    (own / HEAD_FILE).write_bytes(head)


def _folder_of(folder: Path, fold: int) -> Path:
    return folder / f"fold-{fold}"
