import asyncio

from streams.turns import Turns


def most_at_once(waiting, partitions=5):
    """Take turns side by side; return how many were at work together."""
    turns, at_work, most = Turns(lambda: waiting, crowd=10), 0, 0

    async def commit():
        nonlocal at_work, most
        async with turns.take():
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.001)
            at_work -= 1

    async def scenario():
        await asyncio.gather(*(commit() for _ in range(partitions)))

    asyncio.run(scenario())
    return most


def test_few_events_wait_for_nobody():
    """A partition's commit costs the others no delay."""
    assert most_at_once(waiting=9) == 5


def test_a_crowd_goes_one_after_another():
    """Meanwhile the others' events gather."""
    assert most_at_once(waiting=10) == 1


def test_a_turn_ends_with_its_failure():
    """Whoever fails does not keep the others waiting."""
    turns = Turns(lambda: 99, crowd=10)

    async def scenario():
        for _ in range(2):
            try:
                async with turns.take():
                    raise ValueError
            except ValueError:
                pass

    asyncio.run(asyncio.wait_for(scenario(), 1))
