"""Out-of-fold scores as a file: what heads that never saw a text's cluster say of it.

Whoever trains a head writes it, the scorecard reads it; texts are known by their hash,
so the file holds no text. A text stands in one fold only, since equal texts share a
cluster.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from schemas.records import Category
from streams.errors import StartError

FORMAT: Final = "headgate-out-of-fold/1"
KEY_BYTES: Final = 16  # Half a SHA-256: no two texts of an evaluation will meet.
MAX_BYTES: Final = 256 * 1024 * 1024  # Two million texts; more is not such a file.


@dataclass(frozen=True, slots=True)
class OutOfFoldScores:
    """Calibrated probabilities by text, each from a head made without the text's fold.

    `made_by` says in words which head and how; `head_sha256` is of the shipped weights
    that the same recipe gave on all rows.
    """

    keys: NDArray[np.uint8]  # Shape (n, KEY_BYTES).
    probabilities: NDArray[np.float32]  # Shape (n, len(categories)), in [0, 1].
    folds: NDArray[np.int8]  # Shape (n,): the fold the text was held out in.
    categories: tuple[Category, ...]
    made_by: str
    head_sha256: str

    def index(self) -> Mapping[bytes, int]:
        """Return the row of each text's key."""
        return {key.tobytes(): row for row, key in enumerate(self.keys)}

    def rows_of(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the row of each text.

        Raises:
            StartError: texts are lacking, so the file is of other data.
        """
        index = self.index()
        rows = [index.get(key_of(text), -1) for text in texts]
        if lacking := rows.count(-1):
            raise StartError(
                f"the out-of-fold file lacks {lacking} of {len(rows)} texts, so it was "
                "made of other data or disguises; delete it and run `headgate eval` "
                "again, or `make train`"
            )
        return np.array(rows, dtype=np.int64)

    def of(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities, float64, shape (len(texts), len(categories))."""
        found: NDArray[np.float64] = self.probabilities[self.rows_of(texts)].astype(
            np.float64
        )
        return found


def key_of(text: str) -> bytes:
    """Return what a text is known by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:KEY_BYTES]


def collect(
    texts: Sequence[str],
    probabilities: NDArray[np.floating],
    folds: Sequence[int] | NDArray[np.integer],
    categories: tuple[Category, ...],
    made_by: str,
    head_sha256: str,
) -> OutOfFoldScores:
    """Gather scores of texts; of a text that comes twice the first counts.

    Args:
        texts: As they were given to the reader, before normalising.
        probabilities: Shape (n, len(categories)), in [0, 1].
        folds: Shape (n,): each text's fold.
        categories: What the columns are.
        made_by: Which head and how, in words.
        head_sha256: Of the shipped weights of the same recipe; "" if there are none.

    Raises:
        ValueError: the shapes differ, or a probability is none.
    """
    table = np.asarray(probabilities, dtype=np.float32)
    if table.shape != (len(texts), len(categories)) or len(folds) != len(texts):
        raise ValueError(
            f"{len(texts)} texts, {len(folds)} folds, probabilities {table.shape}; "
            f"expected ({len(texts)}, {len(categories)})"
        )
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError("probabilities must be in [0, 1]; some are not, or are NaN")
    first = {key_of(text): row for row, text in reversed(list(enumerate(texts)))}
    rows = np.fromiter(first.values(), dtype=np.int64, count=len(first))
    keys = np.frombuffer(b"".join(first), dtype=np.uint8).reshape(-1, KEY_BYTES)
    fold_of = np.asarray(folds, dtype=np.int8)[rows]
    return OutOfFoldScores(keys, table[rows], fold_of, categories, made_by, head_sha256)


def write(scores: OutOfFoldScores, path: Path) -> None:
    """Write the file, whole or not at all."""
    about = {
        "format": FORMAT,
        "categories": [c.value for c in scores.categories],
        "made_by": scores.made_by,
        "head_sha256": scores.head_sha256,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez_compressed(
        partial,
        keys=scores.keys,
        probabilities=scores.probabilities,
        folds=scores.folds,
        about=np.array(json.dumps(about)),
    )
    partial.replace(path)


def read(path: Path) -> OutOfFoldScores:
    """Read the file.

    Raises:
        StartError: it can't be read or is no such file.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"over {MAX_BYTES} bytes")
        # Opened here: numpy leaves a file open that is none of its own.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            about = json.loads(str(stored["about"]))
            if about["format"] != FORMAT:
                raise ValueError(f"format {about['format']!r}, expected {FORMAT!r}")
            return OutOfFoldScores(
                stored["keys"],
                stored["probabilities"],
                stored["folds"],
                tuple(Category(name) for name in about["categories"]),
                about["made_by"],
                about["head_sha256"],
            )
    except (OSError, EOFError, BadZipFile, ValueError, KeyError) as error:
        raise StartError(
            f"{path} is no file of out-of-fold scores: {error}; delete it and run "
            "`headgate eval` again"
        ) from error
