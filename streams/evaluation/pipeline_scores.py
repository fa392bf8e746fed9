"""Texts scored as `headgate assess` scores them: each a new uploader's only upload."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from schemas.records import (
    Category,
    ContentIngested,
    ContentSignals,
    Kind,
    Stage,
    UploaderHistory,
)
from streams.judge import Judge
from streams.understand import Understanding

# No text's score depends on when it came.
_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class PipelineScores:
    """The text model and the judge, as the worker has them."""

    def __init__(
        self,
        understanding: Understanding,
        judge: Judge,
        categories: Sequence[Category],
    ) -> None:
        self._understanding = understanding
        self._judge = judge
        self.categories = tuple(categories)

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return probabilities, float64, shape (n, categories).

        NaN where the decision has none: the reason is a missing signal of it.
        """
        examined = [_examined(index, text) for index, text in enumerate(texts)]
        rows = [self._one(signals) for signals in self._understanding.embed(examined)]
        return np.array(rows, dtype=np.float64).reshape(
            len(texts), len(self.categories)
        )

    def _one(self, signals: ContentSignals) -> list[float]:
        history = UploaderHistory(signals.event.uploader_id)
        decision = self._judge.judge(signals, history).decision
        found = (
            {}
            if decision is None
            else {score.category: score.probability for score in decision.categories}
        )
        values = (found.get(category) for category in self.categories)
        return [np.nan if value is None else value for value in values]


def _examined(index: int, text: str) -> ContentSignals:
    event = ContentIngested(
        content_id=f"text-{index}",
        uploader_id=f"uploader-{index}",
        kind=Kind.LYRICS,
        event_time=_TIME,
        texts=(("text", text),),
    )
    return ContentSignals(event=event, stage=Stage.COMPLETE)
