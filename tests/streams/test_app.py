import asyncio
from types import SimpleNamespace

import pytest
from faust.types import TP

from streams.app import SOURCES, as_record, build_app, group_of
from streams.commits import Committer
from streams.metrics import Metrics
from streams.settings import load_settings


class FakeStage:
    """Counts what the app asks of a stage."""

    def __init__(self):
        self.drained, self.revoked = [], []

    async def admit(self, record):
        """Take nothing."""

    async def drain(self, timeout_s):
        self.drained.append(timeout_s)
        return 0

    async def revoke(self, partitions):
        self.revoked += partitions


@pytest.fixture
def stage():
    """A stage that does nothing."""
    return FakeStage()


@pytest.fixture
def app(stage):
    """The app of `screen`, not started."""
    return build_app(load_settings(), "screen", stage, Committer(), Metrics("0"))


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("broker_max_poll_interval", 604_800.0, "F14, F15: back-pressure is not idle"),
        ("stream_wait_empty", False, "F30, F31: we drain ourselves"),
        ("consumer_auto_offset_reset", "earliest", "nothing is skipped"),
        ("stream_publish_on_commit", False, "F7"),
        ("topic_allow_declare", False, "F40"),
        ("topic_disable_leader", True, "F40"),
        ("table_standby_replicas", 0, "F21"),
        ("web_enabled", False, "F41"),
        ("stream_buffer_maxsize", 64, "F14, F45"),
    ],
)
def test_settings_that_step_round_fausts_defects_hold(app, setting, value, why):
    """Each departs from Faust's default for a reason that was seen to lose events."""
    assert getattr(app.conf, setting) == value, why


def test_faust_tracks_no_offsets_of_ours(app):
    """Positions are committed by streams/commits.py alone (F3 to F6)."""
    assert [agent.channel.acks for agent in app.agents.values()] == [False]


def test_each_lane_is_a_group_of_its_own():
    """Neither a rebalance nor a full buffer of one lane holds up another."""
    groups = {group_of(load_settings(app_id="x"), lane) for lane in SOURCES}

    assert groups == {
        "x-screen",
        "x-screen-bulk",
        "x-transcribe",
        "x-transcribe-bulk",
        "x-judge",
    }


def test_the_drain_finishes_work_and_then_commits(app, stage):
    """Faust's wait on a stop or a rebalance is ours, with a deadline."""
    asyncio.run(app._consumer_wait_empty(None, None))

    assert stage.drained == [load_settings().drain_timeout_s]


def test_headers_come_through_as_pairs():
    """Whatever Faust made of them, a record has name and bytes."""

    class Message:
        topic, partition, offset, timestamp = "t", 1, 2, 1.5
        key, value, headers = b"k", b"v", {"ce_id": b"1"}

    class Event:
        message = Message

    record = as_record(Event)
    assert (record.timestamp_ms, record.headers) == (1500, (("ce_id", b"1"),))


def test_a_worker_that_never_joined_is_in_no_group(app):
    """What the watchdog asks before anything was started."""
    assert not app.in_group


@pytest.mark.parametrize(
    ("generation", "died", "inside"),
    [(7, False, True), (-1, False, False), (7, True, False)],
    ids=["member", "left or thrown out", "can't ever rejoin"],
)
def test_membership_is_what_aiokafka_last_heard(app, generation, died, inside):
    """An assignment may look fine long after the group went on without us."""
    task = asyncio.Future(loop=asyncio.new_event_loop())
    if died:
        task.set_result(None)
    coordinator = SimpleNamespace(generation=generation, _coordination_task=task)
    client = SimpleNamespace(_coordinator=coordinator)
    app._consumer = SimpleNamespace(_thread=SimpleNamespace(_consumer=client))

    assert app.in_group is inside
    task.get_loop().close()


def test_a_revoke_reaches_the_stage_and_forgets_the_position(stage, app):
    """What its new owner does is not ours to commit."""
    asyncio.run(app.on_partitions_revoked.send({TP(SOURCES["screen"], 3)}))

    assert stage.revoked == [(SOURCES["screen"], 3)]
