"""Stock Faust in the hand: its own consumer, channel and streams, without a broker."""

import asyncio
import gc
from contextlib import suppress
from typing import Any

import faust
from faust import Event
from faust.types import TP
from faust.types.tuples import Message

TOPIC = "t"
AT = TP(TOPIC, 0)


_OPEN: list[Any] = []


class StockFaust:
    """An app as Faust makes it, an in-memory channel, and a consumer that acks."""

    def __init__(self, **settings: Any) -> None:
        self.app = faust.App(
            "stock",
            broker="kafka://127.0.0.1:1",  # Nobody is there, and nobody is asked.
            key_serializer="raw",
            value_serializer="raw",
            topic_allow_declare=False,
            web_enabled=False,
            **settings,
        )
        _OPEN.append(self.app)
        self.consumer: Any = self.app.consumer
        self.channel = self.app.channel(value_type=bytes)
        self.stream: Any = self.app.stream(self.channel)  # Before what it is to see.
        self.app.flow_control.resume()
        self.app.topics.acking_topics.add(TOPIC)
        self.messages: list[Any] = []

    async def deliver(self, first: int, count: int) -> None:
        """Put events on the channel, as the conductor does."""
        for offset in range(first, first + count):
            message = Message(
                *(TOPIC, 0, offset, 0.0, 0, (), b"k", b"%d" % offset, None),
                tp=AT,
                generation_id=self.app.consumer_generation_id,
            )
            message.tracked = False  # As the consumer's own: the stream tracks it.
            self.messages.append(message)
            await self.channel.put(
                Event(self.app, message.key, message.value, (), message)
            )

    @property
    def acked(self) -> list[int]:
        """Return the offsets that Faust takes for finished."""
        return [m.offset for m in self.messages if m.acked]

    @property
    def would_commit(self) -> int | None:
        """Return the position that Faust would commit now."""
        found: int | None = self.consumer._new_offset(AT)
        return found


def close_all() -> None:
    """Close what consumers that never started leave open: their threads' loops."""
    while _OPEN:
        _OPEN.pop().consumer._thread.thread_loop.close()


async def settled() -> None:
    """Let closed generators run their `finally`."""
    gc.collect()
    await asyncio.sleep(0.05)


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait for its end."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await settled()
