"""Decisions, histories and the source offset in one Kafka transaction.

Faust's own `exactly_once` writes outside its transactions (faust.md F23, F24), so each
source partition gets a transactional producer of ours. Its id names the partition:
whoever starts it fences the previous owner and ends that one's open transaction.
"""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError, ProducerFenced
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.errors import TransientError
from streams.kafka_access import Kafka, as_access
from streams.ledger import TopicPartition
from streams.messages import Output

# Longer than any batch, shorter than the broker's transaction.max.timeout.ms (15 min).
TRANSACTION_TIMEOUT_MS = 60_000
REQUEST_TIMEOUT_MS = 30_000


class FencedError(Exception):
    """Another worker has taken the partition over; this one must stop writing."""


class TransactionalOutbox:
    """The exactly-once way; needs a broker with transactions."""

    def __init__(
        self,
        source: TopicPartition,
        *,
        kafka: Kafka,
        group_id: str,
        max_message_bytes: int,
    ) -> None:
        self._source = KafkaPartition(*source)
        self._access = as_access(kafka)
        self._group_id = group_id
        self._max_message_bytes = max_message_bytes
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> int:
        """Fence the previous owner, then read how far it came.

        The order matters: read first, and a transaction that the old owner commits in
        between would be done twice (aio-libs/aiokafka#844).
        """
        await self.close()
        producer = AIOKafkaProducer(
            **self._access.aiokafka(),
            transactional_id=(
                f"{self._group_id}-{self._source.topic}-{self._source.partition}"
            ),
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_request_size=self._max_message_bytes,
            compression_type="lz4",
            # Its records are all at hand: 5 ms made a transaction last 7.6 ms, not 2.3
            # (idle broker), for batches grew old one by one and each went by itself.
            linger_ms=0,
        )
        self._producer = producer  # From here on `close` stops it.
        try:
            await producer.start()
            return await self._committed()
        except (KafkaError, OSError) as error:
            raise TransientError(f"can't open {self._source}: {error}") from error

    async def commit(
        self,
        outputs: Sequence[Output],
        histories: Sequence[Output],
        next_offset: int,
    ) -> None:
        """Write everything in one transaction.

        Raises:
            FencedError: another worker owns the partition now.
            TransientError: the outcome is unknown.
        """
        assert self._producer is not None, "open the outbox first"
        try:
            async with self._producer.transaction():
                sent = [await self._send(out) for out in (*outputs, *histories)]
                await asyncio.gather(*sent)
                await self._producer.send_offsets_to_transaction(
                    {self._source: next_offset}, self._group_id
                )
        except ProducerFenced as error:
            raise FencedError(f"{self._source} has a new owner") from error
        except (KafkaError, OSError) as error:
            raise TransientError(f"transaction of {self._source}: {error}") from error

    async def close(self) -> None:
        """Stop the producer; an open transaction is aborted by the next owner."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _send(self, out: Output) -> "asyncio.Future[object]":
        assert self._producer is not None
        future: asyncio.Future[object] = await self._producer.send(
            out.topic,
            value=out.value,
            key=out.key,
            partition=out.partition,
            headers=list(out.headers),
            timestamp_ms=out.timestamp_ms,
        )
        return future

    async def _committed(self) -> int:
        admin = AIOKafkaAdminClient(**self._access.aiokafka())
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(
                self._group_id, partitions=[self._source]
            )
        finally:
            await admin.close()
        found = offsets.get(self._source)
        if found is None:
            # aiokafka passes over an error of the whole answer. Taken for "nothing was
            # committed" it would judge the whole partition again.
            raise TransientError(f"the group's coordinator can't tell {self._source}")
        committed: int = found.offset
        return max(0, committed)  # -1: nothing was ever committed.
