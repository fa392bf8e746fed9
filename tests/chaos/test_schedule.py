"""The schedule: the same for the same seed, and complete."""

from collections import Counter

import pytest

from tests.chaos.schedule import PASSINGS, Plan, armed, faults
from tests.chaos.seams import BOUNDARIES, kill_at


def test_every_fault_of_a_plan_comes_as_often_as_it_says_and_in_time():
    """All faults come, in order, before the load ends."""
    planned = faults(1, Plan(), over_s=1000)

    wanted = {name: getattr(Plan(), name) for name in Plan.__dataclass_fields__}
    assert Counter(fault.name for fault in planned) == Counter(wanted)
    assert [f.at_s for f in planned] == sorted(f.at_s for f in planned)
    assert 0 < planned[0].at_s < planned[-1].at_s < 1000


def test_the_seed_chooses():
    """The same seed gives the same run; another one another."""
    assert faults(1, Plan(), 100) == faults(1, Plan(), 100)
    assert faults(1, Plan(), 100) != faults(2, Plan(), 100)


@pytest.mark.parametrize("mode", BOUNDARIES)
def test_the_full_plan_kills_at_every_boundary(mode):
    """As many kills from outside as there are boundaries, and twenty in all."""
    boundaries = BOUNDARIES[mode]
    chosen = armed(1, boundaries, Plan().kills)

    assert sorted(one.rpartition(":")[0] for one in chosen) == sorted(boundaries)
    assert Plan().kills + len(chosen) >= 20
    for one in chosen:
        stage, _, rest = one.partition(":")
        assert 1 <= int(rest.rpartition(":")[2]) <= PASSINGS[stage]


def test_a_boundary_that_does_not_exist_is_refused():
    """A typing error must not pass for a run without that death."""
    with pytest.raises(ValueError, match="screen:lunch:1"):
        kill_at("screen:lunch:1", None)
