"""Facts about a proportion and its interval."""

from math import sqrt

import pytest

from streams.proportion import Proportion


@pytest.mark.parametrize(("hits", "of"), [(0, 5), (5, 5), (3, 10), (117, 4000)])
def test_the_interval_is_wilsons(hits, of):
    """As his formula says (1927), worked out here anew."""
    z, share = 1.959963984540054, hits / of
    middle = share + z * z / (2 * of)
    spread = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    below = 1 + z * z / of

    low, high = Proportion(hits, of).interval
    assert low == pytest.approx(max(0.0, (middle - spread) / below), abs=1e-9)
    assert high == pytest.approx(min(1.0, (middle + spread) / below), abs=1e-9)


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
