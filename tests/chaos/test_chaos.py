"""Short chaos runs: some kills, one restart, and proof that the checker can fail."""

from dataclasses import replace

import pytest

from tests.chaos.chaos import Chaos, Options
from tests.chaos.schedule import Plan

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("needs_kafka"),
]
CALM = Plan(**dict.fromkeys(Plan.__dataclass_fields__, 0))
# The work takes long enough that a kill always meets some of it.
SHORT = Options(events=600, rate=15, cheap_models=True, slow_ms=50, deadline_s=60)


def test_nothing_is_lost_in_a_short_run(tmp_path):
    """Kills in and between boundaries, a broker restart, a media outage: all there."""
    plan = replace(CALM, kills=3, broker_restarts=1, media_outages=1)
    options = replace(SHORT, plan=plan, seed=4)
    with Chaos(options, tmp_path) as chaos:
        found, clean = chaos.run()

    assert clean, found
    assert found["lost"] == found["contradictory"] == found["histories_differ"] == 0
    assert found["events_in"] == options.events
    assert found["kills"] >= 4, found
    assert found["broker_restarts"] == 1


def test_the_checker_catches_a_worker_that_commits_early(tmp_path):
    """The same run with positions committed on admission loses events, and says so."""
    options = replace(
        SHORT,
        events=400,
        rate=100,
        slow_ms=400,
        plan=CALM,
        commit_early=True,
        # After a second of work: the early positions are committed by then.
        arm_first=("screen:handled:130", "screen:handled:130"),
        deadline_s=10,
    )
    with Chaos(options, tmp_path) as chaos:
        found, clean = chaos.run()

    assert found["kills"] == 2
    assert found["lost"] > 0, found
    assert not clean


def test_workers_restart_by_turns_and_nothing_is_lost(tmp_path):
    """SIGTERM under load: code 0 within 15 s each time, every event decided."""
    options = replace(SHORT, events=250, plan=replace(CALM, rolls=3))
    with Chaos(options, tmp_path) as chaos:
        found, clean = chaos.run()

    assert clean, found
    assert set(found["stops"]) == {0}
    assert found["slowest_stop_s"] <= 15
