"""The pipeline on Quix Streams: a sink of its own that works on a checkpoint's batch.

A StreamingDataFrame takes one row at a time, and its windows gather by key only; what
its docs give for work in batches across keys is a sink, which gathers between
checkpoints, with `commit_every` as the batch's size. A sink reaches no state store, so
histories live in memory: less than our worker does, which keeps them in a changelog.
`python -m tests.benchmarks.peers.quix BOOTSTRAP SOURCE SINK FOLDER`
"""

import sys
from typing import Any

from schemas.records import UploaderHistory
from tests.benchmarks.peers import installed
from tests.benchmarks.peers.job import Job

installed.use()

from quixstreams import Application  # type: ignore[import-not-found]  # noqa: E402
from quixstreams.sinks import BaseSink  # type: ignore[import-not-found]  # noqa: E402

# The worker has as many events in flight (HEADGATE_IN_FLIGHT).
BATCH = 128


class Deciding(BaseSink):  # type: ignore[misc]
    """Gathers uploads; decides and sends them when the checkpoint is made."""

    def __init__(self, job: Job, producer: Any, topic: str) -> None:
        super().__init__()
        self._job, self._producer, self._topic = job, producer, topic
        self._waiting: list[bytes] = []
        self._histories: dict[str, UploaderHistory] = {}

    def add(self, value: bytes, **_: Any) -> None:
        """Gather one upload."""
        self._waiting.append(value)

    def flush(self) -> None:
        """Decide what was gathered; the producer has sent all when this returns."""
        batch, self._waiting = self._waiting, []
        for signals in self._job.understand(batch) if batch else ():
            event = signals.event
            known = self._histories.get(event.uploader_id)
            value, known = self._job.decide(signals, known)
            self._histories[event.uploader_id] = known
            key = event.content_id.encode()
            self._producer.produce(self._topic, value=value, key=key)
        self._producer.flush()


def main(bootstrap: str, source: str, sink: str, folder: str) -> None:
    """Run until killed."""
    app = Application(
        bootstrap,
        consumer_group=source,
        auto_offset_reset="earliest",
        commit_every=BATCH,
        commit_interval=0.1,  # So that what is left over does not wait 5 s.
        consumer_poll_timeout=0.05,
        state_dir=folder,
        loglevel="WARNING",
    )
    uploads = app.topic(source, key_deserializer="bytes", value_deserializer="bytes")
    with app.get_producer() as producer:
        app.dataframe(uploads).sink(Deciding(Job(), producer, sink))
        app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
