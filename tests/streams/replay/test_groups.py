"""Facts about the groups that flips are counted in."""

import pytest

from streams.replay.groups import ANYWHERE, flips_in_markets, in_order, size_of


@pytest.mark.parametrize(
    ("uploads", "group"),
    [
        (None, "not known"),
        (0, "new"),
        (1, "1 to 9"),
        (9, "1 to 9"),
        (10, "10 to 99"),
        (999, "100 to 999"),
        (1000, "1000 and more"),
    ],
)
def test_uploaders_are_grouped_by_decades(uploads, group):
    """The bounds belong to the lower group."""
    assert size_of(uploads) == group


def test_a_release_counts_in_each_of_its_territories():
    """Where a rule tells one apart, by its word there; without any it is anywhere."""
    apart = {"DE": True, "FR": False}

    named = dict(flips_in_markets(("DE", "US"), apart, generally=False))
    anywhere = dict(flips_in_markets((), apart, generally=True))

    assert named == {"DE": True, "US": False}
    assert anywhere == {ANYWHERE: True, "DE": True, "FR": False}


def test_sizes_are_in_order_and_all_else_by_flips():
    """Small uploaders first; of equals by name."""
    sizes = {"not known": 1, "10 to 99": 1, "new": 1}

    assert in_order({}, sizes) == ["new", "10 to 99", "not known"]
    assert in_order({"US": 3}, {"DE": 9, "AT": 9, "US": 9}) == ["US", "AT", "DE"]
