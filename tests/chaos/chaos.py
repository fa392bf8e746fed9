"""One chaos run: broker, media store, workers, load, and the faults in between."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.kafka_jars import fetch_jars
from streams.topic_admin import apply_topics
from tests.chaos.cluster import KafkaCluster
from tests.chaos.events import Uploads
from tests.chaos.fleet import Fleet
from tests.chaos.histories import check_histories
from tests.chaos.load import Load
from tests.chaos.media_store import FlakyMediaStore
from tests.chaos.schedule import Fault, Plan, armed, faults
from tests.chaos.seams import BOUNDARIES
from tests.chaos.strikes import SESSION_S, Striker, wait_ready

PARTITIONS = 4
QUIET_S = 8.0


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told."""

    seed: int = 1
    events: int = 20_000
    rate: float = 14.0
    brokers: int = 1
    judge_mode: str = "transactional"
    cheap_models: bool = False
    slow_ms: int = 0
    commit_early: bool = False
    arm_first: tuple[str, ...] = ()  # Boundaries for the first workers.
    deadline_s: float = 300.0
    plan: Plan = field(default_factory=Plan)


class Chaos:
    """Everything a run holds; a context, so that nothing is left behind."""

    def __init__(self, options: Options, folder: Path, *, show: bool = False) -> None:
        self._options, self._folder, self._show = options, folder, show
        self._began = time.monotonic()
        self._held = ExitStack()
        self._done: dict[str, int] = {}
        self._media = folder / "media"
        self._media.mkdir(exist_ok=True)

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._held.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def _open(self) -> None:
        jars = fetch_jars()
        if self._options.brokers == 1:
            single = self._held.enter_context(KafkaBroker(jars=jars))
            self._brokers: list[KafkaBroker] = [single]
            self._bootstrap, self._cluster = single.bootstrap_servers, None
        else:
            cluster = self._held.enter_context(KafkaCluster(jars=jars))
            self._brokers, self._cluster = cluster.brokers, cluster
            self._bootstrap = cluster.bootstrap_servers
        copies = self._options.brokers
        apply_topics(self._bootstrap, TOPICS, partitions=PARTITIONS, replication=copies)
        self._store = self._held.enter_context(FlakyMediaStore(self._media))
        self.fleet = self._held.enter_context(Fleet(self._folder, self._environment()))
        self.steady = self.fleet.slot("steady", instance_id="steady")
        self._striker = Striker(
            self.fleet,
            # The second is a dynamic member: it may go at once.
            (self.steady, self.fleet.slot("second")),
            self._store,
            self._brokers,
            self._cluster,
            self._options.seed + 2,
            self._tell,
        )

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if "HEADGATE" not in k}
        chaos = {
            "CHAOS_FAKE_TEXT": "1" if self._options.cheap_models else "",
            "CHAOS_COMMIT_EARLY": "1" if self._options.commit_early else "",
            "CHAOS_SLOW_MS": str(self._options.slow_ms),
        }
        return {
            **kept,
            **chaos,
            "HEADGATE_BOOTSTRAP_SERVERS": self._bootstrap,
            "HEADGATE_APP_ID": "chaos",
            "HEADGATE_ASR": "sphinx",
            "HEADGATE_DEVICE": "cpu",
            "HEADGATE_JUDGE_MODE": self._options.judge_mode,
            "HEADGATE_MEDIA_ROOT": str(self._media.resolve()),
            "HEADGATE_MEDIA_HOSTS": '["127.0.0.1"]',
            "HEADGATE_MEDIA_NETWORKS": '["127.0.0.0/8"]',
            "HEADGATE_SESSION_TIMEOUT_S": str(SESSION_S),
            "HEADGATE_STATE_DIR": str(self._folder / "state"),
        }

    def run(self) -> tuple[dict[str, Any], bool]:
        """Do it all; return the last line's object and whether nothing went wrong."""
        options = self._options
        uploads = Uploads(options.seed, self._media, self._store.address)
        boundaries = BOUNDARIES[options.judge_mode]
        self.fleet.arm(options.arm_first)
        self.steady.start(self.fleet.next_boundary())
        wait_ready(self.steady)
        self.fleet.arm(armed(options.seed, boundaries, options.plan.kills))
        load = Load(self._bootstrap, uploads.outputs(options.events), options.rate)
        with load:
            over_s = options.events / options.rate
            self._strike(faults(options.seed, options.plan, over_s), load)
            sent = load.finish()
        self._tell(f"all {sent} events sent")
        self._wait_done()
        code = self.fleet.stop(self.steady)
        self._tell(f"the worker stopped with {code}")
        return self._result()

    def _strike(self, planned: list[Fault], load: Load) -> None:
        began = time.monotonic()
        for fault in planned:
            time.sleep(max(0.0, began + fault.at_s - time.monotonic()))
            self._tell(f"{fault.name}; {load.sent} sent")
            getattr(self._striker, fault.name)()
            self._done[fault.name] = self._count(fault.name) + 1
        self._striker.leave()

    def _wait_done(self) -> None:
        """Wait until the checker misses nothing, or the deadline passes."""
        until = time.monotonic() + self._options.deadline_s
        while time.monotonic() < until:
            self._wait_quiet(until)
            found = self._check()
            self._tell(f"quiet; lost so far: {found['lost']}")
            if not found["lost"]:
                return

    def _wait_quiet(self, until: float) -> None:
        wait_ready(self.steady)
        before, since = -1, time.monotonic()
        while time.monotonic() < until:
            now = self._ends()
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since > QUIET_S:
                return
            time.sleep(1.0)

    def _ends(self) -> int:
        """Return how many records all topics hold, transaction markers included."""
        consumer = Consumer(
            {
                "bootstrap.servers": self._bootstrap,
                "group.id": "chaos-ends",
                "log_level": 0,
            }
        )
        try:
            return sum(
                consumer.get_watermark_offsets(TopicPartition(t.name, p), 10)[1]
                for t in TOPICS
                for p in range(PARTITIONS)
            )
        except KafkaException:
            return -1
        finally:
            consumer.close()

    def _check(self) -> dict[str, Any]:
        counts = (
            f"--kills={self.fleet.kills}",
            f"--broker-restarts={sum(map(self._count, BROKER_STARTS))}",
        )
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.chaos.checker", "--json"),
                *(f"--bootstrap={self._bootstrap}", *counts),
            ],
            stdout=subprocess.PIPE,
            check=False,
            timeout=300,
        )
        if not done.stdout:
            raise RuntimeError(f"the checker ended with {done.returncode}; see above")
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return {**found, "clean": done.returncode == 0}

    def _count(self, name: str) -> int:
        return self._done.get(name, 0)

    def _result(self) -> tuple[dict[str, Any], bool]:
        found = self._check()
        clean = found.pop("clean")
        histories = check_histories(self._bootstrap)
        slowest = max((s for _, s in self.fleet.stops), default=0.0)
        found |= histories
        found |= {
            "boundaries": dict(self.fleet.boundaries_hit),
            "boundaries_left": self.fleet.armed,
            "faults": self._done,
            "unasked_exits": dict(self.fleet.exits),
            "stops": [code for code, _ in self.fleet.stops],
            "slowest_stop_s": round(slowest, 1),
            "media_refused": self._store.refused,
            "took_s": round(time.monotonic() - self._began),
        }
        differ = histories["histories_differ"] or histories["decisions_differ"]
        return found, clean and not differ

    def _tell(self, line: str) -> None:
        line = f"{time.monotonic() - self._began:7.1f} s  {line}\n"
        with (self._folder / "run.log").open("a") as log:
            log.write(line)
        if self._show:
            sys.stderr.write(line)


BROKER_STARTS = ("broker_restarts", "power_cuts", "full_disks")
