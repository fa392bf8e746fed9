"""Pitfalls of Faust's acks and commits: still there, and we are not in them.

The letters are those in streams/app.py. Where a `stock` test fails after an upgrade of
Faust or aiokafka, the defect is gone, and its docstring says what may go with it.
"""

import asyncio
import time

import pytest
from faust.types import TP

from streams.ledger import Ledger
from tests.chaos.our_stage import (
    SOURCE,
    Boom,
    Ours,
    failing_at,
    failing_commit,
    raising_at,
    run,
    stop_ends,
)
from tests.chaos.stock_faust import AT, StockFaust, settled
from tests.fakes import a_record


def test_f1_stock_acks_the_event_that_an_agent_failed_on():
    """When it fails: agents may raise; the catch-all in stage.py may go."""

    async def scenario():
        stock = StockFaust()
        await stock.deliver(0, 5)
        with pytest.raises(Boom):
            await raising_at(stock.stream, b"2")
        await settled()
        return stock.acked, stock.would_commit

    assert run(scenario) == ([0, 1, 2], 3)


def test_f1_ours_keeps_a_failed_event_as_a_dead_letter():
    """A defect in a handler ends as a dead letter, written before its commit."""

    async def scenario():
        ours = Ours(failing_at(2))
        await ours.admit(0, 1, 2, 3)
        return [o.topic for o in ours.producer.written], ours.committed

    letters, committed = run(scenario)
    assert letters == [f"{SOURCE}.dlq"]
    assert committed[-1] == {(SOURCE, 0): 4}


def test_f2_stock_forgets_a_noack_event_that_failed_and_hangs_at_stop():
    """When it fails: `noack` alone might do, and `HeadgateApp` need not drain."""

    async def scenario():
        stock = StockFaust()
        await stock.deliver(0, 8)
        stream = stock.stream
        with pytest.raises(Boom):
            await raising_at(stream.noack(), b"2")
        await settled()
        for message in stock.messages[3:]:  # A restarted agent goes on behind it.
            stock.consumer.ack(message)
        return stock.would_commit, await stop_ends(stock, within_s=0.5)

    assert run(scenario) == (8, False)


def test_f2_ours_neither_forgets_nor_hangs():
    """An event that never ends holds the position, and a drain gives it up."""

    async def scenario():
        ours = Ours(failing_at(hang=[2]))
        await ours.admit(*range(8))
        began = time.monotonic()
        await ours.app._consumer_wait_empty(None, None)
        return ours.committed, time.monotonic() - began

    committed, took_s = run(scenario)
    assert committed == [{(SOURCE, 0): 2}]
    assert took_s < 2


@pytest.mark.parametrize(
    ("committed", "acked", "wrong"),
    [
        pytest.param(31, [32, 33, 34], 35, id="f3"),
        pytest.param(None, [7, 8], 9, id="f4-never-committed"),
        pytest.param(0, [5], 6, id="f4-committed-0"),
    ],
)
def test_f3_f4_stock_commits_past_an_unfinished_event(committed, acked, wrong):
    """When it fails: acks in any order are safe, streams/ledger.py may go."""

    async def scenario():
        stock = StockFaust()
        stock.consumer._committed_offset[AT] = committed
        stock.consumer._acked[AT] = list(acked)
        return stock.would_commit

    assert run(scenario) == wrong


@pytest.mark.parametrize("unfinished", [0, 7, 31])
def test_f3_f4_ours_waits_for_the_head(unfinished):
    """The ledger releases nothing before the lowest event, at the first run too."""
    ledger = Ledger[int]()
    head, *rest = (
        ledger.add(("t", 0), offset, offset)
        for offset in range(unfinished, unfinished + 4)
    )

    assert [ledger.done(entry) for entry in rest] == [[], [], []]
    assert ledger.done(head) == [unfinished + n for n in range(4)]


def test_f5_stock_takes_a_failed_commit_for_done():
    """When it fails: Faust's own commit can be trusted; see streams/commits.py."""

    async def scenario():
        stock = StockFaust()
        stock.consumer.assignment = lambda: {AT}
        stock.consumer._commit = failing_commit
        stock.app.producer.flush = failing_commit  # Nothing to flush.
        done = await stock.consumer._commit_offsets({AT: 9})
        return done, stock.consumer._committed_offset[AT]

    assert run(scenario) == (False, 9)


def test_f5_ours_commits_again_what_failed():
    """A position stays to be committed until the broker took it."""

    async def scenario():
        ours = Ours(failing_at())
        ours.accept = False
        await ours.admit(0)
        ours.accept = True
        await ours.committer.flush()
        return ours.committed

    assert run(scenario) == [{(SOURCE, 0): 1}] * 2


def test_f6_stock_drops_finished_work_before_a_revoke_commits_it():
    """When it fails: the commit in `HeadgateApp`'s drain may be Faust's own."""

    async def scenario():
        stock = StockFaust()
        stock.consumer._acked[AT] = [0, 1, 2]
        left = []

        async def revoked(partitions):
            left.append(stock.would_commit)

        stock.consumer._on_partitions_revoked = revoked
        await stock.consumer.on_partitions_revoked({AT})
        return left

    assert run(scenario) == [None]


def test_f6_ours_commits_finished_work_in_the_revoke():
    """What Faust calls before it lets partitions go commits what is finished."""

    async def scenario():
        ours = Ours(failing_at())
        await ours.stage.admit(a_record(0))
        await ours.app._consumer_wait_empty(None, None)
        committed = list(ours.committed)
        await ours.app.on_partitions_revoked.send({TP(SOURCE, 0)})
        await ours.committer.flush()
        return committed, ours.committed

    before, after = run(scenario)
    assert before == [{(SOURCE, 0): 1}]
    assert after == before


def test_f8_stock_take_loses_the_batch_and_what_is_behind_it():
    """When it fails: `take` may replace streams/batcher.py."""

    async def scenario():
        stock = StockFaust()
        stream = stock.stream
        await stock.deliver(0, 12)
        seen = []

        async def agent():
            async for batch in stream.take(4, within=0.2):
                seen.extend(batch)
                if b"4" in batch:
                    raise Boom

        with pytest.raises(Boom):
            await agent()
        await settled()
        await asyncio.sleep(0.3)  # The drainer lives on and acks what nobody sees.
        await stream.stop()
        return len(seen), stock.acked

    seen, acked = run(scenario)
    assert seen == 8
    assert set(range(8)) < set(acked)


def test_f8_ours_loses_only_the_event_that_failed():
    """One failure costs one dead letter; the events beside and behind it are done."""

    async def scenario():
        ours = Ours(failing_at(5))
        await ours.admit(*range(12))
        return len(ours.log.finished), len(ours.producer.written), ours.committed

    assert run(scenario) == (11, 1, [{(SOURCE, 0): 12}])
