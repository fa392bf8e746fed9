"""Several trainings at once, each in a process of its own with one thread.

A training gives the same numbers whatever runs beside it. Judging goes the way of the
worker: the adapter's bytes are merged into the served model, long texts are split, and
a text's logit is the highest of its pieces'.
"""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.sharedctypes import SynchronizedArray
from typing import Final

import numpy as np
import torch

from encoders.text import TextEncoder, load_text_encoder
from encoders.text_adapter import to_bytes
from encoders.trainable_text import TrainableText
from streams.training.fine_tune import Lesson, Recipe, fine_tune
from streams.training.head import FloatArray, HeadWeights

Progress = Callable[[float], None]  # The share of all steps done, in [0, 1].
POLL_S: Final = 1.0
# Texts embedded at a time when judging; more would only cost memory.
_JUDGED_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class Job:
    """One training, and the texts that its outcome judges."""

    name: str
    text_model: str
    allow_download: bool
    lesson: Lesson
    judged: Sequence[str]
    recipe: Recipe
    seed: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job gave; `logits` is float32, shape (n_judged, categories)."""

    adapter: bytes
    head: HeadWeights
    logits: FloatArray


def run_jobs(jobs: Sequence[Job], processes: int, progress: Progress) -> list[Outcome]:
    """Run all jobs, `processes` at a time; outcomes in the jobs' order."""
    # Not forked: torch's threads would be missing in the copy.
    context = multiprocessing.get_context("spawn")
    done: SynchronizedArray[float] = context.Array("d", len(jobs))
    with ProcessPoolExecutor(
        processes, context, initializer=_share, initargs=(done,)
    ) as pool:
        futures = [pool.submit(_run, at, job) for at, job in enumerate(jobs)]
        _watch(futures, done, progress)
        return [future.result() for future in futures]


def logits_of(
    encoder: TextEncoder, head: HeadWeights, texts: Sequence[str]
) -> FloatArray:
    """Return float32, shape (n, categories): of each text its worst piece's."""
    pieces, owner = [], []
    for at, text in enumerate(texts):
        spans = encoder.split(text)
        pieces += [text[s.start_char : s.end_char] for s in spans] or [text]
        owner += [at] * max(1, len(spans))
    found = np.concatenate(
        [
            head.logits(encoder.embed(pieces[first : first + _JUDGED_AT_ONCE]))
            for first in range(0, len(pieces), _JUDGED_AT_ONCE)
        ]
    )
    worst = np.full((len(texts), found.shape[1]), -np.inf, np.float32)
    np.maximum.at(worst, np.array(owner), found)
    return worst


def _watch(
    futures: Sequence[Future[Outcome]],
    done: "SynchronizedArray[float]",
    progress: Progress,
) -> None:
    waiting = set(futures)
    while waiting:
        finished, waiting = wait(waiting, timeout=POLL_S)
        for future in finished:
            future.result()  # A fault ends all: half a training is none.
        progress(sum(done[:]) / len(futures))


# How far each job is; set in the processes that do them.
_done: "SynchronizedArray[float] | None" = None


def _share(done: "SynchronizedArray[float]") -> None:
    global _done
    _done = done
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


def _run(at: int, job: Job) -> Outcome:
    def tell(steps: int, of: int) -> None:
        if _done is not None:
            _done[at] = steps / of

    torch.manual_seed(job.seed)
    base = TrainableText(
        job.text_model,
        rank=job.recipe.rank,
        alpha=job.recipe.alpha,
        allow_download=job.allow_download,
    )
    change, head = fine_tune(base, job.lesson, job.recipe, job.seed, tell)
    adapter = to_bytes(change)
    logits = np.zeros((0, job.lesson.labels.shape[1]), np.float32)
    if job.judged:
        encoder = load_text_encoder(
            job.text_model,
            device="cpu",
            allow_download=job.allow_download,
            adapter=adapter,
        )
        logits = logits_of(encoder, head, job.judged)
    return Outcome(adapter, head, logits)
