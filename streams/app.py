"""The Faust apps: one for each lane, with an agent that only pulls raw bytes.

Each lane is a consumer group of its own, in one process or in many: a rebalance of
the slow lane does not stop the others, and lanes move between processes with their
positions.

Every setting below that departs from Faust's default steps round a defect that was
seen to lose events or to hang; the letters point into the tests that show it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol, cast

import faust
from faust.types import TP

from schemas.topics import INGESTED, INGESTED_BULK, SCREENED, SCREENED_BULK, SIGNALS
from streams.commits import Committer
from streams.ledger import TopicPartition
from streams.messages import Record
from streams.metrics import Metrics
from streams.settings import Settings

# Longer than any pause: Faust counts back-pressure as idleness and leaves the group
# for ever when this passes (F14, F15). A week, in seconds.
NEVER_IDLE_S = 604_800.0
COMMIT_INTERVAL_S = 1.0
# Each lane is an app and a consumer group of its own. In one consumer they would share
# its loop, which waits for the bulk lane's full buffer before it hands out anything.
SOURCES = {
    "screen": INGESTED.name,
    "screen-bulk": INGESTED_BULK.name,
    "transcribe": SCREENED.name,
    "transcribe-bulk": SCREENED_BULK.name,
    "judge": SIGNALS.name,
}


class Stage(Protocol):
    """What an agent hands its events to."""

    async def admit(self, record: Record) -> None:
        """Take an event on, or wait for a free slot."""

    async def drain(self, timeout_s: float) -> int:
        """Finish the work in flight within `timeout_s`; give up the rest."""

    async def revoke(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Let partitions go."""


class HeadgateApp(faust.App):
    """Faust, with a drain and commits of our own in place of its."""

    drain: Callable[[], Awaitable[None]]

    async def _consumer_wait_empty(self, consumer: object, logger: object) -> None:
        """Finish or give up what is in flight, then commit what is finished.

        Faust calls this on a stop and on a rebalance, after it stopped the flow. Its
        own version waits without limit (F30) or commits unfinished work (F31).
        """
        await self.drain()

    async def commit_offsets(self, offsets: Mapping[TopicPartition, int]) -> bool:
        """Commit next offsets to the group; False when it was not the time."""
        mine = {TP(*partition): offset for partition, offset in offsets.items()}
        consumer: Any = self.consumer  # Each driver's commit; its type hides it.
        done: bool = await consumer._commit(mine)
        return done

    @property
    def in_group(self) -> bool:
        """Say whether the broker counts us as a member of the group now.

        aiokafka sets the generation to -1 whenever it left, was thrown out or has yet
        to join, also where the assignment still looks fine. Its task that would join
        again can die of a fault (seen: an AssertionError when the broker came back),
        and then every later rebalance leaves us behind.
        """
        thread: Any = getattr(self.consumer, "_thread", None)
        client: Any = getattr(thread, "_consumer", None)
        coordinator: Any = getattr(client, "_coordinator", None)
        if coordinator is None or coordinator.generation <= 0:
            return False
        task = getattr(coordinator, "_coordination_task", None)
        return task is None or not task.done()


def group_of(settings: Settings, lane: str) -> str:
    """Return a lane's consumer group, which is also its Faust app's id."""
    return f"{settings.app_id}-{lane}"


def build_app(
    settings: Settings,
    lane: str,
    stage: Stage,
    committer: Committer,
    metrics: Metrics,
) -> HeadgateApp:
    """Build the app of one lane: its agent, its drain, its revokes and its commits."""
    app = _bare_app(settings, group_of(settings, lane))

    async def drain() -> None:
        await stage.drain(settings.drain_timeout_s)
        await committer.flush()

    async def revoked(_app: Any, revoked: set[TP], **kwargs: Any) -> None:
        lost = [(tp.topic, tp.partition) for tp in revoked]
        await stage.revoke(lost)
        committer.forget(lost)
        metrics.rebalances.labels(lane).inc()

    async def commit(offsets: Mapping[TopicPartition, int]) -> bool:
        done = await app.commit_offsets(offsets)
        metrics.commits.labels(lane, "done" if done else "failed").inc()
        return done

    app.drain = drain
    committer.commit_with(commit)
    app.on_partitions_revoked.connect(cast(Any, revoked), weak=False)
    app.timer(interval=COMMIT_INTERVAL_S)(committer.flush)
    _add_agent(app, SOURCES[lane], stage)
    return app


def tell_assigned(app: HeadgateApp, tell: Callable[[list[int]], None]) -> None:
    """Tell the numbers of a lane's partitions whenever they may have changed."""

    async def assigned(_app: Any, assigned: set[TP], **kwargs: Any) -> None:
        tell([tp.partition for tp in assigned])

    app.on_partitions_assigned.connect(cast(Any, assigned), weak=False)


def _bare_app(settings: Settings, group: str) -> HeadgateApp:
    return HeadgateApp(
        group,
        **settings.kafka.faust(),
        processing_guarantee="at_least_once",  # Built-in exactly_once: F23, F24.
        key_serializer="raw",
        value_serializer="raw",
        stream_buffer_maxsize=64,  # F14, F45
        stream_wait_empty=False,  # F30, F31: HeadgateApp drains.
        stream_publish_on_commit=False,  # F7
        broker_max_poll_interval=NEVER_IDLE_S,
        broker_session_timeout=settings.session_timeout_s,
        broker_heartbeat_interval=settings.session_timeout_s / 10,
        broker_request_timeout=max(60.0, settings.session_timeout_s * 2),
        broker_rebalance_timeout=120.0,
        consumer_group_instance_id=settings.instance_id,  # F20
        consumer_auto_offset_reset="earliest",
        table_standby_replicas=0,  # F21
        topic_allow_declare=False,  # F40
        topic_disable_leader=True,
        web_enabled=False,  # F41
        cython_optimizations=False,  # F43
        worker_redirect_stdouts=False,  # F42
        datadir=str(settings.state_dir / "faust"),  # It makes one, even if unused.
    )


def _add_agent(app: HeadgateApp, topic: str, stage: Stage) -> None:
    source = app.topic(
        topic,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        acks=False,  # Positions are committed by us: streams/commits.py.
    )

    async def pull(stream: Any) -> None:
        events: AsyncIterator[Any] = stream.noack().events()
        async for event in events:
            await stage.admit(as_record(event))

    app.agent(source, name=topic, concurrency=1)(pull)


def as_record(event: Any) -> Record:
    """Return the raw record behind a Faust event."""
    message = event.message
    headers = message.headers or ()
    if hasattr(headers, "items"):
        headers = headers.items()
    timestamp_s = message.timestamp
    return Record(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=-1 if timestamp_s is None else round(timestamp_s * 1000),
        key=message.key,
        value=message.value,
        headers=tuple((name, value) for name, value in headers),
    )
