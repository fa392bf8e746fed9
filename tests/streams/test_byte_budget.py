"""Bytes in flight: bounded, in turn, never locked up."""

import asyncio

import pytest

from streams.byte_budget import ByteBudget


async def settle():
    """Let every task run until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_bytes_are_held_until_they_are_released():
    """What is given back can be had again."""

    async def run():
        budget = ByteBudget(100)
        held = await budget.reserve(60)
        assert budget.held_bytes == 60
        held.release()
        held.release()  # Twice does nothing.
        assert budget.held_bytes == 0

    asyncio.run(run())


def test_who_finds_no_room_waits_in_turn():
    """A small one does not slip past a large one: that one could wait for ever."""

    async def run():
        budget, order = ByteBudget(100), []

        async def upload(name, wanted):
            held = await budget.reserve(wanted)
            order.append(name)
            await settle()
            held.release()

        held = await budget.reserve(90)
        tasks = [
            asyncio.create_task(upload(*one)) for one in (("large", 80), ("small", 5))
        ]
        await settle()
        assert (order, budget.waiting) == ([], 2)
        held.release()
        await asyncio.gather(*tasks)
        assert order == ["large", "small"]

    asyncio.run(run())


def test_more_than_everything_is_let_in_alone():
    """An upload larger than the budget waits for all of it, and then goes on."""

    async def run():
        budget = ByteBudget(100)
        small = await budget.reserve(1)
        huge = asyncio.create_task(budget.reserve(10**9))
        await settle()
        assert not huge.done()
        small.release()
        held = await huge
        assert budget.held_bytes == held.held_bytes == 100
        held.keep(30)
        assert budget.held_bytes == 30

    asyncio.run(run())


def test_what_is_not_needed_is_given_back_at_once():
    """`keep` lets others in before the end, and never takes more."""

    async def run():
        budget = ByteBudget(100)
        first = await budget.reserve(100)
        second = asyncio.create_task(budget.reserve(50))
        await settle()
        first.keep(50)
        await second
        first.keep(80)
        assert budget.held_bytes == 100

    asyncio.run(run())


@pytest.mark.parametrize("admitted", [True, False])
def test_a_cancelled_wait_leaves_nothing_behind(admitted):
    """Whether or not its turn had just come, its bytes are the next one's."""

    async def run():
        budget = ByteBudget(100)
        held = await budget.reserve(100)
        gone = asyncio.create_task(budget.reserve(100))
        later = asyncio.create_task(budget.reserve(40))
        await settle()
        if admitted:
            held.release()  # Its turn comes, and before it runs it is cancelled.
        gone.cancel()
        await settle()
        if not admitted:
            assert not later.done()
            held.release()
        await asyncio.wait_for(later, 1)
        assert (budget.held_bytes, budget.waiting) == (40, 0)

    asyncio.run(run())


def test_a_cancelled_large_one_lets_the_small_ones_behind_it_in():
    """It was all that held them up."""

    async def run():
        budget = ByteBudget(100)
        await budget.reserve(50)
        large = asyncio.create_task(budget.reserve(100))
        small = asyncio.create_task(budget.reserve(40))
        await settle()
        large.cancel()
        await asyncio.wait_for(small, 1)

    asyncio.run(run())
