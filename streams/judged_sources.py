"""Judges sources one by one and keeps what the policy was asked: for `policy explain`.

Captured signals need no model; an event loads the whole pipeline, as `assess` does.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import ContentSignals, RiskDecision, UploaderHistory
from streams.assessing import Assessing
from streams.errors import EventError, PermanentError
from streams.event_files import Source
from streams.judge import Judge
from streams.policy import Findings


@dataclass(frozen=True, slots=True)
class JudgedSource:
    """One source: its decision and what the policy was asked, or what was wrong.

    Without either it was judged before, in this same run.
    """

    name: str
    decision: RiskDecision | None = None
    findings: Findings | None = None
    error: PermanentError | None = None


class JudgedSources:
    """Judges with one judge, remembering each uploader on the way."""

    def __init__(
        self, judge: Judge, codec: Codec, assessing: Callable[[], Assessing]
    ) -> None:
        self._judge = judge
        self._codec = codec
        self._load = assessing
        self._histories: dict[str, UploaderHistory] = {}

    def judged(self, sources: Iterable[Source]) -> Iterator[JudgedSource]:
        """Yield one for each source, in order."""
        for source in sources:
            try:
                yield self._one(source)
            except PermanentError as error:
                yield JudgedSource(source.name, error=error)

    def _one(self, source: Source) -> JudgedSource:
        signals = self._signals(source)
        uploader_id = signals.event.uploader_id
        history = self._histories.get(uploader_id) or UploaderHistory(uploader_id)
        judged = self._judge.judge(signals, history)
        if judged.decision is None:
            return JudgedSource(source.name)
        encoded = self._codec.encode(judged.decision)
        learned = self._judge.learn(history, signals, judged.decision, encoded)
        self._histories[uploader_id] = learned
        return JudgedSource(source.name, judged.decision, judged.findings)

    def _signals(self, source: Source) -> ContentSignals:
        if source.error is not None:
            raise source.error
        if source.signals is None:
            return self._assessing.signals(source)
        try:
            return self._codec.decode(source.signals, ContentSignals)
        except CodecError as error:
            raise EventError(error.code, str(error)) from error

    @cached_property
    def _assessing(self) -> Assessing:
        return self._load()
