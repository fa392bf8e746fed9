"""Train, measure and write the text-risk head: `python -m streams.training.text_risk`.

Reads the shared data, embeds it once (cached), cross-validates, calibrates, trains on
everything, and writes the weights, their manifest and the model card's figures.
"""

import argparse
import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import safetensors.numpy
import torch

from encoders.model_files import DEFAULT_TEXT_MODEL
from encoders.signals import ModelIdentity
from encoders.text import TextEncoder, load_text_encoder
from schemas.records import Category
from streams.scorers.text_risk import FORMAT
from streams.training.calibrate import BASE_RATE, fit_platt
from streams.training.clusters import clusters, folds
from streams.training.datasets import load
from streams.training.embed import embed_cached
from streams.training.evaluate import FOLDS, OutOfFold, cross_validate, report
from streams.training.examples import COVERED, Example, label_matrix, weights_of
from streams.training.head import HeadWeights, Recipe, train
from streams.training.own_texts import own, with_spoken_copy

log = logging.getLogger(__name__)

SEED: Final = 20_261_123
WEIGHTS_FILE: Final = "text_risk.safetensors"
WEIGHTS_FOLDER: Final = Path("streams/scorers/weights")
CARD_FILE: Final = "MODEL_CARD.md"
FIGURES_START: Final = "<!-- figures: written by streams.training.text_risk -->"
FIGURES_END: Final = "<!-- end of figures -->"


def examples_of(data: Path) -> list[Example]:
    """Return every training example: shared sets, spoken copies, the team's texts."""
    return [*_shared(data), *own()]


def run(
    data: Path, out: Path, cache: Path, encoder: TextEncoder, recipe: Recipe
) -> OutOfFold:
    """Do the whole training and write its results into `out`."""
    torch.use_deterministic_algorithms(True)
    examples = examples_of(data)
    log.info("%d examples; embedding what is not cached", len(examples))
    texts = [e.text for e in examples]
    embeddings = embed_cached(texts, encoder.embed, encoder.model.sha256, cache)
    groups = clusters(examples)
    fold_of = folds(groups, FOLDS, SEED)
    log.info("%d clusters in %d folds; training", len(set(groups.tolist())), FOLDS)
    result = cross_validate(examples, embeddings, groups, fold_of, recipe, SEED)
    labels, weights = label_matrix(examples), weights_of(examples)
    head = calibrated(train(embeddings, labels, weights, recipe, SEED), result)
    write(head, encoder.model, out)
    write_figures(report(result, SEED), out / CARD_FILE)
    return result


def calibrated(head: HeadWeights, result: OutOfFold) -> HeadWeights:
    """Fold Platt scaling, fitted on all out-of-fold logits, into the last layer."""
    weights = weights_of(result.examples)
    fits = []
    for column in range(len(COVERED)):
        known = ~np.isnan(result.labels[:, column])
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


def write(head: HeadWeights, encoder: ModelIdentity, out: Path) -> None:
    """Write the weights and the manifest of their hash."""
    about = {
        "format": FORMAT,
        "categories": json.dumps([c.value for c in COVERED]),
        "encoder_name": encoder.name,
        "encoder_sha256": encoder.sha256,
        "base_rate": str(BASE_RATE),
    }
    tensors = {
        "hidden": head.hidden,
        "hidden_bias": head.hidden_bias,
        "output": head.output,
        "output_bias": head.output_bias,
    }
    weights = _sorted_header(safetensors.numpy.save(tensors, metadata=about))
    out.mkdir(parents=True, exist_ok=True)
    (out / WEIGHTS_FILE).write_bytes(weights)
    manifest = {WEIGHTS_FILE: hashlib.sha256(weights).hexdigest()}
    text = json.dumps(manifest, indent=2) + "\n"
    (out / "manifest.json").write_text(text, encoding="utf-8")


def write_figures(figures: str, card: Path) -> None:
    """Put the figures between the card's marks; print them where there is no card."""
    log.info("figures:\n%s", figures)
    if card.exists():
        before, rest = card.read_text(encoding="utf-8").split(FIGURES_START)
        after = rest.split(FIGURES_END)[1]
        block = f"{FIGURES_START}\n\n{figures}\n\n{FIGURES_END}"
        card.write_text(before + block + after, encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="make train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the shared data sets"
    )
    parser.add_argument(
        "--out", type=Path, default=WEIGHTS_FOLDER, help="where the weights are written"
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("build"), help="where embeddings are kept"
    )
    parser.add_argument(
        "--text-model", default=DEFAULT_TEXT_MODEL, help="encoder: a name or folder"
    )
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    # Two threads: what the figures were made with; the sum's order depends on it.
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    encoder = load_text_encoder(chosen.text_model, device="cpu", allow_download=False)
    run(chosen.data, chosen.out, chosen.cache, encoder, Recipe())


def _shared(data: Path) -> Iterator[Example]:
    for example in load(data):
        # Prompts and scams are also shown as a recogniser would write them. Tweets and
        # private messages have little case or punctuation as it is.
        scam = example.source == "sms" and example.labels.get(Category.FRAUD_SPAM)
        if example.source == "openai" or scam:
            yield from with_spoken_copy(example)
        else:
            yield example


def _sorted_header(weights: bytes) -> bytes:
    """Return the same file with its header's keys in order.

    The library writes metadata in a random order, which would change the file's hash
    from run to run.
    """
    length = int.from_bytes(weights[:8], "little")
    header = json.loads(weights[8 : 8 + length])
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    padded = text.ljust(-(-len(text) // 8) * 8)  # Tensors start on 8 bytes.
    return len(padded).to_bytes(8, "little") + padded + weights[8 + length :]


if __name__ == "__main__":
    main()
