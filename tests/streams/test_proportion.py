"""Facts about a proportion and its interval."""

import pytest
from scipy.stats import binomtest

from streams.proportion import Proportion


@pytest.mark.parametrize("of", [1, 2, 5, 10, 100, 4000, 10**9])
def test_the_interval_is_wilsons(of):
    """As SciPy has it."""
    for hits in sorted({0, 1, 3 * of // 10, of // 2, of - 1, of}):
        expected = binomtest(hits, of).proportion_ci(0.95, "wilson")

        assert Proportion(hits, of).interval == pytest.approx(tuple(expected), 1e-9)


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_it_gives_the_published_figures(hits, of, low, high):
    """Of the method; none and all reach 0 and 1 exactly."""
    found = Proportion(hits, of).interval

    assert found == pytest.approx((low, high), abs=1e-4)
    assert (found[0] == 0.0, found[1] == 1.0) == (hits == 0, hits == of)


def test_of_nothing_nothing_is_known():
    """No decisions: no share, and an interval that says so."""
    nothing = Proportion(0, 0)

    assert (nothing.share, nothing.interval) == (None, (0.0, 1.0))
