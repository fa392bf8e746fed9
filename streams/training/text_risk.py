"""Train, measure and write the text model's adapter and risk head.

Reads the shared data, trains once for each fold and once on everything, calibrates on
the held rows, and writes the weights, their manifest, what was said of the held rows,
and the model card's figures.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import safetensors.numpy

from encoders.signals import ModelIdentity
from encoders.text import load_text_encoder
from encoders.text_adapter import adapted_sha256, sorted_header
from streams.scorers.text_risk import FORMAT
from streams.training.calibrate import BASE_RATE, fit_platt
from streams.training.evaluate import (
    FOLDS,
    OutOfFold,
    calibration_weights,
    report,
)
from streams.training.examples import COVERED
from streams.training.fold_heads import ADAPTER_FILE, HEAD_FILE, keep
from streams.training.head import HeadWeights
from streams.training.jobs import Outcome, Progress, run_jobs
from streams.training.lessons import (
    as_read,
    rows_of,
)
from streams.training.plan import SEED, Order, examples_of, plan_of
from streams.training.transfer import transfer_report

WEIGHTS_FILE: Final = HEAD_FILE
WEIGHTS_FOLDER: Final = Path("streams/scorers/weights")
CARD_FILE: Final = "MODEL_CARD.md"
FIGURES_FILE: Final = "FIGURES.md"  # Where there is no card.
FIGURES_START: Final = "<!-- figures: written by streams.training.text_risk -->"
FIGURES_END: Final = "<!-- end of figures -->"


def run(order: Order, progress: Progress) -> OutOfFold:
    """Do the whole training and write its results into the order's folder."""
    encoder = load_text_encoder(
        order.text_model, device="cpu", allow_download=order.allow_download
    )
    as_written = examples_of(order.data)
    rows = rows_of(as_read(as_written, encoder.words), FOLDS, SEED)
    plan = plan_of(order, rows, encoder)
    final, unseen, *held = run_jobs(plan.jobs, order.processes, progress)
    result = plan.result(as_written, held)
    head = calibrated(final.head, result)
    write(head, final.adapter, encoder.model, order.out)
    keep_folds(held, result, encoder.model, order.folds)
    figures = report(result, SEED)
    figures += plan.evasion(result, held)
    figures += transfer_report(rows, unseen.logits, order.data, SEED)
    write_figures(figures, order.out)
    return result


def calibrated(
    head: HeadWeights, result: OutOfFold, without: int | None = None
) -> HeadWeights:
    """Fold Platt scaling, fitted on out-of-fold logits, into the last layer.

    Those of the fold `without` are left out: for a head that is to judge it.
    """
    weights = calibration_weights(result.examples)
    fits = []
    for column in range(len(COVERED)):
        known = ~np.isnan(result.labels[:, column])
        if without is not None:
            known &= result.fold_of != without
        fits.append(
            fit_platt(
                result.logits[known, column],
                result.labels[known, column],
                weights[known],
            )
        )
    slope = np.array([fit.slope for fit in fits], dtype=np.float32)
    offset = np.array([fit.offset for fit in fits], dtype=np.float32)
    return head.rescaled(slope, offset)


def keep_folds(
    outcomes: Sequence[Outcome], result: OutOfFold, base: ModelIdentity, folder: Path
) -> None:
    """Keep each fold's adapter and head, calibrated on the other folds."""
    for fold, outcome in enumerate(outcomes):
        head = calibrated(outcome.head, result, without=fold)
        identity = adapted_sha256(base.sha256, outcome.adapter)
        keep(fold, outcome.adapter, head_bytes(head, base.name, identity), folder)


def write(
    head: HeadWeights,
    adapter: bytes,
    base: ModelIdentity,
    out: Path,
) -> None:
    """Write adapter and head, and a manifest of their hashes.

    `base` is the text model without the adapter.
    """
    files = {ADAPTER_FILE: adapter}
    files[WEIGHTS_FILE] = head_bytes(
        head, base.name, adapted_sha256(base.sha256, adapter)
    )
    out.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (out / name).write_bytes(data)
    manifest = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    text = json.dumps(manifest, indent=2) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


def head_bytes(head: HeadWeights, encoder_name: str, encoder_sha256: str) -> bytes:
    """Return the head's file: float16 tensors, and what they are for."""
    about = {
        "format": FORMAT,
        "categories": json.dumps([c.value for c in COVERED]),
        "encoder_name": encoder_name,
        "encoder_sha256": encoder_sha256,
        "base_rate": str(BASE_RATE),
    }
    tensors = {
        "hidden": head.hidden,
        "hidden_bias": head.hidden_bias,
        "output": head.output,
        "output_bias": head.output_bias,
    }
    return sorted_header(safetensors.numpy.save(tensors, metadata=about))


def write_figures(figures: str, out: Path) -> None:
    """Put the figures between the card's marks, or in a file where there is no card."""
    card = out / CARD_FILE
    if not card.exists():
        (out / FIGURES_FILE).write_text(figures + "\n", encoding="utf-8")
        return
    before, rest = card.read_text(encoding="utf-8").split(FIGURES_START)
    after = rest.split(FIGURES_END)[1]
    block = f"{FIGURES_START}\n\n{figures}\n\n{FIGURES_END}"
    card.write_text(before + block + after, encoding="utf-8")
