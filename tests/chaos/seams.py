"""The points at which a worker can be told to die, and how they are reached.

Each is a narrow seam: the handlers' call, the producer's `send`, the committer's
`note` and its commit, the outbox, Kafka's transaction calls, the history reader. Which
stage passes is read off the record or the position that passes.
"""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from schemas.topics import HISTORY
from streams import agents, outbox, producer, restoring, transactions
from streams.commits import Committer
from streams.messages import Output

_LEDGER_STAGE = ("handled", "written", "noted", "committed")
_SHARED = (
    *(f"screen:{boundary}" for boundary in _LEDGER_STAGE),
    *(f"transcribe:{boundary}" for boundary in _LEDGER_STAGE),
    "judge:opening",  # Before the partition's histories are read back.
    "judge:restoring",  # In the middle of reading them.
    "judge:judged",  # After judging, before any output.
)
TRANSACTIONAL = (
    *_SHARED,
    "judge:in_transaction",  # Outputs are written, the offsets are not.
    "judge:before_commit",  # Everything is in the transaction, which is still open.
    "judge:committed",  # The transaction ended, memory does not know yet.
)
LEDGER = (
    *_SHARED,
    "judge:decided",  # Between the decisions and the histories.
    "judge:remembered",  # After the histories, before the position.
    "judge:noted",
)
BOUNDARIES = {"transactional": TRANSACTIONAL, "ledger": LEDGER}
# What each stage's source topic starts with, its other lanes too.
_SOURCES = {
    "content.ingested": "screen",
    "content.screened": "transcribe",
    "content.signals": "judge",
}


def kill_at(place: str, log: Path | None) -> None:
    """Arm `stage:boundary:n`; the death is told in `log` first."""
    wanted, _, count = place.rpartition(":")
    if wanted not in {*TRANSACTIONAL, *LEDGER}:
        raise ValueError(f"CHAOS_KILL_AT is {place!r}; expected stage:boundary:n")
    left = int(count)

    def passing(boundary: str) -> None:
        nonlocal left
        if boundary != wanted:
            return
        left -= 1
        if left > 0:
            return
        if log is not None:
            with log.open("a") as lines:
                lines.write(f"{wanted}\n")
        os.kill(os.getpid(), signal.SIGKILL)

    _arm_handlers(passing)
    _arm_producer(passing)
    _arm_committer(passing)
    _arm_outboxes(passing)
    _arm_transactions(passing)
    _arm_restoring(passing)


Passing = Callable[[str], None]


def _arm_handlers(passing: Passing) -> None:
    """`handled`: the work is done, nothing is written."""
    for handler, stage in (
        (agents.ScreenHandler, "screen"),
        (agents.TranscribeHandler, "transcribe"),
    ):
        _after(handler, "__call__", lambda *_, stage=stage: passing(f"{stage}:handled"))


def _arm_producer(passing: Passing) -> None:
    """`written`: the broker has the output, the ledger does not know."""

    def written(_self: Any, output: Output) -> None:
        headers = dict(output.headers)
        if output.topic == HISTORY.name:
            passing("judge:remembered")
            return
        source = headers.get("x-dlq-stage") or headers.get("ce_source", b"")
        passing(f"{source.decode().rpartition('/')[2]}:written")

    def writing(_self: Any, output: Output) -> None:
        if output.topic == HISTORY.name:
            passing("judge:decided")

    _after(producer.DeliveringProducer, "send", written)
    _before(producer.DeliveringProducer, "send", writing)


def _arm_committer(passing: Passing) -> None:
    """`noted`: finished and not committed; `committed`: the broker has the position."""
    note, commit_with = Committer.note, Committer.commit_with

    def noting(self: Committer, partition: tuple[str, int], next_offset: int) -> None:
        note(self, partition, next_offset)
        passing(f"{_stage(partition[0])}:noted")

    def committing(self: Committer, commit: Any) -> None:
        async def told(offsets: Mapping[Any, int]) -> bool:
            done: bool = await commit(offsets)
            for topic, _ in offsets:
                passing(f"{_stage(topic)}:committed")
            return done

        commit_with(self, told)

    Committer.note, Committer.commit_with = noting, committing  # type: ignore[method-assign]


def _arm_outboxes(passing: Passing) -> None:
    for box in (outbox.LedgerOutbox, transactions.TransactionalOutbox):
        _before(box, "open", lambda *_: passing("judge:opening"))
        _before(box, "commit", lambda *_: passing("judge:judged"))


def _arm_transactions(passing: Passing) -> None:
    _before(
        AIOKafkaProducer,
        "send_offsets_to_transaction",
        lambda *_: passing("judge:in_transaction"),
    )
    _before(
        AIOKafkaProducer,
        "commit_transaction",
        lambda *_: passing("judge:before_commit"),
    )
    _after(
        AIOKafkaProducer, "commit_transaction", lambda *_: passing("judge:committed")
    )


def _arm_restoring(passing: Passing) -> None:
    class Dying(restoring.Consumer):  # type: ignore[misc]  # librdkafka's has no types.
        def poll(self, *options: Any, **named: Any) -> Any:
            passing("judge:restoring")
            return super().poll(*options, **named)

    restoring.Consumer = Dying


def _stage(topic: str) -> str:
    return next((s for name, s in _SOURCES.items() if topic.startswith(name)), "none")


def _before(owner: type, name: str, tell: Callable[..., None]) -> None:
    method = getattr(owner, name)

    async def told(*values: Any, **named: Any) -> Any:
        tell(*values, **named)
        return await method(*values, **named)

    setattr(owner, name, told)


def _after(owner: type, name: str, tell: Callable[..., None]) -> None:
    method = getattr(owner, name)

    async def told(*values: Any, **named: Any) -> Any:
        result = await method(*values, **named)
        tell(*values, **named)
        return result

    setattr(owner, name, told)
