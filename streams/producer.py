"""Write records and know that the broker has them; edge, for ledger mode and tools.

librdkafka's producer under an awaitable `send`: deliveries are reported on a poll
thread and handed to the event loop in batches, one wake-up for all that came meanwhile.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic, sleep
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer

from streams.cluster import KAFKA_LOG
from streams.delivery_errors import delivery_error
from streams.errors import HeadgateError, TransientError
from streams.kafka_access import Kafka, as_access
from streams.messages import Output

_Future = asyncio.Future[None]
_Result = tuple[_Future, HeadgateError | None]
Delivered = Callable[[Any, Any], None]  # (error or None, message), as librdkafka calls.

# The largest max.message.bytes of schemas/topics.py is 8 MiB and 64 KiB; librdkafka
# compares it with the record before compression, key and headers included.
MESSAGE_MAX_BYTES = 8 * 1024 * 1024 + 64 * 1024
_POLL_S = 0.1
_FULL_QUEUE_WAIT_S = 0.005


def producer_config(
    kafka: Kafka,
    *,
    message_max_bytes: int = MESSAGE_MAX_BYTES,
    delivery_timeout_s: float = 30.0,
) -> dict[str, object]:
    """Return librdkafka's settings for every producer of ours."""
    return {
        **as_access(kafka).librdkafka(),
        "enable.idempotence": True,  # With acks=all: a retry writes nothing twice.
        "acks": "all",
        # Where Faust, aiokafka and Java look for a key; librdkafka's own default agrees
        # with them on 7 % of keys.
        "partitioner": "murmur2_random",
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.max.bytes": message_max_bytes,
        # Under every topic's max.message.bytes: the broker refuses whole batches.
        "batch.size": 512 * 1024,
        "delivery.timeout.ms": int(delivery_timeout_s * 1000),
        # Bounds what a broker that is away can make us hold: `send` waits instead.
        "queue.buffering.max.kbytes": 128 * 1024,
        "log_level": 3,  # Errors.
        "logger": KAFKA_LOG,
    }


class DeliveringProducer:
    """Send records from one event loop, each awaited until the broker confirmed it."""

    def __init__(
        self,
        kafka: Kafka,
        *,
        message_max_bytes: int = MESSAGE_MAX_BYTES,
        delivery_timeout_s: float = 30.0,
        make: Callable[[dict[str, object]], Any] = Producer,
    ) -> None:
        self._config = producer_config(
            kafka,
            message_max_bytes=message_max_bytes,
            delivery_timeout_s=delivery_timeout_s,
        ) | {"error_cb": self._on_error}
        self._access = as_access(kafka)
        self._timeout_s = delivery_timeout_s
        self._make = make
        self._client = make(self._config)
        self._closed = False
        self._confirmed_at_s = monotonic()
        self._broken = False  # By an error that ends librdkafka's producer for good.
        self._results: deque[_Result] = deque()
        self._woken: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(
            target=self._poll, name="producer-poll", daemon=True
        )
        self._thread.start()

    async def send(self, output: Output) -> None:
        """Write one record; returns once the broker has confirmed it.

        Without a partition the key chooses it, without a time it is now. Waits while
        the queue is full.

        Raises:
            TransientError: not confirmed within the delivery timeout; it may or may
                not have been written.
            PermanentError: the broker will never take it.
        """
        future: _Future = asyncio.get_running_loop().create_future()

        def delivered(error: Any, message: Any) -> None:
            self._note(error)
            failed = error and delivery_error(self._access, output.topic, error)
            self._hand_over((future, failed))

        deadline = monotonic() + self._timeout_s
        while not self._queue(output, delivered):
            if monotonic() > deadline:
                raise self._queue_full(output.topic)
            await asyncio.sleep(_FULL_QUEUE_WAIT_S)
        await future

    def send_all(self, outputs: Iterable[Output]) -> int:
        """Write many records and wait for all; for tools, blocks.

        Returns:
            How many were confirmed: all of them.

        Raises:
            TransientError: some were not confirmed.
            PermanentError: the broker will never take one of them.
        """
        failures: list[HeadgateError] = []

        def delivered(error: Any, message: Any) -> None:
            if error is not None:
                failures.append(delivery_error(self._access, message.topic(), error))

        sent = 0
        for sent, output in enumerate(outputs, start=1):  # noqa: B007 (told below)
            deadline = monotonic() + self._timeout_s
            while not self._queue(output, delivered):
                if monotonic() > deadline:
                    raise self._queue_full(output.topic)
                sleep(_FULL_QUEUE_WAIT_S)
        left = self._client.flush(self._timeout_s)
        if failures:
            raise failures[0]
        if left:
            raise TransientError(f"{left} of {sent} records were not confirmed")
        return sent

    def close(self, timeout_s: float = 10.0) -> None:
        """Wait for what was sent, then stop; the rest fails as transient. Blocks."""
        if self._closed:
            return
        if self._client.flush(timeout_s):
            self._client.purge()
            self._client.flush(_POLL_S)
        self._closed = True
        self._thread.join()

    def _queue(self, output: Output, delivered: Delivered) -> bool:
        if self._closed:
            raise TransientError(f"topic {output.topic}: the producer is closed")
        if self._broken:
            self._replace()
        where = {} if output.partition is None else {"partition": output.partition}
        if output.timestamp_ms is not None:
            where["timestamp"] = output.timestamp_ms
        try:
            self._client.produce(
                output.topic,
                key=output.key,
                value=output.value,
                headers=list(output.headers),
                on_delivery=delivered,
                **where,
            )
        except BufferError:
            return False
        except KafkaException as error:
            self._broken = self._broken or error.args[0].fatal()
            raise delivery_error(self._access, output.topic, error.args[0]) from error
        return True

    def _queue_full(self, topic: str) -> TransientError:
        return TransientError(
            f"topic {topic}: the producer's queue stayed full for "
            f"{self._timeout_s:g} s; is the broker up, and fast enough?"
        )

    def _replace(self) -> None:
        # A fatal error (the broker lost our producer id, say) ends an idempotent
        # producer, and so does silence; what it holds fails as transient.
        old, self._client = self._client, self._make(self._config)
        self._broken, self._confirmed_at_s = False, monotonic()
        old.purge()
        old.flush(_POLL_S)

    def _note(self, error: Any) -> None:
        # A client of librdkafka was seen to deliver nothing any more after its broker
        # had been restarted. If the broker is only away, a new one does as well.
        if error is None:
            self._confirmed_at_s = monotonic()
        elif error.code() == KafkaError._MSG_TIMED_OUT:
            silent_s = monotonic() - self._confirmed_at_s
            self._broken = self._broken or silent_s > self._timeout_s

    def _on_error(self, error: Any) -> None:
        # Other errors are news, not outcomes: librdkafka goes on trying.
        self._broken = self._broken or error.fatal()

    def _poll(self) -> None:
        while not self._closed:
            self._client.poll(_POLL_S)

    def _hand_over(self, result: _Result) -> None:
        loop = result[0].get_loop()
        self._results.append(result)
        if self._woken is loop:
            return  # It has yet to collect, and takes this one along.
        self._woken = loop
        with suppress(RuntimeError):  # A closed loop has no one left to tell.
            loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._woken = None
        while self._results:
            future, failed = self._results.popleft()
            if future.done():  # Whoever waited was cancelled.
                continue
            if failed is None:
                future.set_result(None)
            else:
                future.set_exception(failed)
