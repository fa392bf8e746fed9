"""How `judge` writes: outputs, histories and its position, together or in safe order.

Two ways behind one protocol: in one Kafka transaction (streams/transactions.py), or,
where the broker can't, at-least-once in an order that a crash can't turn into a loss.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from streams.commits import Committer
from streams.ledger import TopicPartition
from streams.messages import Output
from streams.stage import Producer, write_confirmed


class Outbox(Protocol):
    """Writes for one source partition; used by one task at a time."""

    async def open(self) -> int:
        """Take the partition over from whoever had it before.

        Returns:
            The first offset that is not committed; events below it are done.

        Raises:
            TransientError: not now; call again.
        """

    async def commit(
        self,
        outputs: Sequence[Output],
        histories: Sequence[Output],
        next_offset: int,
    ) -> None:
        """Write outputs, then histories, and move the position to `next_offset`.

        The brakes' counts are among `histories`: what the next owner starts from.

        Raises:
            TransientError: the outcome is unknown; `open` again before going on.
        """

    async def close(self) -> None:
        """Let the partition go; what is not committed is as if it never happened."""


class LedgerOutbox:
    """At-least-once: decisions first, histories next, the position last.

    A crash in between repeats the decisions from the same histories, so the repeats
    are equal, byte for byte; or finds them in the history and sends those bytes again.
    Where it comes between one history and the next, a policy's brakes (which lie beside
    them) may count an upload twice or not at all.
    """

    def __init__(
        self, source: TopicPartition, producer: Producer, committer: Committer
    ) -> None:
        self._source = source
        self._producer = producer
        self._committer = committer

    async def open(self) -> int:
        """Return 0: the broker delivers from the committed offset by itself."""
        return 0

    async def commit(
        self,
        outputs: Sequence[Output],
        histories: Sequence[Output],
        next_offset: int,
    ) -> None:
        """Write in the safe order, each step confirmed before the next."""
        await self._write(outputs)
        await self._write(histories)
        self._committer.note(self._source, next_offset)

    async def close(self) -> None:
        """Nothing to give back."""

    async def _write(self, records: Sequence[Output]) -> None:
        """Write side by side and return when the broker has all."""
        writes = (write_confirmed(self._producer, record) for record in records)
        await asyncio.gather(*writes)
