"""Row of the bench about replay: against the live worker, on the same uploads."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import sched_getaffinity
from pathlib import Path
from time import monotonic

from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.replaying.request import Request
from streams.replaying.running import open_run
from streams.settings import load_settings
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


def rows(quick: bool) -> list[Row]:
    """Decide texts live, then replay them all, twice; the better half says more."""
    count = 48 if quick else 6000
    with _live(count) as (bootstrap, live_per_s, folder):
        replayed = [_replayed_per_s(bootstrap, folder / f"r{n}", count) for n in (1, 2)]
    best = max(replayed)
    told = f"{best:.0f}/s to {live_per_s:.0f}/s, {len(sched_getaffinity(0))} processes"
    return [
        REPLAY.row(
            best / live_per_s, told, "two cores; each upload is scored and encoded anew"
        )
    ]


@contextmanager
def _live(count: int) -> Iterator[tuple[str, float, Path]]:
    """Decide uploads live; yield the broker, the rate and a folder."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bootstrap = stack.enter_context(KafkaBroker()).bootstrap_servers
        apply_topics(bootstrap, TOPICS)
        flow = stack.enter_context(Flow(bootstrap))
        with WorkerProcess(
            folder / "worker.log",
            ("screen", "judge"),
            bootstrap_servers=bootstrap,
            app_id="bench",
            asr="sphinx",
        ) as worker:
            worker.wait_ready()
            flow.decide(uploads("warm", texts(24, 900_000)))
            live_per_s = flow.per_s(uploads("live", texts(count, 700_000)))
            worker.stop()
        yield bootstrap, live_per_s, folder


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
