import asyncio

import pytest

from schemas.place import Place
from streams.crash_guard import CrashGuard, CrashLoopError
from streams.journal import Journal
from tests.fakes import a_record

TOPIC = "content.ingested.v1"


def killed_at(path, *offsets, times=1):
    """Return the guard of a process whose last ones died at these offsets."""
    for _ in range(times):
        journal = Journal(path)
        for offset in offsets:
            journal.begin(Place(TOPIC, 0, offset))
    return CrashGuard(Journal(path))


@pytest.fixture
def path(tmp_path):
    """Where the journal lies."""
    return tmp_path / "journal"


def test_one_death_makes_a_suspect_and_no_more(path):
    """It may have been anybody's fault, a power cut's too."""
    guard = killed_at(path, 1)

    guard.refuse(a_record(1))
    assert guard.is_suspect(a_record(1))
    assert not guard.is_suspect(a_record(2))


def test_two_deaths_at_the_same_offset_refuse_it(path):
    """The third time it is not read any more."""
    guard = killed_at(path, 1, times=2)

    with pytest.raises(CrashLoopError, match="died 2 times") as caught:
        guard.refuse(a_record(1))
    assert (caught.value.code, caught.value.attempts) == ("crash_loop", 2)


def test_suspects_wait_for_one_another_and_nobody_else_waits(path):
    """Alone in the process, so that a second death points at one event."""
    guard = killed_at(path, 1, 2)
    running, together = set(), []

    async def work(offset):
        async with guard.watch([a_record(offset)]):
            running.add(offset)
            await asyncio.sleep(0.01)
            together.append(frozenset(running))
            running.discard(offset)

    async def scenario():
        await asyncio.gather(*(work(offset) for offset in (1, 2, 3)))

    asyncio.run(scenario())
    assert not any({1, 2} <= seen for seen in together)
    assert any(3 in seen and len(seen) > 1 for seen in together)


def test_a_death_alone_is_held_against_that_event_only(path):
    """The process died while 1 had its turn, and 3 was in work beside it."""
    guard = killed_at(path, 1, 2)

    async def dies():
        async with guard.watch([a_record(3)]), guard.watch([a_record(1)]):
            return Journal(path)  # What a process finds that starts now.

    after = asyncio.run(dies())
    strikes = [after.strikes(Place(TOPIC, 0, offset)) for offset in (1, 2, 3)]
    assert strikes == [2, 1, 0]


def test_a_long_one_gives_its_turn_on(path):
    """An hour of speech under suspicion does not hold up the other suspects."""
    killed_at(path, 1, 2)
    guard = CrashGuard(Journal(path), alone_for_s=0.01)

    async def scenario():
        async with (
            guard.watch([a_record(1)]),
            asyncio.timeout(5),
            guard.watch([a_record(2)]),
        ):
            return True

    assert asyncio.run(scenario())


def test_what_is_settled_is_forgotten(path):
    """A suspect that came through is none any more, also if it ended badly."""
    guard = killed_at(path, 1)

    async def scenario():
        with pytest.raises(ZeroDivisionError):
            async with guard.watch([a_record(1)]):
                raise ZeroDivisionError

    asyncio.run(scenario())
    assert not guard.is_suspect(a_record(1))
    assert Journal(path).suspects == 0
