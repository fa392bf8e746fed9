import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.ledger import Ledger

P0, P1 = ("content.ingested.v1", 0), ("content.ingested.v1", 1)


def test_nothing_is_released_before_the_head():
    """A later event that finishes first waits for the unfinished one before it."""
    ledger = Ledger()
    first, second = ledger.add(P0, 5, "five"), ledger.add(P0, 6, "six")

    assert ledger.done(second) == []
    assert ledger.done(first) == ["five", "six"]


def test_partitions_do_not_hold_each_other_up():
    """An unfinished head holds only its own partition."""
    ledger = Ledger()
    ledger.add(P0, 0, "stuck")
    other = ledger.add(P1, 0, "free")

    assert ledger.done(other) == ["free"]


def test_a_late_result_of_a_revoked_partition_releases_nothing():
    """After a revoke the new owner does the event; our late result must not ack it."""
    ledger = Ledger()
    late = ledger.add(P0, 0, "old")
    assert ledger.forget([P0]) == 1
    again = ledger.add(P0, 0, "new")

    assert ledger.done(late) == []
    assert ledger.done(again) == ["new"]


def test_a_late_result_after_everything_was_given_up_is_dropped():
    """Nothing of its partition is left here; the late result is not an error."""
    ledger = Ledger()
    late = ledger.add(P0, 0, "old")
    ledger.forget([P0])

    assert ledger.done(late) == []


def test_offsets_that_do_not_rise_are_refused():
    """The same offset twice would release an event that nobody finished."""
    ledger = Ledger()
    ledger.add(P0, 3, "x")

    with pytest.raises(ValueError, match="registered after"):
        ledger.add(P0, 3, "x")


def test_head_age_is_of_the_oldest_head():
    """Head age grows with the clock until the head is done."""
    now = [10.0]
    ledger = Ledger(clock_s=lambda: now[0])
    entry = ledger.add(P0, 0, "x")
    now[0] = 17.5

    assert ledger.head_age_s() == 7.5
    ledger.done(entry)
    assert ledger.head_age_s() == 0.0


@given(st.permutations(list(range(12))))
def test_releases_are_always_the_finished_prefix(order):
    """Whatever the order of finishing, releases are in offset order without gaps."""
    ledger = Ledger()
    entries = [ledger.add(P0, offset, offset) for offset in range(12)]
    finished, released = set(), []

    for offset in order:
        finished.add(offset)
        released += ledger.done(entries[offset])
        prefix = next(i for i in range(13) if i not in finished)
        assert released == list(range(prefix))

    assert ledger.depth == 0
