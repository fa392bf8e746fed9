"""The pipeline on Bytewax: batches by `collect`, histories in `stateful_map`.

With its recovery store, which it needs to go on where it was after a crash.
`python -m tests.benchmarks.peers.bytewax BOOTSTRAP SOURCE SINK FOLDER`
"""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from schemas.records import ContentSignals, UploaderHistory
from tests.benchmarks.peers import installed
from tests.benchmarks.peers.job import Job

installed.use()

import bytewax.operators as op  # type: ignore[import-not-found]  # noqa: E402
from bytewax._bytewax import (  # type: ignore[import-not-found]  # noqa: E402
    cli_main,
    init_db_dir,
)
from bytewax.connectors.kafka import KafkaSinkMessage  # type: ignore  # noqa: E402
from bytewax.connectors.kafka import operators as kop  # type: ignore  # noqa: E402
from bytewax.dataflow import Dataflow  # type: ignore[import-not-found]  # noqa: E402
from bytewax.recovery import RecoveryConfig  # type: ignore  # noqa: E402

# As many as the worker has in flight, and as long as its micro-batches wait.
BATCH, WAIT = 128, timedelta(milliseconds=20)
SNAPSHOT = timedelta(seconds=10)  # Its default.


def build(bootstrap: str, source: str, sink: str) -> Any:
    """Return the dataflow."""
    job = Job()

    def understand(batch: tuple[str, list[Any]]) -> list[tuple[str, ContentSignals]]:
        found = job.understand([message.value for message in batch[1]])
        return [(signals.event.uploader_id, signals) for signals in found]

    def decide(
        history: UploaderHistory | None, signals: ContentSignals
    ) -> tuple[UploaderHistory, Any]:
        value, known = job.decide(signals, history)
        return known, KafkaSinkMessage(signals.event.content_id.encode(), value)

    flow = Dataflow("bench")
    taken = kop.input("in", flow, brokers=[bootstrap], topics=[source])
    keyed = op.key_on("together", taken.oks, lambda _: "all")
    batches = op.collect("batch", keyed, timeout=WAIT, max_size=BATCH)
    understood = op.flat_map("understand", batches, understand)
    decided = op.stateful_map("decide", understood, decide)
    kop.output("out", op.key_rm("bare", decided), brokers=[bootstrap], topic=sink)
    return flow


def main(bootstrap: str, source: str, sink: str, folder: str) -> None:
    """Run until killed."""
    store = Path(folder) / "recovery"
    store.mkdir(parents=True)
    init_db_dir(store, 1)
    cli_main(
        build(bootstrap, source, sink),
        workers_per_process=1,
        epoch_interval=SNAPSHOT,
        recovery_config=RecoveryConfig(store),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
