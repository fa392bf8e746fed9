"""Rows of the bench about deciding twice: a candidate beside the policy, and replay."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import sched_getaffinity
from pathlib import Path
from statistics import fmean
from time import monotonic

from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.settings import default_policy, load_settings
from streams.topic_admin import apply_topics
from tests.benchmarks.flow import Flow
from tests.benchmarks.table import Aim, Row
from tests.benchmarks.uploads import CODEC, texts, uploads
from tests.integration.worker_process import WorkerProcess

REPLAY = Aim(
    "uploads replayed a second from signals, decisions compared",
    "the live worker that decided them (texts, real models)",
    10.0,
)
BESIDE = Aim(
    "text uploads decided a second with one candidate beside the policy, through Kafka",
    "the same worker without",
    0.95,
)
STAGES = ("screen", "judge")


@dataclass(frozen=True, slots=True)
class Live:
    """A broker on which workers decide in turns, alone and with a candidate beside."""

    folder: Path
    flow: Flow

    def per_s(self, first: int, count: int, **settings: str) -> float:
        """Start a worker, have it decide texts from the `first` on, and end it."""
        with WorkerProcess(
            self.folder / "worker.log",
            STAGES,
            bootstrap_servers=self.flow.bootstrap,
            app_id="bench",
            asr="sphinx",
            **settings,
        ) as worker:
            worker.wait_ready()
            self.flow.decide(uploads(f"warm{first}", texts(24, 900_000 + first)))
            per_s = self.flow.per_s(uploads(f"live{first}", texts(count, first)))
            worker.stop()
        return per_s


def rows(quick: bool) -> list[Row]:
    """Decide texts live in turns, then replay them all, twice; the better counts."""
    count, turns = (48, 1) if quick else (3000, 2)
    with _live() as live:
        alone, beside = _in_turns(live, count, turns)
        total = 2 * turns * count
        bootstrap = live.flow.bootstrap
        replayed = max(
            _replayed_per_s(bootstrap, live.folder / f"r{n}", total) for n in (1, 2)
        )
    processes = f"{len(sched_getaffinity(0))} processes"
    return [
        BESIDE.row(beside / alone, f"{beside:.0f}/s to {alone:.0f}/s"),
        REPLAY.row(
            replayed / alone,
            f"{replayed:.0f}/s to {alone:.0f}/s, {processes}",
            "two cores; each upload is scored and encoded anew",
        ),
    ]


def _in_turns(live: Live, count: int, turns: int) -> tuple[float, float]:
    """Return uploads decided a second: alone, and with a candidate."""
    candidate = {"shadow": f"bench={default_policy()}"}
    alone, beside = [], []
    for turn in range(turns):
        first = 700_000 + 2 * turn * count
        alone.append(live.per_s(first, count))
        beside.append(live.per_s(first + count, count, **candidate))
    return fmean(alone), fmean(beside)


@contextmanager
def _live() -> Iterator[Live]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = stack.enter_context(KafkaBroker()).bootstrap_servers
        apply_topics(bootstrap, TOPICS)
        yield Live(folder, stack.enter_context(Flow(bootstrap)))


def _replayed_per_s(bootstrap: str, folder: Path, count: int) -> float:
    """Return uploads a second, from the first record read to the results written.

    The processes' start is left out, as the worker's is.

    Raises:
        RuntimeError: the replay was not equal: its speed would say nothing.
    """
    began: list[float] = []

    def tell(_: int) -> None:
        began.append(monotonic())

    settings = load_settings(bootstrap_servers=bootstrap)
    run = open_run(folder, Request(), settings, CODEC)
    summary = run.go(len(sched_getaffinity(0)), tell)
    if not summary["equal"]:
        raise RuntimeError(f"replay differs: {summary['first_difference']}")
    return count / (monotonic() - began[0])
