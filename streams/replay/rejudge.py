"""Judges recorded signals again, by the same core, and compares with what was said.

A faithful replay judges each upload by the policy and the risk head that its recorded
decision names, and learns the *recorded* decision: each upload then meets the history
it met live, and one difference does not breed others. If all are equal that is the
same as learning one's own.

A what-if replay judges all by one candidate and learns the *candidate's* decisions, for
what it blocks is not learned from.

What the brakes held, a faithful replay takes from the recorded decision: it proves what
followed from that, not that the counts were right. In a what-if no limit holds a rule;
where one is applied the brakes come in then (`streams.replay.beside`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from schemas.codec import Codec
from schemas.records import ContentSignals, RiskDecision, UploaderHistory
from streams.braking import Holding, nothing_held, recorded_holds
from streams.history import AFTERWARDS, recall, remember
from streams.judge import Judge
from streams.replay.outcome import Outcome, Result, differing_fields
from streams.replay.recorded import Recorded, Word, said_of
from streams.replay.versions import Version, Versions, version_of

NOT_RECORDED = "no decision was recorded: not judged yet, lost, or cut by retention"


@dataclass(frozen=True, slots=True)
class Item:
    """One record to judge again, with what is known of it."""

    partition: int
    offset: int
    time_ms: int
    recorded: ContentSignals
    content: Sequence[Recorded] = ()  # Everything that was said on its content.
    # As `recorded`, unless the encoders were run again.
    fresh: ContentSignals | None = None

    @property
    def signals(self) -> ContentSignals:
        """What is judged."""
        return self.fresh or self.recorded


@dataclass(frozen=True, slots=True)
class Rejudged:
    """What one record came to, and its uploader's next history."""

    outcome: Outcome
    history: UploaderHistory
    decision: bytes | None = None  # What replay says, as it would be sent.


class Rejudging:
    """Judges records one by one; the caller keeps the histories."""

    def __init__(
        self,
        codec: Codec,
        versions: Versions,
        today: Version,
        candidate: Judge | None = None,
    ) -> None:
        """Prepare.

        Args:
            codec: of the topics' values.
            versions: what can be judged by.
            today: judges what has no recorded decision, so that histories go on.
            candidate: what-if; None: a faithful replay.
        """
        self._codec = codec
        self._versions = versions
        # What spoke last; part of the state, for `_guess` depends on it.
        self.last = today
        self._candidate = candidate

    def warm(self, item: Item, history: UploaderHistory) -> UploaderHistory:
        """Learn what was decided before the window; nothing is judged or compared."""
        signals = item.recorded
        if recall(history, signals) is not None:
            return history
        said = said_of(signals, item.content)
        if not said:
            return self._guess(signals, history)
        return remember(history, signals, said[0].decision, said[0].value)

    def judge(self, item: Item, history: UploaderHistory) -> Rejudged:
        """Judge one record of the window and compare."""
        known = recall(history, item.signals)
        if known is not None:
            return self._known(item, history, known.decision)
        if self._candidate is not None:
            return self._what_if(self._candidate, item, history)
        return self._faithful(item, history)

    def _known(
        self, item: Item, history: UploaderHistory, value: bytes | None
    ) -> Rejudged:
        if value is None:
            outcome = _outcome(item, history, "old", reason="judged before")
            return Rejudged(outcome, history)
        now = self._decoded(value)
        # Not `said`: after a sweep a repeat is answered with the sweep's word.
        if self._candidate is None and value not in {x.value for x in item.content}:
            reason = "what a repeat was answered with was never recorded"
            outcome = _outcome(item, history, "different", None, now, reason)
            return Rejudged(outcome, history, value)
        said = said_of(item.recorded, item.content)
        then = said[0].decision if said else now
        return Rejudged(_outcome(item, history, "again", then, now), history, value)

    def _faithful(self, item: Item, history: UploaderHistory) -> Rejudged:
        """Judge by the version that spoke last, and only if bytes differ by its own.

        The version rarely changes, and equal bytes need no decoding.
        """
        hold = recorded_holds(lambda: _first(said_of(item.recorded, item.content)))
        tried = self._decided(self.last, item.signals, history, hold)
        value = None if tried is None else self._codec.encode(tried)
        if tried is not None and any(one.value == value for one in item.content):
            return self._same(item, history, Word(tried, value or b""))
        said = said_of(item.recorded, item.content)
        if not said:
            return self._unrecorded(item, history)
        reason, now = "", None
        for one in said:
            found = self._by_own_version(item, history, one, tried)
            if found.same:
                return self._same(item, history, one)
            reason, now, tried = found.reason, found.now, None
        outcome = _outcome(item, history, "different", said[-1].decision, now, reason)
        sent = None if now is None else self._codec.encode(now)
        return Rejudged(outcome, _learn(item, history, said[-1]), sent)

    def _same(self, item: Item, history: UploaderHistory, word: Word) -> Rejudged:
        outcome = _outcome(item, history, "same", word.decision, word.decision)
        return Rejudged(outcome, _learn(item, history, word), word.value)

    def _by_own_version(
        self,
        item: Item,
        history: UploaderHistory,
        one: Word,
        tried: RiskDecision | None,
    ) -> "_Compared":
        """Judge by the version that said it; `tried` is what the last version says."""
        own = version_of(one.decision)
        now = tried
        if tried is None or own != self.last:
            hold = recorded_holds(lambda: one.decision)
            now = self._decided(own, item.signals, history, hold)
        if now is None:
            return _Compared(False, None, self._versions.lacking(own))
        if self._codec.encode(now) != one.value:
            return _Compared(False, now, _why(one.decision, now))
        self.last = own
        return _Compared(True, now)

    def _what_if(
        self, candidate: Judge, item: Item, history: UploaderHistory
    ) -> Rejudged:
        judged = candidate.judge(item.signals, history)
        now, verdict = judged.decision, judged.verdict
        assert now is not None  # It was not known.
        assert verdict is not None
        value = self._codec.encode(now)
        learned = candidate.learn(history, item.signals, now, value)
        said = said_of(item.recorded, item.content)
        if not said:
            outcome = _outcome(item, history, "unknown", None, now, NOT_RECORDED)
            return Rejudged(outcome, learned, value)
        then = said[0].decision
        result: Result = "same" if then.action is now.action else "different"
        outcome = _outcome(item, history, result, then, now)
        if candidate.policy.brakes:
            outcome = replace(outcome, asked=verdict.asked)
        return Rejudged(outcome, learned, value)

    def _unrecorded(self, item: Item, history: UploaderHistory) -> Rejudged:
        now = self._decided(self.last, item.signals, history)
        outcome = _outcome(item, history, "unknown", None, now, NOT_RECORDED)
        return Rejudged(outcome, self._guess(item.recorded, history))

    def _decided(
        self,
        version: Version,
        signals: ContentSignals,
        history: UploaderHistory,
        hold: Holding = nothing_held,
    ) -> RiskDecision | None:
        judge = self._versions.judge(version)
        return None if judge is None else judge.judge(signals, history, hold).decision

    def _guess(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> UploaderHistory:
        """Learn by the version that spoke last: what was said is not known."""
        judge = self._versions.judge(self.last)
        decision = None if judge is None else judge.judge(signals, history).decision
        if judge is None or decision is None:
            return history
        return judge.learn(history, signals, decision, self._codec.encode(decision))

    def _decoded(self, value: bytes) -> RiskDecision:
        return self._codec.decode(value, RiskDecision)


@dataclass(frozen=True, slots=True)
class _Compared:
    same: bool
    now: RiskDecision | None
    reason: str = ""


def _first(said: Sequence[Word]) -> RiskDecision | None:
    return said[0].decision if said else None


def _learn(item: Item, history: UploaderHistory, word: Word) -> UploaderHistory:
    return remember(history, item.recorded, word.decision, word.value)


def _outcome(
    item: Item,
    history: UploaderHistory,
    result: Result,
    then: RiskDecision | None = None,
    now: RiskDecision | None = None,
    reason: str = "",
) -> Outcome:
    # How many there were on the day a swept upload came is not kept.
    is_known = item.signals.stage not in AFTERWARDS
    return Outcome(
        item.partition,
        item.offset,
        item.time_ms,
        item.signals,
        result,
        then,
        now,
        reason,
        history.uploads if is_known else None,
    )


def _why(then: RiskDecision, now: RiskDecision) -> str:
    """Say in which fields two decisions of one version differ, and what that means."""
    named = differing_fields(then, now)
    if "models" in named:
        others = [m for m in then.models if m not in now.models]
        if others:
            model = others[0]
            return (
                f"{model.role} model {model.name} {model.sha256[:12]}… is not what is "
                "here"
            )
    if set(named) == {"anomalies"}:
        return "anomalies: the history then was another"
    return f"other {', '.join(named) or 'bytes, equal values'}"
