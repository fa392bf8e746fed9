"""Tells when what comes in, or the scores on it, is no longer what it was: ADWIN.

For operators only: a producer that sends no titles any more, a language that is new, a
model whose probabilities crept up. Pure; nothing here decides.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from river.drift import ADWIN

from schemas.records import Category, ContentSignals, RiskDecision
from streams.fingerprint import unpack
from streams.history import is_trusted

# The chance that ADWIN calls a change where there is none, at each look, once in 32
# uploads (Bifet and Gavaldà, Learning from Time-Changing Data with Adaptive Windowing,
# 2007). A thousandth of river's 0.002: some forty inputs are watched for months.
DELTA = 2e-6
CENTROID_UPLOADS = 4096  # The usual content follows by 1/4096 an upload, and no faster.
LANGUAGES = ("en", "es", "pt", "fr", "de", "other", "unknown")
MOST_CHARS_LOG2 = 20  # A mebi-character, more than an event may carry.


@dataclass(frozen=True, slots=True)
class Drift:
    """An input whose mean changed."""

    name: str
    before: float
    after: float
    uploads: int  # That ADWIN's window still has, all from after the change.


class DriftWatch:
    """One ADWIN for each input and score; memory grows with the log of uploads.

    No false alarm in 300,000 made-up stationary uploads over 32 inputs; changes as in
    tests/streams/test_drift.py are told within 500 uploads.
    """

    def __init__(self) -> None:
        self._inputs: dict[str, ADWIN] = {}
        self._centroid: NDArray[np.float32] | None = None
        self._centroid_uploads = 0

    def observe(
        self,
        signals: ContentSignals,
        decision: RiskDecision,
        hidden: frozenset[Category],
    ) -> list[Drift]:
        """Take one upload and its decision; categories in `hidden` are passed over.

        The caller lets in few of each uploader; see `uploader_windows`. What was
        blocked counts too, or a wave of it would not show, but is never usual content.
        """
        found = []
        for name, value in self._values(signals, decision, hidden):
            if name not in self._inputs:
                self._inputs[name] = ADWIN(delta=DELTA)  # type: ignore[no-untyped-call]
            adwin = self._inputs[name]
            before = adwin.estimation
            adwin.update(min(1.0, max(0.0, value)))  # type: ignore[no-untyped-call]
            if adwin.drift_detected:
                uploads = int(adwin.width)
                found.append(Drift(name, before, adwin.estimation, uploads))
        return found

    def means(self) -> dict[str, float]:
        """Return what is usual for each input: the mean over ADWIN's window."""
        return {name: adwin.estimation for name, adwin in self._inputs.items()}

    def _values(
        self,
        signals: ContentSignals,
        decision: RiskDecision,
        hidden: frozenset[Category],
    ) -> Iterator[tuple[str, float]]:
        chars = sum(len(text) for _, text in signals.event.texts)
        yield "text_length", math.log2(1 + chars) / MOST_CHARS_LOG2
        yield "without_text", float(not signals.texts)
        yield "missing_signals", float(bool(signals.missing))
        if signals.texts:
            language = signals.texts[0].language or "unknown"
            language = language if language in LANGUAGES else "other"
            yield from ((f"language_{n}", float(n == language)) for n in LANGUAGES)
            is_lesson = is_trusted(decision)
            yield from self._of_embedding(signals.texts[0].embedding, is_lesson)
        for score in decision.categories:
            if score.probability is not None and score.category not in hidden:
                yield f"category_{score.category.lower()}", score.probability
        for anomaly in decision.anomalies:
            yield f"anomaly_{anomaly.name}", anomaly.value

    def _of_embedding(
        self, packed: bytes, is_lesson: bool
    ) -> Iterator[tuple[str, float]]:
        """Give an embedding's length and how far it is from the usual one."""
        vector = unpack(packed)
        if vector is None:
            return
        length = float(np.linalg.norm(vector))
        # One for our encoders; halved, so that a longer one shows too.
        yield "embedding_norm", length / 2
        if not 0.0 < length < math.inf:
            return
        vector = vector / np.float32(length)
        usual = self._centroid
        if usual is None or len(usual) != len(vector):  # Another text model.
            if is_lesson:
                self._centroid, self._centroid_uploads = vector, 1
            return
        usual_length = float(np.linalg.norm(usual))
        if usual_length > 0:
            cosine = float(usual @ vector) / usual_length
            yield "embedding_distance", (1.0 - cosine) / 2
        if not is_lesson:
            return
        self._centroid_uploads = min(self._centroid_uploads + 1, CENTROID_UPLOADS)
        self._centroid = usual + (vector - usual) / np.float32(self._centroid_uploads)
