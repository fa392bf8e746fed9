"""Our ledger stage inside our app, in the hand, beside stock Faust's."""

import asyncio

from streams.app import SOURCES, build_app
from streams.commits import Committer
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.metrics import Metrics
from streams.retries import RetryBounds
from streams.settings import Settings
from streams.stage import Handled, LedgerStage
from tests.chaos.stock_faust import close_all
from tests.fakes import FakeGuard, FakeLog, FakeProducer, a_record

SOURCE = SOURCES["screen"]


class Boom(Exception):
    """What goes wrong inside an agent."""


def run(scenario):
    """Run a coroutine function on a loop of its own."""
    try:
        return asyncio.run(asyncio.wait_for(scenario(), 20))
    finally:
        close_all()


class Ours:
    """Our ledger stage inside our app, with a handler and a commit that is recorded."""

    def __init__(self, handler):
        self.committer, self.producer, self.log = Committer(), FakeProducer(), FakeLog()
        self.stage = LedgerStage(
            "screen",
            handler,
            self.producer,
            DeadLetters("screen", "g", DeadLetterLimit(50, 1000)),
            self.committer,
            in_flight=64,
            retries=RetryBounds(attempts=1, within_s=60),
            guard=FakeGuard(),
            log=self.log,
        )
        settings = Settings(bootstrap_servers="127.0.0.1:1", drain_timeout_s=0.2)
        self.app = build_app(
            settings, "screen", self.stage, self.committer, Metrics("0")
        )
        self.committed, self.accept = [], True
        self.committer.commit_with(self._commit)

    async def _commit(self, offsets):
        self.committed.append(dict(offsets))
        return self.accept

    async def admit(self, *offsets):
        """Take events on and let those that can finish do so."""
        for offset in offsets:
            await self.stage.admit(a_record(offset, b"%d" % offset))
        await asyncio.sleep(0.05)
        await self.committer.flush()


def failing_at(*bad, hang=()):
    """Return a handler that fails on some values and never ends on others."""

    async def handle(record):
        if record.offset in hang:
            await asyncio.Event().wait()
        if record.offset in bad:
            raise Boom
        return Handled(())

    return handle


async def raising_at(stream, bad):
    """Consume as an agent does and fail on one value."""
    async for value in stream:
        if value == bad:
            raise Boom


async def failing_commit(*_, **__):
    """Answer as a broker that is away."""
    return False


async def stop_ends(stock, within_s):
    """Return whether Faust's wait for unfinished work ends; it can't be cancelled."""
    stock.consumer.commit = failing_commit
    waiting = asyncio.create_task(stock.consumer.wait_empty())
    done, _ = await asyncio.wait({waiting}, timeout=within_s)
    stock.consumer._unacked_messages.clear()
    await waiting
    return bool(done)
