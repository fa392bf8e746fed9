"""Facts about which uploaders a candidate is asked about."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.shadows.share import Share

PERCENTS = st.floats(0.0001, 100.0)
PINNED = [0, 4, 7, 8, 9, 16, 18, 19]  # Of u0 to u19.


@given(st.text(), PERCENTS, PERCENTS)
def test_who_is_in_at_less_is_in_at_more(uploader_id, one, other):
    """Raising the percentage only adds uploaders."""
    less, more = sorted((one, other))

    if Share("s", less).has(uploader_id):
        assert Share("s", more).has(uploader_id)


@given(st.lists(st.text(), unique=True, max_size=30), st.randoms())
def test_who_is_in_depends_on_no_order_and_no_process(uploader_ids, shuffler):
    """Asked in any order, by any worker, an uploader gets the same answer."""
    before = {u: Share("s", 40.0).has(u) for u in uploader_ids}
    shuffled, share = list(uploader_ids), Share("s", 40.0)
    shuffler.shuffle(shuffled)

    assert {u: share.has(u) for u in shuffled} == before


def test_who_is_in_stays_so_in_every_version():
    """These places are part of what a percentage means: a new hash would mix them."""
    share = Share("strict", 30.0)

    assert [n for n in range(20) if share.has(f"u{n}")] == PINNED


@pytest.mark.parametrize("percent", [1.0, 10.0, 50.0, 99.0])
def test_a_percentage_is_that_share_of_uploaders(percent):
    """Of 20,000 within five standard deviations."""
    share = Share("s", percent)
    found = sum(share.has(f"uploader-{n}") for n in range(20_000))

    wanted = percent / 100
    assert abs(found / 20_000 - wanted) < 5 * (wanted * (1 - wanted) / 20_000) ** 0.5


def test_two_candidates_have_their_own_uploaders():
    """Of two shares of half about a quarter is in both: names are part of the hash."""
    first, second = Share("a", 50.0), Share("b", 50.0)
    both = sum(first.has(f"u{n}") and second.has(f"u{n}") for n in range(10_000))

    assert 2300 < both < 2700


def test_all_are_in_at_a_hundred():
    """Odd ids too: half a surrogate is no error."""
    odd = [str(random.Random(n).random()) for n in range(99)] + ["", "\ud800"]

    assert all(Share("s", 100.0).has(uploader_id) for uploader_id in odd)
    assert Share("s", 50.0).has("\ud800") in (True, False)
