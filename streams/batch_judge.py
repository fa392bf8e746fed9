"""One micro-batch of `judge`: records in, decisions and changed histories out.

Called for one partition at a time, in offset order; it writes nothing itself, so a
batch that could not be committed is judged again and comes out the same.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from functools import partial
from time import perf_counter

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import Action, ContentSignals, RiskDecision, UploaderHistory
from schemas.topics import (
    BRAKE_STATE,
    DECISION,
    DECISION_CURRENT,
    HISTORY,
    REVIEW_REQUESTED,
    SIGNALS,
)
from streams.brake_notes import BrakeNotes
from streams.brake_records import changed_records
from streams.brakes import BrakeState
from streams.braking import Holding, PartitionBrakes
from streams.crash_guard import Guard
from streams.dead_letters import DeadLetters
from streams.errors import EventError, PermanentError
from streams.judge import Judge
from streams.judging import JudgedBatch
from streams.messages import Output, Record
from streams.pipeline import decide_whole
from streams.policy import Policy
from streams.retries import RetryBounds, retried_blocking
from streams.shadowing import Shadowing
from streams.telemetry import EventLine, EventLog
from streams.wire import decode_value


class CodedHistories(MutableMapping[str, UploaderHistory]):
    """Histories of a batch: read from encoded ones, changes kept apart."""

    def __init__(self, codec: Codec, encoded: Mapping[str, bytes]) -> None:
        self._codec = codec
        self._encoded = encoded
        self.changed: dict[str, UploaderHistory] = {}

    def __getitem__(self, uploader_id: str) -> UploaderHistory:
        if uploader_id in self.changed:
            return self.changed[uploader_id]
        return self._codec.decode(self._encoded[uploader_id], UploaderHistory)

    def __setitem__(self, uploader_id: str, history: UploaderHistory) -> None:
        self.changed[uploader_id] = history

    def __delitem__(self, uploader_id: str) -> None:
        raise TypeError("a history is erased by a tombstone, not by judging")

    def __iter__(self):  # type: ignore[no-untyped-def]  # Mapping's own type.
        return iter({**self._encoded, **self.changed})

    def __len__(self) -> int:
        return len({**self._encoded, **self.changed})


def _unwatched(signals: ContentSignals, decision: RiskDecision) -> None:
    """Tell nobody."""


class BatchJudging:
    """Judges batches with one judge and one codec.

    `committed` is told of each new decision once it is committed, with its signals;
    `shadowing` adds what the candidates would have said.
    """

    def __init__(
        self,
        judge: Judge,
        codec: Codec,
        dead_letters: DeadLetters,
        guard: Guard,
        retries: RetryBounds,
        log: EventLog,
        committed: Callable[[ContentSignals, RiskDecision], None] = _unwatched,
        shadowing: Shadowing | None = None,
    ) -> None:
        self._judge = judge
        self._codec = codec
        self._dead_letters = dead_letters
        self._guard = guard
        self._retries = retries
        self._log = log
        self._committed = committed
        self._shadowing = shadowing
        self._brake_notes = BrakeNotes(log)

    def adopt(self, policy: Policy) -> None:
        """Judge by another policy from the next upload on; from any thread."""
        self._judge = self._judge.under(policy)

    def __call__(
        self,
        records: Sequence[Record],
        histories: Mapping[str, bytes],
        brakes: BrakeState | None = None,
    ) -> JudgedBatch:
        """Judge records in order; what can't be judged becomes a dead letter."""
        before = brakes or BrakeState()
        batch = JudgedBatch()
        current = CodedHistories(self._codec, histories)
        hold = PartitionBrakes(before, partitions=SIGNALS.partitions)
        for record in records:
            self._one(record, current, hold, batch)
        batch.brakes = hold.state
        batch.brake_values = {
            key: None if count is None else self._codec.encode(count)
            for key, count in changed_records(before, hold.state).items()
        }
        batch.histories = {
            uploader_id: self._codec.encode(history)
            for uploader_id, history in current.changed.items()
        }
        return batch

    def _one(
        self,
        record: Record,
        histories: CodedHistories,
        hold: Holding,
        batch: JudgedBatch,
    ) -> None:
        line = self._log.begin("judge", record)
        started_s = perf_counter()
        try:
            self._guard.refuse(record)
            # The registry may be away. Later events wait: their order matters here.
            signals, attempts = retried_blocking(
                lambda: decode_value(self._codec, record, ContentSignals),
                self._retries,
            )
            judged, value = decide_whole(
                self._judge, signals, histories, self._codec.encode, hold
            )
            word = judged.decision
            judge_ms = (perf_counter() - started_s) * 1000
            batch.outputs += self._outputs(record, word, value, judge_ms)
        except PermanentError as error:
            self._bury(record, error, batch, line)
        except Exception as error:  # A defect of ours must not lose the event either.
            failure = PermanentError("internal_error", type(error).__name__)
            self._bury(record, failure, batch, line, defect=error)
        else:
            facts = _facts(signals, word or value) | {"attempts": attempts}
            uploaded_at = signals.event.event_time
            batch.finish.append(lambda: self._went_well(line, facts, uploaded_at))
            if word is not None:
                batch.finish.append(partial(self._committed, signals, word))
                batch.finish.append(partial(self._brake_notes.tell, word))
            if word is not None and self._shadowing is not None:
                self._shadowing.add(record, signals, judged, batch)

    def _outputs(
        self,
        record: Record,
        word: RiskDecision | None,
        value: bytes | None,
        judge_ms: float,
    ) -> list[Output]:
        if value is None:
            return []
        # Judged before: the same bytes go out again.
        decision = word or self._recorded(value)
        topics = [DECISION.name, DECISION_CURRENT.name]
        if _asks_a_person(decision) and not decision.provisional:
            topics.append(REVIEW_REQUESTED.name)
        key = decision.content_id.encode()
        return [
            Output(topic, key, value, _headers(topic, decision, record, judge_ms))
            for topic in topics
        ]

    def _recorded(self, value: bytes) -> RiskDecision:
        try:
            return self._codec.decode(value, RiskDecision)
        except CodecError as error:
            raise EventError(error.code, str(error)) from error

    def _bury(
        self,
        record: Record,
        error: PermanentError,
        batch: JudgedBatch,
        line: EventLine,
        defect: Exception | None = None,
    ) -> None:
        batch.outputs.append(self._dead_letters.letter(record, error, error.attempts))

        def finish() -> None:
            line.dead_letter(error, defect)
            self._dead_letters.note_burial(error)

        batch.finish.append(finish)

    def _went_well(
        self, line: EventLine, facts: dict[str, object], uploaded_at: datetime
    ) -> None:
        age_s = (datetime.now(UTC) - uploaded_at).total_seconds()
        line.finish(age_s=round(age_s, 3), **facts)
        self._dead_letters.note_success()


def history_output(partition: int, uploader_id: str, value: bytes) -> Output:
    """Return a history as a changelog record, beside the partition it belongs to."""
    return Output(HISTORY.name, uploader_id.encode(), value, partition=partition)


def brake_output(partition: int, key: str, value: bytes | None) -> Output:
    """Return a count of the brakes as a changelog record, beside its partition."""
    return Output(BRAKE_STATE.name, key.encode(), value, partition=partition)


def _asks_a_person(decision: RiskDecision) -> bool:
    actions = {decision.action, *(market.action for market in decision.by_market)}
    return Action.REVIEW in actions


def _headers(
    topic: str, decision: RiskDecision, record: Record, judge_ms: float
) -> tuple[tuple[str, bytes], ...]:
    headers = binary_headers(
        type=topic,
        source="/headgate/judge",
        id=decision.decision_id,
        subject=decision.content_id,
        time=decision.event_time,
        schema=f"{topic}-value",
    )
    # Not in the value: the same input must give the same bytes.
    spent = ("headgate-judge-ms", f"{judge_ms:.2f}".encode())
    return (*headers, spent, *record.trace)


def _facts(
    signals: ContentSignals, word: RiskDecision | bytes | None
) -> dict[str, object]:
    event = signals.event
    facts: dict[str, object] = {"content_id": event.content_id}
    if not isinstance(word, RiskDecision):
        return {**facts, "duplicate": "again" if word else "old"}
    return {
        **facts,
        "decision_id": word.decision_id,
        "action": word.action.lower(),
        "clause": word.clause,
        "provisional": word.provisional,
        "stage_ms": {time.stage: time.ms for time in word.stage_times},
    }
