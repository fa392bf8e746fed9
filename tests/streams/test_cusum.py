import math

from hypothesis import given
from hypothesis import strategies as st

from streams.cusum import Cusum


def keys(first=0):
    """Give one uploader after another."""
    return (number.to_bytes(8, "big") for number in range(first, 10**6))


def test_a_hit_adds_its_likelihood_ratio():
    """Three times the odds of one in ten is a quarter."""
    cusum = Cusum(3.0, 0.1)
    cusum.take(b"a", 5.0, hit=True)

    assert cusum.sum == math.log(0.25 / 0.1)
    cusum.take(b"b", 6.0, hit=False)
    assert cusum.sum == math.log(0.25 / 0.1) + math.log(0.75 / 0.9)
    assert (cusum.hits, cusum.seen, cusum.began_s) == (1, 2, 5.0)


def test_a_run_ends_at_zero():
    """Misses undo hits, and what comes after is a run of its own."""
    cusum, names = Cusum(3.0, 0.1), keys()
    cusum.take(next(names), 0.0, hit=True)
    for _ in range(10):
        cusum.take(next(names), 1.0, hit=False)

    assert (cusum.sum, cusum.seen, cusum.began_s) == (0.0, 0, None)


def test_one_uploader_raises_a_run_once():
    """His second hit changes nothing; another's does."""
    cusum = Cusum(3.0, 0.1)
    cusum.take(b"a", 0.0, hit=True)
    once = cusum.sum
    for _ in range(100):
        cusum.take(b"a", 0.0, hit=True)

    assert cusum.sum == once
    cusum.take(b"b", 0.0, hit=True)
    assert cusum.sum == 2 * once


def test_with_less_than_even_odds_it_looks_for_a_fall():
    """Misses raise it, hits lower it."""
    cusum, names = Cusum(1 / 3, 0.5), keys()
    cusum.take(next(names), 0.0, hit=False)
    raised = cusum.sum
    cusum.take(next(names), 0.0, hit=True)

    assert raised > 0 == cusum.sum


@given(
    st.floats(0.001, 0.66),
    st.sampled_from((3.0, 1 / 3)),
    st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.booleans())),
)
def test_the_sum_is_never_negative(usual, times, observations):
    """And a run's hits are never more than what it saw."""
    cusum = Cusum(times, usual)
    for key, hit in observations:
        cusum.take(key, 0.0, hit)
        assert cusum.sum >= 0.0
        assert cusum.hits <= cusum.seen
        assert (cusum.began_s is None) == (cusum.sum == 0.0)
