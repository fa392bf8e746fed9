"""Asks the candidates about each new decision, for `judge`; they can't harm it.

Their words go out in the live decision's transaction. A candidate that raises is
logged once, counted, and passed over.
"""

from collections.abc import Callable, Sequence
from functools import partial

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.records import ContentSignals, ShadowDecision
from schemas.topics import DECISION_SHADOW
from streams.judge import Judged
from streams.judging import JudgedBatch
from streams.logs import frames_of
from streams.messages import Output, Record
from streams.metrics import Metrics
from streams.shadows.shadow import Shadow
from streams.telemetry import EventLog


class Shadowing:
    """The candidates beside a live policy."""

    def __init__(
        self,
        shadows: Sequence[Shadow],
        codec: Codec,
        log: EventLog,
        metrics: Metrics | None = None,
    ) -> None:
        self._shadows = tuple(shadows)
        self._codec = codec
        self._log = log
        self._metrics = metrics
        self._failed: set[str] = set()  # Those that were logged.

    def add(
        self,
        record: Record,
        signals: ContentSignals,
        judged: Judged,
        batch: JudgedBatch,
    ) -> None:
        """Add to a batch what each candidate says; it is counted once committed."""
        for shadow in self._shadows:
            finish: Callable[[], None]
            try:
                word = shadow.decide(signals, judged)
                if word is None:
                    continue
                batch.outputs.append(self._output(record, word))
                finish = partial(self._went_well, word)
            except Exception as error:  # A candidate must not cost the live decision.
                finish = partial(self._went_wrong, shadow.name, error)
            batch.finish.append(finish)

    def _output(self, record: Record, word: ShadowDecision) -> Output:
        topic = DECISION_SHADOW.name
        headers = binary_headers(
            type=topic,
            source="/headgate/judge",
            id=f"{word.decision_id}/{word.shadow}",
            subject=word.content_id,
            time=word.event_time,
            schema=f"{topic}-value",
        )
        value = self._codec.encode(word)
        key = word.content_id.encode()
        return Output(topic, key, value, (*headers, *record.trace))

    def _went_well(self, word: ShadowDecision) -> None:
        if self._metrics is not None:
            self._metrics.count_shadow(word.shadow, word.live_action, word.action)

    def _went_wrong(self, name: str, error: Exception) -> None:
        if self._metrics is not None:
            self._metrics.shadow_errors.labels(name).inc()
        if name in self._failed:
            return
        self._failed.add(name)
        self._log.note(
            "shadow_failed",
            shadow=name,
            error=type(error).__name__,
            at=frames_of(error),
        )
