"""Facts about limits on what rules do by themselves."""

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from streams.brakes import (
    FORGET_HOURS,
    QUARANTINE_HOURS,
    Acting,
    BrakeState,
    Limits,
    brake,
    shared,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Partition:
    """Uploads of a partition, one after another."""

    def __init__(self):
        self.state = BrakeState()

    def upload(self, *rules, by="u1", at=NOON, **limits):
        """Let rules hit an upload; return those that are held."""
        acting = [Acting(rule, Limits(**limits)) for rule in rules]
        self.holds, self.state = brake(self.state, acting, by, at)
        return [hold.rule_id for hold in self.holds]


def test_a_rule_acts_so_often_an_hour_and_then_waits():
    """The next hour it may again."""
    partition = Partition()

    held = [partition.upload("r", by=f"u{n}", per_hour=3) for n in range(5)]

    assert held == [[], [], [], ["r"], ["r"]]
    assert "acted 3 times" in partition.holds[0].reason
    assert partition.upload("r", at=NOON + HOUR, per_hour=3) == []


def test_what_is_held_is_not_counted_as_done():
    """Else one flood would use up the hour for ever."""
    partition = Partition()
    for _ in range(10):
        partition.upload("r", per_hour=1)

    assert partition.state.rules["r"].acted == 1


def test_one_uploader_is_not_hit_without_end():
    """Others are, by the same rule."""
    partition = Partition()

    held = [partition.upload("r", per_uploader_per_hour=2) for _ in range(3)]

    assert held == [[], [], ["r"]]
    assert partition.upload("r", by="u2", per_uploader_per_hour=2) == []


def test_rules_have_brakes_of_their_own():
    """One that is held leaves another free."""
    partition = Partition()
    partition.upload("a", "b", per_hour=1)

    assert partition.upload("a", per_hour=1) == ["a"]
    assert partition.upload("c", per_hour=1) == []


def test_a_late_upload_does_not_open_a_past_hour():
    """It counts in the hour that the partition is in."""
    partition = Partition()
    partition.upload("r", at=NOON + 5 * HOUR, per_hour=1)

    assert partition.upload("r", at=NOON, per_hour=1) == ["r"]


def a_week(partition, share, seed=1):
    """Let a rule hit so many of 400 uploads a day for seven days."""
    dice = random.Random(seed)
    for number in range(7 * 400):
        at = NOON + number / 400 * DAY
        hits = ["r"] if dice.random() < share else []
        assert partition.upload(*hits, by=f"u{number}", at=at) == []


def test_a_rule_that_suddenly_hits_everything_is_quarantined():
    """It goes to people for a day, then may act again if it hits as it used to."""
    partition = Partition()
    a_week(partition, 0.01)
    start = NOON + 7 * DAY

    held = [partition.upload("r", by=f"v{n}", at=start) for n in range(100)]

    assert [] in held[:5]
    assert all(rules == ["r"] for rules in held[60:])
    assert "hit_rate" in partition.holds[0].reason
    later = start + QUARANTINE_HOURS * HOUR
    for number in range(400):  # Nothing for a day.
        partition.upload(by=f"w{number}", at=later - HOUR)
    assert partition.upload("r", at=later) == []


def test_a_rule_that_hits_as_ever_is_left_alone():
    """For weeks."""
    partition = Partition()
    a_week(partition, 0.05)

    assert partition.state.rules["r"].rate.bound < 0.2


def test_the_hourly_limit_is_shared_by_partitions():
    """An uploader's is not: all of its uploads are in one."""
    assert shared(Limits(500, 10), 12) == Limits(41, 10)
    assert shared(Limits(5, None), 12) == Limits(1, None)
    assert shared(Limits(), 12) == Limits()


def test_rules_that_are_gone_are_forgotten():
    """The state does not grow with every policy there ever was."""
    partition = Partition()
    for number in range(50):
        partition.upload(f"r{number}")
    partition.upload("r", at=NOON + (FORGET_HOURS + 24) * HOUR)

    assert set(partition.state.rules) == {"r"}


uploads = st.tuples(
    st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
    st.sampled_from(["u1", "u2", "u3"]),
    st.integers(-48, 480),
)


@given(st.lists(uploads, max_size=60), st.integers(1, 5), st.integers(1, 3))
def test_no_limit_is_ever_passed(given_uploads, per_hour, per_uploader):
    """Whatever comes, in whatever order of time."""
    partition, acted = Partition(), {}
    for rules, by, hours in given_uploads:
        limits = {"per_hour": per_hour, "per_uploader_per_hour": per_uploader}
        held = partition.upload(*rules, by=by, at=NOON + hours * HOUR, **limits)
        for rule in set(rules) - set(held):
            key = (rule, partition.state.hour)
            acted.setdefault(key, []).append(by)

    assert all(len(by) <= per_hour for by in acted.values())
    assert all(by.count(u) <= per_uploader for by in acted.values() for u in by)


@given(st.lists(uploads, max_size=60))
def test_the_same_uploads_give_the_same_state(given_uploads):
    """Replay comes to the same brakes."""
    states = []
    for _ in range(2):
        partition = Partition()
        for rules, by, hours in given_uploads:
            partition.upload(*rules, by=by, at=NOON + hours * HOUR)
        states.append(partition.state)

    assert states[0] == states[1]
    assert states[0].uploads == len(given_uploads)
