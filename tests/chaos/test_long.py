"""The long runs of `make test-chaos`: everything at once, three brokers, roll-outs."""

from dataclasses import replace

import pytest

from tests.chaos.chaos import Chaos, Options
from tests.chaos.schedule import Plan

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.timeout(2700),
    pytest.mark.usefixtures("needs_kafka"),
]
CALM = Plan(**dict.fromkeys(Plan.__dataclass_fields__, 0))
CHEAP = Options(cheap_models=True, slow_ms=20)


def ran(options, folder):
    """Run, and hold what must hold in every run."""
    with Chaos(options, folder) as chaos:
        found, clean = chaos.run()
    assert clean, found
    assert found["lost"] == found["contradictory"] == 0
    assert found["different_bytes"] == found["histories_differ"] == 0
    return found


def test_ledger_mode_loses_nothing_at_any_boundary(tmp_path):
    """The judge without transactions: a kill at each of its boundaries, none lost."""
    plan = replace(CALM, kills=14, broker_restarts=1, joins=1)
    options = replace(CHEAP, events=4000, rate=20, judge_mode="ledger", plan=plan)

    assert ran(options, tmp_path)["boundaries_left"] == 0


def test_three_brokers_lose_nothing_with_one_away(tmp_path):
    """Replication 3, two in sync: brokers stop, die and freeze one at a time."""
    plan = replace(
        CALM, kills=4, broker_restarts=3, power_cuts=3, broker_freezes=2, joins=1
    )
    options = replace(CHEAP, events=4000, rate=20, brokers=3, plan=plan)

    assert ran(options, tmp_path)["broker_restarts"] == 6


def test_fifty_rolling_restarts_lose_nothing(tmp_path):
    """Two workers restarted by turns under load; each stop is clean and in time."""
    options = replace(CHEAP, events=5000, rate=16, plan=replace(CALM, rolls=50))
    found = ran(options, tmp_path)

    assert found["faults"]["rolls"] == 50
    assert set(found["stops"]) == {0}
    assert found["slowest_stop_s"] <= 15
