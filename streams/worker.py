"""`headgate worker`: builds the stages it was asked for, runs them until a signal."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from aiokafka.errors import KafkaError

from encoders.media_format import ffmpeg_version
from streams.app import (
    SOURCES,
    HeadgateApp,
    build_app,
    group_of,
)
from streams.beside_judge import BesideJudge
from streams.broker_check import STAGES, BrokerFacts, check_broker
from streams.counting_producer import CountingProducer
from streams.crash_guard import CrashGuard
from streams.dead_letters import app_version
from streams.errors import StartError
from streams.health import Health, LaneState
from streams.health_server import HealthServer
from streams.journal import open_journal
from streams.lag import LagMeter
from streams.lanes import Lane, Shared
from streams.metrics import Metrics
from streams.producer import DeliveringProducer
from streams.settings import Settings
from streams.stage_factory import lanes_of
from streams.telemetry import EventLog
from streams.watchdog import Watchdog
from streams.wiring import build_codec, build_store
from streams.worker_models import load_models

# With the drain's 5 s and a cancelled handler's one these keep a stop under 15 s:
# Kubernetes' default is 30.
LEAVE_S = 5.0  # Committing and leaving the groups; under a second on a healthy broker.
EXIT_NOT_STARTED = 2  # As every command of ours: streams/cli/__init__.py.
# How long a thread that computes may keep Python from the event loop. At Python's own
# 5 ms the loop, which waits after each look at its sockets, gets two thirds as far.
SWITCH_S = 0.0005
FLUSH_S = 2.0  # What was still sent by work that was given up; it is done again.


class Worker:
    """Everything one worker process holds, from models to agents."""

    def __init__(
        self, settings: Settings, stages: Sequence[str], broker: BrokerFacts
    ) -> None:
        self._settings = settings
        self._names = tuple(stages)
        self._metrics = Metrics(app_version())
        self._log = EventLog(self._metrics)
        self._max_message_bytes = broker.max_message_bytes
        self._codec = build_codec(settings)
        # Models first: a worker that can't load them must not join the group.
        self._models = load_models(settings, stages, self._codec, self._log)
        self._lanes: list[Lane] = []
        self._apps: dict[str, HeadgateApp] = {}  # By consumer group.

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain and leave the group."""
        settings = self._settings
        journal, _lock = open_journal(settings.state_dir / settings.app_id)
        self._metrics.suspects.set_function(lambda: journal.suspects)
        producer = DeliveringProducer(
            settings.kafka, message_max_bytes=self._max_message_bytes
        )
        shared = Shared(
            settings=settings,
            codec=self._codec,
            new_store=lambda: build_store(settings),
            producer=CountingProducer(producer, self._metrics),
            guard=CrashGuard(journal),
            metrics=self._metrics,
            log=self._log,
            max_message_bytes=self._max_message_bytes,
        )
        self._lanes = [
            lane
            for name in self._names
            for lane in lanes_of(name, shared, self._models)
        ]
        self._apps = {
            group_of(settings, lane.name): build_app(
                settings, lane.name, lane.work, lane.committer, self._metrics
            )
            for lane in self._lanes
        }
        self._health = Health(self._apps, others=self._models.problems)
        _keep_for_good()
        sys.setswitchinterval(SWITCH_S)
        self._log.note("worker_starting", stages=self._names, suspects=journal.suspects)
        with ExitStack() as stack:
            if judge := self._apps.get(group_of(settings, "judge")):
                beside = BesideJudge(shared, self._models, judge)
                beside.start()
                stack.callback(beside.stop)
            watchdog = self._watchdog(stack)
            await self._run_apps(watchdog)
        await asyncio.to_thread(producer.close, FLUSH_S)
        self._models.close()
        journal.close()  # Last: only who came this far has ended cleanly.
        self._log.note("worker_stopped")

    def _watchdog(self, stack: ExitStack) -> Watchdog:
        """Start what watches and tells: lag, health over HTTP, the watchdog."""
        settings = self._settings
        lag = LagMeter(
            settings.kafka.librdkafka(),
            {
                group_of(settings, lane.name): [SOURCES[lane.name]]
                for lane in self._lanes
            },
        )
        lag.start(self._metrics)
        stack.callback(lag.close)
        facts = {
            "version": app_version(),
            "ffmpeg": ffmpeg_version(),
            "stages": " ".join(self._names),
        }
        server = stack.enter_context(
            HealthServer(settings.http_address, self._health, self._metrics, facts)
        )
        self._log.note("health_listening", address=server.address)
        return Watchdog(
            self._health,
            self._metrics,
            self._log,
            lanes=self._lane_states,
            joined=self._joined,
            broker_answers=lag.answers,
        )

    def _lane_states(self) -> list[LaneState]:
        return [
            LaneState(
                stage=lane.stage,
                lane=lane.kind,
                in_flight=lane.work.depth,
                head_age_s=lane.work.head_age_s(),
                stuck_after_s=self._settings.stuck_after(lane.stage),
            )
            for lane in self._lanes
        ]

    def _joined(self) -> dict[str, bool]:
        return {group: app.in_group for group, app in self._apps.items()}

    async def _run_apps(self, watchdog: Watchdog) -> None:
        """Start Faust and wait for a signal; what else ends it is a fault."""
        apps = tuple(self._apps.values())
        stop = _stop_on_signals()
        watching = asyncio.create_task(watchdog.run(), name="watchdog")
        try:
            await asyncio.gather(*(app.start() for app in apps))
        except KafkaError as error:
            raise StartError(
                f"Kafka at {self._settings.bootstrap_servers} went away while the "
                f"worker joined its groups ({type(error).__name__}); start it again"
            ) from error
        self._log.note("worker_ready")
        signalled = asyncio.create_task(stop.wait())
        ended = [asyncio.create_task(app.wait_until_stopped()) for app in apps]
        await asyncio.wait(
            {signalled, watching, *ended}, return_when=asyncio.FIRST_COMPLETED
        )
        if not signalled.done():
            crashed = next((a.crash_reason for a in apps if a.crash_reason), None)
            self._log.fatal("worker", crashed or RuntimeError("it stopped by itself"))
        self._health.stopping = True
        self._log.note("worker_stopping")
        await self._stop(apps)
        for task in (*ended, watching):
            task.cancel()

    async def _stop(self, apps: Sequence[HeadgateApp]) -> None:
        """Stop Faust; leave what it does not get done in time.

        Every app drains and commits first thing. After that only leaving the group is
        left, at which aiokafka waits for ever when the coordinator has just gone.
        """
        stops = [asyncio.create_task(app.stop()) for app in apps]
        most_s = self._settings.drain_timeout_s + LEAVE_S
        _, late = await asyncio.wait(stops, timeout=most_s)
        if late:
            self._log.note("worker_stop_cut_short", apps=len(late))


def _keep_for_good() -> None:
    """Spare what is loaded from every later collection of garbage.

    Models and their libraries are half a million objects, none of which ever goes: to
    look at them all took 0.3 s of processor (2 cores), and nothing else ran meanwhile.
    """
    gc.collect()
    gc.freeze()


def _stop_on_signals() -> asyncio.Event:
    """Return what is set by the first signal; the second ends the process at once.

    At once is safe: what is not committed is delivered again.
    """
    stop = asyncio.Event()

    def stop_or_end() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop_or_end)
    return stop


def run_worker(
    settings: Settings,
    stages: Sequence[str] = STAGES,
    broker: BrokerFacts | None = None,
) -> None:
    """Run a worker until a signal; blocks, and ends the process.

    `broker` is what `check_broker` told, if it was asked already.

    Raises:
        StartError: the broker, a model, the policy or the registry can't be used.
    """
    broker = broker or check_broker(
        settings.kafka, settings.judge_mode, stages, settings.app_id
    )
    worker = Worker(settings, stages, broker)

    async def run_and_end() -> None:
        code = 0
        try:
            await worker.run()
        except StartError as error:
            sys.stderr.write(f"headgate: {error}\n")
            code = EXIT_NOT_STARTED
        # Python would now wait for every thread, and so for the hour of speech that
        # was given up; nothing is left to lose.
        sys.stderr.flush()
        os._exit(code)

    asyncio.run(run_and_end())
