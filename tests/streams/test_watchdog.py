import asyncio
import threading
import time

import pytest

from streams.health import Health, LaneState
from streams.metrics import Metrics
from streams.watchdog import StuckError, Watchdog

TICK_S = 0.01


class KeptLog:
    """Keeps the end instead of ending."""

    def __init__(self):
        self.notes, self.fatals, self.ended = [], [], threading.Event()

    def note(self, event, **facts):
        """Keep a note."""
        self.notes.append((event, facts))

    def fatal(self, stage, error):
        """Keep the end, once."""
        self.fatals.append(error)
        self.ended.set()


class Bench:
    """A watchdog over a worker that is told how it does."""

    def __init__(self, *, head_age_s=0.0, joined=True, broker=True):
        self.log, self.metrics = KeptLog(), Metrics("0")
        self.health = Health(["g"], clock_s=lambda: time.monotonic() * 1000)
        self.head_age_s, self.joined, self.broker = head_age_s, joined, broker
        self.watchdog = Watchdog(
            self.health,
            self.metrics,
            self.log,
            lanes=lambda: [LaneState("screen", "main", 1, self.head_age_s, 60)],
            joined=lambda: {"g": self.joined},
            broker_answers=lambda: self.broker,
            tick_s=TICK_S,
            stuck_checks=5,
        )

    def run(self, seconds, then=lambda: None):
        """Run for a while; `then` runs on the loop after the first ticks."""

        async def scenario():
            task = asyncio.create_task(self.watchdog.run())
            await asyncio.sleep(5 * TICK_S)
            then()
            await asyncio.sleep(seconds)
            task.cancel()

        asyncio.run(scenario())

    def value(self, name, **labels):
        """Return a metric's value."""
        return self.metrics.registry.get_sample_value(name, labels)


def test_a_healthy_worker_is_left_alone():
    """Ticks, and the figures of its lanes are told."""
    bench = Bench(head_age_s=3)
    bench.run(20 * TICK_S)

    assert bench.log.fatals == []
    assert bench.value("headgate_head_age_seconds", stage="screen", lane="main") == 3
    assert bench.value("headgate_ready") == 1


def test_an_event_that_never_ends_ends_the_worker():
    """With the place of every thread and task in the log."""
    bench = Bench(head_age_s=61)
    bench.run(50 * TICK_S)

    (error,) = bench.log.fatals
    assert isinstance(error, StuckError)
    assert "screen (main lane)" in str(error)
    ((_, facts),) = bench.log.notes
    assert any("test_watchdog.py" in at for at in facts["threads"]["MainThread"])
    assert facts["tasks"]


def test_a_zombie_ends():
    """Outside its group for too long, though the broker is there (F14, F15)."""
    bench = Bench(joined=False)
    bench.run(60 * TICK_S)

    (error,) = bench.log.fatals
    assert "outside the consumer group g" in str(error)


@pytest.mark.parametrize("trouble", [{"head_age_s": 61}, {"joined": False}])
def test_a_broker_that_is_away_ends_nobody(trouble):
    """A restart mends no broker; the worker waits for it."""
    bench = Bench(broker=False, **trouble)
    bench.run(60 * TICK_S)

    assert bench.log.fatals == []


def test_a_loop_that_hangs_ends_the_worker_whatever_the_broker_does():
    """Nothing can be committed and no signal is heard any more."""
    bench = Bench(broker=False)
    bench.run(0, then=lambda: bench.log.ended.wait(5))

    (error,) = bench.log.fatals
    assert "the event loop does not run" in str(error)


def test_a_worker_that_drains_is_not_ended():
    """A stop has its own deadline."""
    bench = Bench(head_age_s=61)
    bench.health.stopping = True
    bench.run(30 * TICK_S)

    assert bench.log.fatals == []
