import asyncio

import pytest

from streams.commits import Committer
from streams.dead_letters import DeadLetterLimit, DeadLetterLimitError, DeadLetters
from streams.errors import PermanentError, TransientError
from streams.ledger import Ledger
from streams.messages import Output
from streams.retries import RetryBounds
from streams.stage import Handled, LedgerStage
from tests.fakes import FakeGuard, FakeLog, FakeProducer, a_record

SOURCE = ("content.ingested.v1", 0)


class Bench:
    """A stage with everything around it faked."""

    def __init__(self, handler, *, in_flight=8, failures=0, limit=50, guard=None):
        self.positions = {}
        self.producer = FakeProducer(failures)
        self.log, self.guard = FakeLog(), guard or FakeGuard()
        committer = Committer(self._commit)
        committer.note = self.positions.__setitem__
        self.stage = LedgerStage(
            "screen",
            handler,
            self.producer,
            DeadLetters("screen", "headgate", DeadLetterLimit(limit, 1000)),
            committer,
            in_flight=in_flight,
            retries=RetryBounds(attempts=2, within_s=60),
            guard=self.guard,
            log=self.log,
        )

    async def _commit(self, offsets):
        return True

    def run(self, *records):
        """Admit records and wait for them."""

        async def scenario():
            for record in records:
                await self.stage.admit(record)
            await self.stage.drain(5)

        asyncio.run(scenario())

    @property
    def topics(self):
        """Where was written to."""
        return [output.topic for output in self.producer.written]


async def passes_on(record):
    """Write the event on as it is."""
    return Handled((Output("out", record.key, record.value),))


def test_a_finished_event_is_written_then_committed():
    """The position moves past an event whose output the broker has confirmed."""
    bench = Bench(passes_on)

    bench.run(a_record(0), a_record(1))

    assert bench.topics == ["out", "out"]
    assert bench.positions == {SOURCE: 2}


def test_an_unfinished_head_holds_the_position():
    """A later event that is done first moves nothing (faust.md F3)."""

    async def handler(record):
        if record.offset == 0:
            await asyncio.Event().wait()
        return await passes_on(record)

    bench = Bench(handler)

    async def scenario():
        for offset in range(3):
            await bench.stage.admit(a_record(offset))
        await bench.stage.drain(0.1)

    asyncio.run(scenario())
    assert bench.positions == {}


def test_a_permanent_failure_is_a_dead_letter_with_the_original_bytes():
    """Key, value, headers and partition are the original's."""

    async def handler(record):
        raise PermanentError("bad_bytes", "no Avro")

    bench = Bench(handler)
    bench.run(a_record(3, b"\x00junk", headers=(("h", b"1"),)))

    (letter,) = bench.producer.written
    assert letter.topic == "content.ingested.v1.dlq"
    assert (letter.key, letter.value, letter.partition) == (b"k", b"\x00junk", 0)
    assert ("h", b"1") in letter.headers
    assert bench.positions == {SOURCE: 4}


def test_a_defect_is_a_dead_letter_and_never_a_loss():
    """An exception nobody foresaw ends as a dead letter named internal_error."""

    async def handler(record):
        raise ZeroDivisionError

    bench = Bench(handler)
    bench.run(a_record())

    assert bench.topics == ["content.ingested.v1.dlq"]
    assert bench.log.dead == ["internal_error"]


def test_a_transient_failure_is_tried_again_then_dead():
    """Two tries, then a dead letter that says so."""
    tries = []

    async def handler(record):
        tries.append(record.offset)
        raise TransientError("store away")

    bench = Bench(handler)
    bench.run(a_record())

    assert tries == [0, 0]
    assert bench.log.dead == ["retries_exhausted"]


def test_an_output_is_written_until_the_broker_confirms():
    """A broker that is away delays the output; nothing is lost or committed early."""
    bench = Bench(passes_on, failures=3)
    bench.run(a_record())

    assert bench.topics == ["out"]
    assert bench.positions == {SOURCE: 1}


def test_slots_bound_what_is_in_flight():
    """A third event waits until one of two is done: that is the back-pressure."""
    gate = asyncio.Event()

    async def handler(record):
        await gate.wait()
        return Handled(())

    bench = Bench(handler, in_flight=2)

    async def scenario():
        await bench.stage.admit(a_record(0))
        await bench.stage.admit(a_record(1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(bench.stage.admit(a_record(2)), 0.05)
        gate.set()
        await bench.stage.drain(5)

    asyncio.run(scenario())


def test_an_event_that_waited_through_a_revoke_is_not_taken_on():
    """Its partition has a new owner, who gets it too."""
    gate, handled = asyncio.Event(), []

    async def handler(record):
        handled.append(record.offset)
        await gate.wait()
        return Handled(())

    bench = Bench(handler, in_flight=1)

    async def scenario():
        await bench.stage.admit(a_record(0))
        waiting = asyncio.create_task(bench.stage.admit(a_record(1)))
        await asyncio.sleep(0.01)
        await bench.stage.revoke([SOURCE])
        gate.set()
        await waiting
        await bench.stage.drain(5)

    asyncio.run(scenario())
    assert handled == [0]
    assert bench.positions == {}


def test_dead_letters_without_end_stop_the_stage():
    """More than the limit is a fault of ours: the process must end."""

    async def handler(record):
        raise PermanentError("bad", "bad")

    bench = Bench(handler, limit=2, in_flight=1)
    bench.run(*(a_record(offset) for offset in range(3)))

    (error,) = bench.log.fatals
    assert isinstance(error, DeadLetterLimitError)
    assert "3 dead letters among the last 3 events at screen" in str(error)
    assert bench.positions == {SOURCE: 2}


def test_an_event_that_killed_the_process_is_buried_unread():
    """Its bytes go to the dead letters as they are; the handler never sees it."""
    handled = []

    async def handler(record):
        handled.append(record.offset)
        return Handled(())

    bench = Bench(handler, guard=FakeGuard(refused=(0,)))
    bench.run(a_record(0, b"killer"), a_record(1))

    (letter,) = bench.producer.written
    assert (letter.value, bench.log.dead) == (b"killer", ["crash_loop"])
    assert handled == [1]
    assert bench.positions == {SOURCE: 2}


def test_an_event_is_journalled_before_it_is_handled():
    """Whatever its bytes do, the next start knows where it was."""
    guard = FakeGuard()
    seen = []

    async def handler(record):
        seen.append(list(guard.watched))
        return Handled(())

    Bench(handler, guard=guard).run(a_record(7))

    assert seen == [[[7]]]


def test_journals_may_go_once_the_outputs_are_confirmed():
    """Not before: a crash while the broker is away would cost them."""
    seen = []

    async def handler(record):
        out = Output("out", record.key, record.value)
        return Handled((out,), confirmed=lambda: seen.append(list(bench.topics)))

    bench = Bench(handler, failures=2)
    bench.run(a_record())

    assert seen == [["out"]]


@pytest.mark.parametrize("how", ["drain", "revoke"])
def test_work_that_is_given_up_is_stopped(how):
    """Its next owner does it; nothing of it is written here any more."""
    ended = []

    async def handler(record):
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(record.offset)
        return await passes_on(record)

    bench = Bench(handler)

    async def scenario():
        await bench.stage.admit(a_record(0))
        await asyncio.sleep(0)
        if how == "drain":
            assert await bench.stage.drain(0.05) == 1
        else:
            await bench.stage.revoke([SOURCE])
        assert ended == [0]
        await bench.stage.admit(a_record(0))  # Delivered again.
        assert bench.stage.depth == 1

    asyncio.run(scenario())
    assert bench.topics == []
    assert bench.positions == {}
    assert bench.log.notes["work_given_up"] == 1


def test_what_stays_ours_is_not_stopped():
    """A revoke of one partition leaves the others' work alone."""
    gate = asyncio.Event()

    async def handler(record):
        await gate.wait()
        return await passes_on(record)

    bench = Bench(handler)

    async def scenario():
        await bench.stage.admit(a_record(0))
        await bench.stage.admit(a_record(0, partition=1))
        await asyncio.sleep(0)
        await bench.stage.revoke([SOURCE])
        gate.set()
        await bench.stage.drain(5)

    asyncio.run(scenario())
    assert bench.topics == ["out"]
    assert bench.positions == {("content.ingested.v1", 1): 1}


def test_long_work_that_moves_on_is_alive():
    """The watchdog goes by the last sign of life; what lasts is held for the event."""
    now_s = 0.0
    moved = asyncio.Event()

    async def handler(record):
        nonlocal now_s
        now_s = 100.0
        bench.stage.alive()
        assert not bench.guard.cleared
        bench.stage.alive(lasting=True)
        now_s = 101.0
        moved.set()
        await asyncio.Event().wait()

    bench = Bench(handler)
    bench.stage.ledger = Ledger(lambda: now_s)

    async def scenario():
        await bench.stage.admit(a_record(0))
        await moved.wait()
        assert bench.stage.head_age_s() == 1.0
        assert bench.guard.cleared == [a_record(0).place]
        await bench.stage.drain(0.01)

    asyncio.run(scenario())
