"""Which trainings a run consists of, what each may see, and what it judges after."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from encoders.text import TextEncoder
from schemas.records import Category
from streams.training.contrast import contrast
from streams.training.datasets import load
from streams.training.evaluate import FOLDS, OutOfFold, judged_out_of_fold
from streams.training.evasion import disguised_texts, evasion_report, sampled
from streams.training.examples import COVERED, Example
from streams.training.fine_tune import Recipe
from streams.training.head import FloatArray
from streams.training.jobs import Job, Outcome
from streams.training.lessons import Rows, lesson, with_disguised_copies
from streams.training.own_texts import own, with_spoken_copy
from streams.training.transfer import NEVER_SEEN

SEED: Final = 20_261_123
DEFAULT_RECIPE: Final = Recipe()
# About the tokens that training sees of a text.
ANCHORED_CHARACTERS: Final = 600
ANCHORED_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained, from what, and where it goes."""

    data: Path
    out: Path
    text_model: str
    allow_download: bool = False
    processes: int = 2
    recipe: Recipe = DEFAULT_RECIPE
    folds: Path = Path("build/train")  # Where the folds' weights are kept.


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs: on everything, on all but the tweets, then on all but each fold.

    The second judges the tweets; a fold's judges its rows, and some of them disguised.
    """

    rows: Rows
    jobs: Sequence[Job]
    held: Sequence[NDArray[np.int64]]  # Each fold's judged rows, by place.
    disguised: Sequence[Sequence[int]]  # Those of them that are judged in disguise.

    def result(
        self, as_written: Sequence[Example], outcomes: Sequence[Outcome]
    ) -> OutOfFold:
        """Put the folds' words together; `as_written` are the rows' published texts."""
        logits = np.zeros((len(self.rows.examples), len(COVERED)), np.float32)
        for places, outcome in zip(self.held, outcomes, strict=True):
            logits[places] = outcome.logits[: len(places)]
        every = self._every()
        return judged_out_of_fold(
            [as_written[at] for at in every.tolist()],
            self.rows.groups[every],
            self.rows.fold_of[every],
            logits[every],
        )

    def evasion(self, result: OutOfFold, outcomes: Sequence[Outcome]) -> str:
        """Return what the folds' heads said of disguised texts, as Markdown."""
        place_of = {at: row for row, at in enumerate(self._every().tolist())}
        return evasion_report(
            result,
            [[place_of[at] for at in places] for places in self.disguised],
            [
                outcome.logits[len(places) :]
                for places, outcome in zip(self.held, outcomes, strict=True)
            ],
        )

    def _every(self) -> NDArray[np.int64]:
        return np.sort(np.concatenate(self.held))


def examples_of(data: Path) -> list[Example]:
    """Return every training example: shared sets, copies, the team's texts."""
    written = [*_shared(data), *own(), *contrast()]
    return list(with_disguised_copies(written, SEED))


def plan_of(order: Order, rows: Rows, encoder: TextEncoder) -> Plan:
    """Plan the trainings; `encoder` is the base model."""
    anchors = _anchors(rows.examples, encoder)
    never_seen = np.isin([e.source for e in rows.examples], NEVER_SEEN)
    held = [rows.judged(fold) for fold in range(FOLDS)]
    disguised = [sampled(rows.examples, places, SEED) for places in held]

    def job(
        name: str, learnt: NDArray[np.int64], judged: Sequence[int], more: list[str]
    ) -> Job:
        return Job(
            name,
            order.text_model,
            order.allow_download,
            lesson(rows, learnt, anchors),
            [*(rows.examples[at].text for at in judged), *more],
            order.recipe,
            SEED,
        )

    jobs = [
        job("final", np.arange(len(rows.examples)), [], []),
        job(
            "transfer",
            np.flatnonzero(~never_seen),
            np.flatnonzero(never_seen).tolist(),
            [],
        ),
    ]
    for fold, places in enumerate(held):
        texts = [rows.examples[at].text for at in disguised[fold]]
        jobs.append(
            job(
                f"fold {fold}",
                rows.learnt_without(fold),
                places.tolist(),
                disguised_texts(texts, encoder.words),
            )
        )
    return Plan(rows, jobs, held, disguised)


def _anchors(examples: Sequence[Example], encoder: TextEncoder) -> FloatArray:
    """Return where the base model puts each text, float32, shape (n, dim)."""
    texts = [e.text[:ANCHORED_CHARACTERS] for e in examples]
    # Alike lengths share a pass, and the encoder keeps what it is given at once.
    order = np.argsort([len(text) for text in texts], kind="stable")
    anchors = np.zeros((len(texts), encoder.dim), np.float32)
    for first in range(0, len(order), ANCHORED_AT_ONCE):
        some = order[first : first + ANCHORED_AT_ONCE]
        anchors[some] = encoder.embed([texts[at] for at in some.tolist()])
    return anchors


def _shared(data: Path) -> Iterator[Example]:
    for example in load(data):
        # Prompts and scams are also shown as a recogniser would write them. Tweets and
        # private messages have little case or punctuation as it is.
        scam = example.source == "sms" and example.labels.get(Category.FRAUD_SPAM)
        if example.source == "openai" or scam:
            yield from with_spoken_copy(example)
        else:
            yield example
