import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.batcher import Batcher


async def double_all(items):
    """Do the work of a model."""
    return [2 * item for item in items]


def run(coroutine):
    """Run a scenario on a loop of its own."""
    return asyncio.run(coroutine)


def test_each_item_gets_its_own_result():
    """Results go back to who submitted the item, in any batch."""

    async def scenario():
        batcher = Batcher(double_all, size=4, wait_s=0.001)
        results = await asyncio.gather(*(batcher.submit(i) for i in range(10)))
        await batcher.close()
        return results

    assert run(scenario()) == [2 * i for i in range(10)]


def test_a_batch_is_never_larger_than_its_size():
    """Ten items at once make batches of four, four and two."""
    sizes = []

    async def work(items):
        sizes.append(len(items))
        return items

    async def scenario():
        batcher = Batcher(work, size=4, wait_s=0.01)
        await asyncio.gather(*(batcher.submit(i) for i in range(10)))
        await batcher.close()

    run(scenario())
    assert sizes == [4, 4, 2]


def test_a_lone_item_waits_no_longer_than_the_deadline():
    """The deadline counts from the first item, so one item leaves alone."""

    async def scenario():
        batcher = Batcher(double_all, size=64, wait_s=0.02)
        started = time.monotonic()
        assert await batcher.submit(1) == 2
        await batcher.close()
        return time.monotonic() - started

    assert run(scenario()) < 5


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 15), max_size=5))
def test_only_the_guilty_items_fail(bad):
    """A batch that raises is halved until each bad item fails alone."""

    async def work(items):
        if bad & set(items):
            raise ValueError(f"bad item among {len(items)}")
        return items

    async def scenario():
        batcher = Batcher(work, size=16, wait_s=0.001)
        jobs = (batcher.submit(i) for i in range(16))
        results = await asyncio.gather(*jobs, return_exceptions=True)
        await batcher.close()
        return results

    for item, result in enumerate(run(scenario())):
        if item in bad:
            assert isinstance(result, ValueError)
        else:
            assert result == item


def test_a_wrong_number_of_results_is_an_error():
    """Work that loses an item fails loudly instead of mixing results up."""

    async def work(items):
        return []

    async def scenario():
        batcher = Batcher(work, size=1, wait_s=0)
        try:
            await batcher.submit(1)
        finally:
            await batcher.close()

    with pytest.raises(RuntimeError, match="expected one each"):
        run(scenario())


def test_close_cancels_what_still_waits():
    """After close no submit hangs."""

    async def forever(items):
        await asyncio.Event().wait()

    async def scenario():
        batcher = Batcher(forever, size=1, wait_s=0)
        jobs = [asyncio.create_task(batcher.submit(i)) for i in range(3)]
        await asyncio.sleep(0.01)
        await batcher.close()
        return await asyncio.gather(*jobs, return_exceptions=True)

    results = run(scenario())
    assert all(isinstance(r, asyncio.CancelledError) for r in results)
