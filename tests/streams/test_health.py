import pytest

from streams.health import JOIN_S, LATE_TICK_S, Health, LaneState


def a_lane(head_age_s=0.0):
    """Return a lane that is stuck after ten seconds."""
    return LaneState("screen", "main", 3, head_age_s, stuck_after_s=10)


@pytest.fixture
def clock():
    """A clock that stands until it is moved."""
    return [0.0]


@pytest.fixture
def health(clock):
    """The health of a worker with two groups, just started."""
    return Health(["screen", "judge"], lambda: clock[0])


def test_a_worker_is_ready_once_it_joined_every_group(health):
    """Before that it is sent nothing."""
    health.tick([a_lane()], {"screen": True, "judge": False})
    assert health.ready_problems() == ["not yet in the consumer group judge"]

    health.tick([a_lane()], {"screen": True, "judge": True})
    assert health.ready_problems() == []


def test_a_worker_that_stops_is_not_ready_but_lives(health):
    """Nothing new should come, and nobody should kill it while it drains."""
    health.tick([a_lane()], {"screen": True, "judge": True})
    health.stopping = True

    assert health.ready_problems() == ["it is stopping"]
    assert health.live_problems() == []


def test_a_loop_that_hangs_is_dead(health, clock):
    """No tick for longer than any work holds the loop."""
    clock[0] = LATE_TICK_S + 1

    assert health.live_problems() == ["the event loop has not run for 11 s"]


def test_an_event_that_never_ends_is_told(health):
    """Its stage, its lane and its age."""
    health.tick([a_lane(11)], {"screen": True, "judge": True})

    (problem,) = health.stuck_problems()
    assert "screen (main lane): its oldest event has not moved on for 11 s" in problem
    assert health.live_problems() == []  # Only the watchdog ends it, if Kafka answers.


def test_being_outside_a_group_for_long_is_a_zombie(health, clock):
    """Faust keeps such a worker for ever, with no work and no error (F14)."""
    health.tick([], {"screen": True, "judge": True})
    health.tick([], {"screen": True, "judge": False})
    clock[0] = JOIN_S - 1
    health.tick([], {"screen": True, "judge": False})
    assert health.stuck_problems() == []

    clock[0] = JOIN_S + 1
    assert health.stuck_problems() == ["outside the consumer group judge for 121 s"]


def test_a_rejoin_starts_the_time_anew(health, clock):
    """Rebalances come and go."""
    for second in range(0, 400, 100):
        clock[0] = second
        health.tick([], {"screen": True, "judge": second % 200 == 0})

    assert health.stuck_problems() == []


def test_other_problems_make_it_unready_but_end_nobody():
    """Banks that are behind their topic are told; a restart would not mend them."""
    others = ["bank.entry.v1 can't be followed: away"]
    health = Health([], others=lambda: others)

    assert health.ready_problems() == others
    assert health.live_problems() == health.stuck_problems() == []
