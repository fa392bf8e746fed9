"""The media of an upload, borrowed within the bytes that a stage may hold."""

import asyncio

import pytest

from schemas.records import MediaRef
from streams.errors import TransientError
from streams.media import MediaStore
from streams.media_source import TooLargeError, UnavailableError

LIMIT, MAX = 1000, 400


class FakeSource:
    """Media of given sizes; notes the most bytes that were read and not let go."""

    def __init__(self, sizes, told_sizes=None):
        self._sizes = sizes
        self._told_sizes = told_sizes or {}
        self.read_bytes = 0
        self.most_bytes = 0
        self.reads = []

    async def size_bytes(self, uri):
        """Return what the place says, if it says anything."""
        return self._told_sizes.get(uri)

    async def read(self, uri, limit_bytes, told):
        """Read."""
        self.reads.append((uri, limit_bytes))
        await asyncio.sleep(0)
        size = self._sizes[uri]
        if isinstance(size, Exception):
            raise size
        if size > limit_bytes:
            raise TooLargeError(limit_bytes)
        self.read_bytes += size
        self.most_bytes = max(self.most_bytes, self.read_bytes)
        return bytes(size)


def a_store(source, limit=LIMIT):
    """Build a store over the fake."""
    store = MediaStore(
        root=None, hosts=(), max_bytes=MAX, timeout_s=5, in_flight_bytes=limit
    )
    store._sources = {"x": source}
    return store


def refs(*names, **fields):
    """Build references."""
    return [MediaRef("audio", f"x:{name}", **fields) for name in names]


def sizes(*values):
    """Name sizes x:0, x:1 and so on."""
    return {f"x:{index}": value for index, value in enumerate(values)}


def borrow(store, media):
    """Borrow once; return the sizes or reasons, and what was held meanwhile."""

    async def run():
        async with store.borrow(media) as fetched:
            held = store.budget.held_bytes
        assert store.budget.held_bytes == 0
        return [
            len(one.data) if one.data is not None else one.missing.reason
            for one in fetched
        ], held

    return asyncio.run(run())


def test_what_is_held_is_what_was_read():
    """Unknown sizes claim the most there may be, and give the rest back."""
    source = FakeSource(sizes(10, 20))

    assert borrow(a_store(source), refs(0, 1)) == ([10, 20], 30)
    assert source.reads == [("x:0", MAX), ("x:1", MAX)]


def test_an_upload_without_media_waits_for_nothing():
    """Text goes by, even while the budget is used up."""

    async def run():
        store = a_store(FakeSource({}))
        await store.budget.reserve(LIMIT)
        async with store.borrow([]) as fetched:
            assert fetched == ()

    asyncio.run(asyncio.wait_for(run(), 1))


@pytest.mark.parametrize("known", [True, False])
def test_no_more_is_read_than_the_budget_has(known):
    """Forty uploads of three files at once: never over the limit, all come through."""
    real = sizes(*[100 + index % 7 for index in range(120)])
    source = FakeSource(real, real if known else None)
    store = a_store(source)

    async def upload(first):
        async with store.borrow(refs(first, first + 1, first + 2)) as fetched:
            await asyncio.sleep(0.001)
            assert store.budget.held_bytes <= LIMIT
            source.read_bytes -= sum(len(one.data) for one in fetched)

    async def run():
        await asyncio.gather(*[upload(first) for first in range(0, 120, 3)])

    asyncio.run(asyncio.wait_for(run(), 20))
    assert 300 < source.most_bytes <= LIMIT
    assert store.budget.held_bytes == 0


def test_room_is_made_before_a_body_is_read():
    """While the budget is used up, nothing is read."""

    async def run():
        source = FakeSource(sizes(10))
        store = a_store(source)
        held = await store.budget.reserve(LIMIT)
        task = asyncio.create_task(enter(store, refs(0)))
        await asyncio.sleep(0.01)
        assert source.reads == []
        held.release()
        await task
        assert source.reads != []

    asyncio.run(run())


async def enter(store, media):
    """Borrow and let go."""
    async with store.borrow(media):
        pass


def test_the_event_says_how_much_room_is_needed():
    """Where the place can't tell, the event's size counts."""
    source = FakeSource(sizes(10))
    borrow(a_store(source), refs(0, size_bytes=12))

    assert source.reads == [("x:0", 12)]


def test_an_understated_size_is_read_in_a_larger_room():
    """It queues anew for the most it may be; what it says is no way past the budget."""
    source = FakeSource(sizes(300, 20))
    store = a_store(source)

    assert borrow(store, refs(0, 1, size_bytes=1)) == ([300, 20], 320)
    assert ("x:0", MAX) in source.reads


def test_an_understated_size_does_not_lock_others_out():
    """Two that both need more do not wait for each other."""
    source = FakeSource(sizes(*[300] * 8))
    store = a_store(source)

    async def run():
        uploads = [enter(store, refs(i, i + 1, size_bytes=1)) for i in (0, 2, 4, 6)]
        await asyncio.gather(*uploads)

    asyncio.run(asyncio.wait_for(run(), 5))


def test_an_upload_larger_than_the_budget_has_it_alone_and_no_more():
    """What would go beyond it is missing, and says so."""
    source = FakeSource(sizes(*[300] * 5))
    store = a_store(source)

    found, held = borrow(store, refs(*range(5)))
    assert found[:3] == [300, 300, 300]
    assert found[3:] == ["too_large: the upload has over 1000 bytes in all"] * 2
    assert (held, source.most_bytes) == (900, 900)


def test_one_piece_may_be_larger_than_the_budget():
    """HEADGATE_MEDIA_MAX_BYTES is a promise: such a piece is read, alone."""
    store = a_store(FakeSource(sizes(390)), limit=100)

    assert borrow(store, refs(0)) == ([390], 100)


def test_too_large_for_any_budget_is_missing():
    """The usual limit stays what it was."""
    store = a_store(FakeSource(sizes(MAX + 1, 10)))

    assert borrow(store, refs(0, 1)) == ([f"too_large: over {MAX} bytes", 10], 10)


def test_what_is_missing_holds_nothing():
    """Others of the upload are still there."""
    source = FakeSource(sizes(UnavailableError("not_found: gone"), 10))

    assert borrow(a_store(source), refs(0, 1)) == (["not_found: gone", 10], 10)


@pytest.mark.parametrize("error", [TransientError("away"), RuntimeError("a defect")])
def test_a_failure_gives_everything_back(error):
    """The error comes out as it is, for the stage to retry or to bury."""
    store = a_store(FakeSource(sizes(10, error)))

    with pytest.raises(type(error), match=str(error)):
        borrow(store, refs(0, 1))
    assert store.budget.held_bytes == 0


def test_a_failure_inside_the_block_gives_everything_back():
    """Whatever the work does, its room is the next one's."""

    async def run():
        store = a_store(FakeSource(sizes(10)))
        with pytest.raises(ValueError, match="work"):
            async with store.borrow(refs(0)):
                raise ValueError("work")
        assert store.budget.held_bytes == 0

    asyncio.run(run())


def test_a_failure_ends_the_other_reads():
    """None goes on in the background with bytes that no budget counts."""

    class Stuck(FakeSource):
        ended = False

        async def read(self, uri, limit_bytes, told):
            if uri == "x:0":
                try:
                    await asyncio.sleep(60)
                finally:
                    self.ended = True
            return await super().read(uri, limit_bytes, told)

    async def run():
        source = Stuck(sizes(10, TransientError("away")))
        with pytest.raises(TransientError):
            await enter(a_store(source), refs(0, 1))
        assert source.ended

    asyncio.run(run())
