"""Pitfalls of Faust's liveness, tables and stops: still there, and not in our way.

See test_faust_pitfalls.py for how to read them.
"""

import asyncio
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState

from streams.app import NEVER_IDLE_S
from tests.chaos.our_stage import SOURCE, Boom, Ours, failing_at, run, stop_ends
from tests.chaos.stock_faust import AT, StockFaust, cancelled


def test_f14_stock_stops_fetching_when_every_partition_is_paused():
    """When it fails: `broker_max_poll_interval` may return to its default."""

    async def scenario():
        stock = StockFaust()
        fetched = await fetches(stock, paused=True)
        left = await left_the_group(idle_s=1000.0, max_poll_s=1000.0)
        return fetched, left

    assert run(scenario) == (0, True)


def test_f15_stock_stops_fetching_without_partitions():
    """When it fails: as F14. A spare worker counts as idle and leaves for ever."""

    async def scenario():
        stock = StockFaust()
        subscription = SubscriptionState()
        before_s = subscription.fetcher_idle_time
        fetched = await fetches(stock, paused=False)  # It takes a second.
        grown = subscription.fetcher_idle_time > before_s
        left = await left_the_group(idle_s=1000.0, max_poll_s=1000.0)
        return fetched, grown, left

    assert run(scenario) == (0, True, True)


def test_f14_f15_ours_is_never_idle_for_long_enough():
    """The limit is a week: aiokafka does not leave the group after any usual pause."""

    async def scenario():
        ours = Ours(failing_at())
        limit_s = ours.app.conf.broker_max_poll_interval
        day_s = 86_400.0
        return limit_s, await left_the_group(idle_s=day_s, max_poll_s=limit_s)

    assert run(scenario) == (NEVER_IDLE_S, False)


async def fetches(stock, paused):
    """Return how often Faust fetches while nothing may be fetched from."""
    calls = []

    async def getmany(**_):
        calls.append(1)
        return {}

    stock.consumer._getmany = getmany
    stock.consumer.can_resume_flow.set()
    stock.consumer.resume_flow()
    stock.consumer.assignment = lambda: {AT} if paused else set()
    stock.consumer._set_active_tps({AT} if paused else set())
    if paused:
        stock.consumer.pause_partitions({AT})
    await stock.consumer._wait_next_records(timeout=0.1)
    return len(calls)


async def left_the_group(idle_s, max_poll_s):
    """Return whether aiokafka's heartbeat leaves the group after that long a pause."""
    group = GroupCoordinator.__new__(GroupCoordinator)
    group._heartbeat_interval_ms = group._session_timeout_ms = 10
    group._retry_backoff_ms, group._max_poll_interval = 10, max_poll_s
    group._subscription = SimpleNamespace(fetcher_idle_time=idle_s)
    group.member_id, left = "member", []

    async def nothing():
        return True

    async def leave():
        left.append(1)
        group.member_id = ""  # What ends the routine.

    group.ensure_coordinator_known = group._do_heartbeat = nothing
    group._maybe_leave_group = leave
    with suppress(TimeoutError):
        await asyncio.wait_for(group._heartbeat_routine(), 0.2)
    return bool(left)


def test_f26_stock_writes_a_tables_changelog_before_the_event_is_done():
    """When it fails: a Faust table might hold the histories; see streams/judging.py."""

    async def scenario():
        stock = StockFaust()
        table = stock.app.Table("counts", default=int, key_type=bytes, partitions=1)
        written = []

        def send(partition, key, value, *_):
            written.append((key, value))
            return SimpleNamespace(message=SimpleNamespace(partition=partition))

        table.send_changelog = send
        table._verify_source_topic_partitions = lambda _: None
        await stock.deliver(0, 1)

        async def agent():
            async for _ in stock.stream.noack():
                table[b"u"] += 1
                raise Boom  # A crash: the event comes again and counts twice.

        with pytest.raises(Boom):
            await agent()
        return written, stock.acked

    assert run(scenario) == ([(b"u", 1)], [])


def test_f26_ours_has_no_tables():
    """Histories go with decisions and offsets, in one transaction or in safe order."""

    async def scenario():
        return list(Ours(failing_at()).app.tables)

    assert run(scenario) == []


def test_f30_stock_waits_for_unfinished_work_without_limit():
    """When it fails: `stream_wait_empty` may be on, and our drain may go."""

    async def scenario():
        stock = StockFaust()
        await stock.deliver(0, 1)
        stream = stock.stream.noack()
        await anext(aiter(stream))
        return stock.app.conf.stream_wait_empty, await stop_ends(stock, within_s=1.5)

    assert run(scenario) == (True, False)


def test_f31_stock_commits_unfinished_work_when_it_does_not_wait():
    """When it fails: topics may be declared with acks; see streams/app.py."""

    async def scenario():
        stock = StockFaust(stream_wait_empty=False)
        await stock.deliver(0, 1)

        async def agent():
            async for _ in stock.stream:
                await asyncio.Event().wait()

        task = asyncio.create_task(agent())
        await asyncio.sleep(0.05)
        await cancelled(task)
        return stock.would_commit

    assert run(scenario) == 1


def test_f30_f31_ours_stops_in_time_and_commits_only_what_is_finished():
    """A hanging event is given up at the deadline, unfinished and uncommitted."""

    async def scenario():
        ours = Ours(failing_at(hang=[1]))
        await ours.admit(0, 1)
        began = time.monotonic()
        await ours.app._consumer_wait_empty(None, None)
        return ours.committed, time.monotonic() - began < 2

    assert run(scenario) == ([{(SOURCE, 0): 1}], True)
