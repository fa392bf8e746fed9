"""Row of the bench about scale: eight workers against one, on one topic.

The text model sleeps instead of computing, so that this machine's cores stand for
eight machines' models; its time is long enough that all eight workers' Python, Kafka
and the bench need less than the two cores.
"""

import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.topic_admin import apply_topics
from tests.benchmarks.flow import Flow
from tests.benchmarks.table import Aim, Row
from tests.benchmarks.uploads import texts, uploads
from tests.integration.worker_process import WorkerProcess

SCALING = Aim(
    "uploads decided a second, 8 workers, models that sleep", "8 times one worker", 0.95
)
PARTITIONS = 24  # Three for each of eight workers.


@dataclass(frozen=True, slots=True)
class Fleet:
    """How much is measured."""

    workers: int
    text_s: float  # What the model sleeps for each text.
    each: int  # Uploads for each worker.


FULL = Fleet(workers=8, text_s=0.2, each=120)
QUICK = Fleet(workers=2, text_s=0.02, each=24)
SETTLE_S = 120.0  # Until the group has shared out its partitions.


def rows(quick: bool) -> list[Row]:
    """Measure one worker, add the others, measure them all."""
    fleet = QUICK if quick else FULL
    with _fleet() as (flow, start):
        start(1, fleet)
        alone = _per_s(flow, "alone", fleet.each)
        start(fleet.workers - 1, fleet)
        _settled(flow, fleet)
        together = _per_s(flow, "together", fleet.each * fleet.workers)
    note = (
        f"{together:.1f}/s to {alone:.1f}/s; a text sleeps {fleet.text_s * 1000:.0f} "
        f"ms, {PARTITIONS} partitions"
    )
    value = together / (fleet.workers * alone)
    return [SCALING.row(value, note, "two cores carry all the workers' Python")]


def _per_s(flow: Flow, name: str, count: int) -> float:
    return flow.per_s(uploads(name, texts(count, 500_000)), PARTITIONS)


def _settled(flow: Flow, fleet: Fleet) -> None:
    """Send small rounds until one is decided as fast as all workers together can."""
    a_round = PARTITIONS
    expected_s = a_round / fleet.workers * fleet.text_s
    until_s, number = monotonic() + SETTLE_S, 0
    while True:
        number += 1
        started_s = monotonic()
        flow.decide(uploads(f"settle-{number}", texts(a_round, 400_000)), PARTITIONS)
        if monotonic() - started_s < expected_s * 1.3 + 0.3:
            return
        if monotonic() > until_s:
            raise TimeoutError(f"{fleet.workers} workers never shared the work evenly")
        sleep(0.5)


@contextmanager
def _fleet():  # type: ignore[no-untyped-def]
    """Yield the flow, and what starts workers and waits for them."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = stack.enter_context(KafkaBroker()).bootstrap_servers
        apply_topics(bootstrap, TOPICS, partitions=PARTITIONS)
        flow = stack.enter_context(Flow(bootstrap))
        started: list[WorkerProcess] = []

        def start(count: int, fleet: Fleet) -> None:
            new = [
                stack.enter_context(
                    WorkerProcess(
                        folder / f"worker-{len(started) + n}.log",
                        command=(
                            "tests.benchmarks.sleeping_worker",
                            str(fleet.text_s),
                        ),
                        bootstrap_servers=bootstrap,
                        app_id="scaling",
                        batch_size="4",  # Usual ones would be decided 6 s at a time.
                    )
                )
                for n in range(count)
            ]
            started.extend(new)
            for worker in new:
                worker.wait_ready()

        yield flow, start
