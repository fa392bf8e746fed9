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
from streams.replay.recorded import Recorded, said_of
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
        return self._learn(signals, history, said[0])

    def judge(self, item: Item, history: UploaderHistory) -> Rejudged:
        """Judge one record of the window and compare."""
        rejudged = self._judged(item, history)
        # How many there were on the day a swept upload came is not kept.
        is_known = item.signals.stage not in AFTERWARDS
        uploads = history.uploads if is_known else None
        return replace(rejudged, outcome=replace(rejudged.outcome, uploads=uploads))

    def _judged(self, item: Item, history: UploaderHistory) -> Rejudged:
        said = said_of(item.recorded, item.content)
        known = recall(history, item.signals)
        if known is not None:
            return self._known(item, history, known.decision, said)
        if self._candidate is not None:
            return self._what_if(self._candidate, item, history, said)
        return self._faithful(item, history, said)

    def _known(
        self,
        item: Item,
        history: UploaderHistory,
        value: bytes | None,
        said: Sequence[Recorded],
    ) -> Rejudged:
        if value is None:
            return Rejudged(_outcome(item, "old", reason="judged before"), history)
        now = self._decoded(value)
        # Not `said`: after a sweep a repeat is answered with the sweep's word.
        if self._candidate is None and value not in {x.value for x in item.content}:
            reason = "what a repeat was answered with was never recorded"
            outcome = _outcome(item, "different", None, now, reason)
            return Rejudged(outcome, history, value)
        then = self._decoded(said[0].value) if said else now
        return Rejudged(_outcome(item, "again", then, now), history, value)

    def _faithful(
        self, item: Item, history: UploaderHistory, said: Sequence[Recorded]
    ) -> Rejudged:
        if not said:
            return self._unrecorded(item, history)
        reason, now = "", None
        for one in said:
            found = self._by_own_version(item, history, one)
            if found.same:
                learned = self._learn(item.recorded, history, one, found.now)
                outcome = _outcome(item, "same", found.now, found.now)
                return Rejudged(outcome, learned, one.value)
            reason, now = found.reason, found.now
        then = self._decoded(said[-1].value)
        learned = self._learn(item.recorded, history, said[-1], then)
        outcome = _outcome(item, "different", then, now, reason)
        sent = None if now is None else self._codec.encode(now)
        return Rejudged(outcome, learned, sent)

    def _by_own_version(
        self, item: Item, history: UploaderHistory, one: Recorded
    ) -> "_Compared":
        """Judge by the version that said it; the last one first: it rarely changes."""
        tried = replace(self.last, policy=one.policy_sha256)
        hold = recorded_holds(lambda: self._decoded(one.value))
        now = self._decided(tried, item.signals, history, hold)
        if now is not None and self._codec.encode(now) == one.value:
            self.last = tried
            return _Compared(True, now)
        then = self._decoded(one.value)
        own = version_of(then)
        if self._versions.judge(own) is None:
            return _Compared(False, None, self._versions.lacking(own))
        if own != tried:
            now = self._decided(own, item.signals, history, hold)
            if now is not None and self._codec.encode(now) == one.value:
                self.last = own
                return _Compared(True, now)
        assert now is not None
        return _Compared(False, now, _why(then, now))

    def _what_if(
        self,
        candidate: Judge,
        item: Item,
        history: UploaderHistory,
        said: Sequence[Recorded],
    ) -> Rejudged:
        judged = candidate.judge(item.signals, history)
        now, verdict = judged.decision, judged.verdict
        assert now is not None  # It was not known.
        assert verdict is not None
        value = self._codec.encode(now)
        learned = candidate.learn(history, item.signals, now, value)
        if not said:
            outcome = _outcome(item, "unknown", None, now, NOT_RECORDED)
            return Rejudged(outcome, learned, value)
        then = self._decoded(said[0].value)
        result: Result = "same" if then.action is now.action else "different"
        outcome = _outcome(item, result, then, now)
        if candidate.policy.brakes:
            outcome = replace(outcome, asked=verdict.asked)
        return Rejudged(outcome, learned, value)

    def _unrecorded(self, item: Item, history: UploaderHistory) -> Rejudged:
        now = self._decided(self.last, item.signals, history)
        outcome = _outcome(item, "unknown", None, now, NOT_RECORDED)
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

    def _learn(
        self,
        signals: ContentSignals,
        history: UploaderHistory,
        one: Recorded,
        decision: RiskDecision | None = None,
    ) -> UploaderHistory:
        decision = decision or self._decoded(one.value)
        return remember(history, signals, decision, one.value)

    def _decoded(self, value: bytes) -> RiskDecision:
        return self._codec.decode(value, RiskDecision)


@dataclass(frozen=True, slots=True)
class _Compared:
    same: bool
    now: RiskDecision | None
    reason: str = ""


def _outcome(
    item: Item,
    result: Result,
    then: RiskDecision | None = None,
    now: RiskDecision | None = None,
    reason: str = "",
) -> Outcome:
    return Outcome(
        item.partition,
        item.offset,
        item.time_ms,
        item.signals,
        result,
        then,
        now,
        reason,
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
