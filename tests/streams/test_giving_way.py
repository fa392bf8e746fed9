import asyncio

from streams.giving_way import GivesWay
from streams.stage import Handled
from tests.fakes import a_record


class Lanes:
    """A main lane with work in flight, and a bulk lane's handler."""

    def __init__(self, in_flight, most_wait_s=5.0):
        self.in_flight, self.handled = in_flight, []
        self.handler = GivesWay(self.handle, lambda: self.in_flight, most_wait_s)

    async def handle(self, record):
        """Note the event."""
        self.handled.append(record.offset)
        return Handled(())


def test_bulk_work_starts_at_once_where_the_main_lane_is_idle():
    """Nothing is gained by waiting."""
    lanes = Lanes(in_flight=0)
    asyncio.run(lanes.handler(a_record(3)))

    assert lanes.handled == [3]


def test_bulk_work_waits_for_the_main_lane():
    """It begins when the last event of the main lane is settled."""
    lanes = Lanes(in_flight=1)

    async def scenario():
        task = asyncio.create_task(lanes.handler(a_record()))
        await asyncio.sleep(0.1)
        before = list(lanes.handled)
        lanes.in_flight = 0
        await task
        return before

    assert asyncio.run(scenario()) == []
    assert lanes.handled == [0]


def test_bulk_work_is_never_starved():
    """A main lane that is always busy delays it, and no more."""
    lanes = Lanes(in_flight=1, most_wait_s=0.05)
    asyncio.run(lanes.handler(a_record()))

    assert lanes.handled == [0]
