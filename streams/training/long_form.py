"""`python -m streams.training.long_form`: how clean segments are spread, for pooling.

To be run after each `make train`: it fits `streams.scorers.long_form_tails` to the head
on one half of the clean texts, and shows what comes of it on that half. Figures on the
other half come from `python -m tests.benchmarks.long_form`.
"""

import argparse
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.model_files import DEFAULT_TEXT_MODEL
from encoders.text import TextEncoder, load_text_encoder
from schemas.records import Action, Category
from streams.policy import Policy
from streams.scorers import long_form_tails
from streams.scorers.long_form import Tail
from streams.training.clean_speech import Segments, out_of_fold_segments
from streams.training.fold_heads import FOLDER, FoldHeads
from streams.training.text_risk import WEIGHTS_FILE, WEIGHTS_FOLDER

log = logging.getLogger(__name__)

# The tail is fitted where long uploads are decided: over these shares of clean
# segments. Nearer to the middle it is flatter, and a line through both takes the rarest
# for more frequent than they are. Of 4,500 texts 0.1 % are four or five.
FITTED_SHARES: Final = (0.02, 0.01, 0.005, 0.0025, 0.001)
# A head that gives nearly all clean texts the same number has no slope to fit.
STEEPNESS: Final = (0.2, 5.0)
_ABOUT: Final = (
    '"""How clean segments are spread; `python -m streams.training.long_form` wrote '
    'it."""'
)
_LEAST_PROBABILITY: Final = 5e-5  # Half of the last digit that probabilities have.


def load_segments(data: Path, cache: Path, encoder: TextEncoder) -> Segments:
    """Return segments scored by the folds' heads that `make train` kept; minutes."""
    heads = FoldHeads(FOLDER, DEFAULT_TEXT_MODEL)
    return out_of_fold_segments(data, encoder, heads, cache)


def fit_tails(segments: Segments, half: int = 0) -> dict[Category, Tail]:
    """Fit each category's tail on one half; every source and form weighs the same."""
    rows, weights = _weighted(segments, half)
    return {
        category: fit_tail(segments.probabilities[rows, column], weights)
        for column, category in enumerate(segments.categories)
    }


def fit_tail(probabilities: NDArray[np.float64], weights: NDArray[np.float64]) -> Tail:
    """Fit a line through the log-odds of being over the levels of FITTED_SHARES.

    Args:
        probabilities: float64, shape (n,): of clean segments.
        weights: float64, shape (n,): how much each counts.

    Raises:
        ValueError: they are spread in no way that could be fitted.
    """
    order = np.argsort(-probabilities, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    shares = np.array(FITTED_SHARES)
    levels = probabilities[order][np.searchsorted(share, shares)]
    kept = np.clip(levels, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    logits, log_odds = np.log(kept / (1 - kept)), np.log(shares / (1 - shares))
    # A line through one point would have any slope.
    slope, offset = np.polyfit(logits, log_odds, 1) if np.ptp(logits) > 0 else (0, 0)
    if not STEEPNESS[0] <= -slope <= STEEPNESS[1]:
        raise ValueError(
            f"clean segments have levels {levels} at the shares {shares}: steepness "
            f"{-slope:.2f}, expected {STEEPNESS}; look at the head's calibration"
        )
    return Tail(round(float(-slope), 3), round(float(offset), 3))


def review_thresholds(
    policy: Policy, categories: Sequence[Category]
) -> dict[Category, float]:
    """Return from where on the policy holds an upload for a person."""
    found = {
        rule.name.upper(): rule.threshold
        for rule in policy.rules
        if rule.subject == "category" and rule.action is Action.REVIEW
    }
    return {category: found[category.value] for category in categories}


def write(tails: Mapping[Category, Tail], head_sha256: str, path: Path) -> None:
    """Write the module that `streams.scorers.long_form` reads its tails from."""
    lines = [
        _ABOUT,
        "",
        "from typing import Final",
        "",
        "# The head, by its SHA-256, whose recipe they were fitted to.",
        f'FITTED_TO: Final = "{head_sha256}"',
        "STEEPNESS_AND_OFFSET: Final[dict[str, tuple[float, float]]] = {",
        *(f'    "{c.value}": ({t.steepness}, {t.offset}),' for c, t in tails.items()),
        "}",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the shared data sets")
    parser.add_argument("--cache", type=Path, default=Path("build"))
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    encoder = load_text_encoder(DEFAULT_TEXT_MODEL, device="cpu", allow_download=False)
    tails = fit_tails(load_segments(chosen.data, chosen.cache, encoder))
    head = (WEIGHTS_FOLDER / WEIGHTS_FILE).read_bytes()
    write(tails, hashlib.sha256(head).hexdigest(), Path(long_form_tails.__file__))
    for category, tail in tails.items():
        log.info("%s: %s", category, tail)


def _weighted(
    segments: Segments, half: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    rows, weights = [], []
    for form in ("short", "glued"):
        clean = segments.clean(form, half)
        _, source, sizes = np.unique(
            segments.sources[clean], return_inverse=True, return_counts=True
        )
        rows.append(clean)
        weights.append(1.0 / sizes[source])
    return np.concatenate(rows), np.concatenate(weights)


if __name__ == "__main__":
    main()
