"""The pipeline as a plain Faust agent: one event after another, each send awaited.

As Faust's user guide writes an agent that sends (`await topic.send(...)`), and awaits
what that returns, which is how it says to know that the broker has the message.
`python -m tests.benchmarks.peers.naive_faust BOOTSTRAP SOURCE SINK FOLDER`
"""

import asyncio
import sys
from typing import Any

import faust

from schemas.records import UploaderHistory
from tests.benchmarks.peers.job import Job


def build(bootstrap: str, source: str, sink: str, folder: str) -> faust.App:
    """Return the app; histories live in memory, without a table behind them."""
    job, histories = Job(), dict[str, UploaderHistory]()
    app = faust.App(
        source,
        broker=f"kafka://{bootstrap}",
        datadir=folder,
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
    )
    decisions = app.topic(sink, value_serializer="raw", key_serializer="raw")

    async def decide_each(stream: Any) -> None:
        async for event in stream.events():
            (signals,) = job.understand([event.value])
            uploader_id = signals.event.uploader_id
            value, known = job.decide(signals, histories.get(uploader_id))
            histories[uploader_id] = known
            await (await decisions.send(key=event.key, value=value))

    uploads = app.topic(source, value_serializer="raw", key_serializer="raw")
    app.agent(uploads, name=source)(decide_each)
    return app


async def run(app: faust.App) -> None:
    """Run until killed."""
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    asyncio.run(run(build(*sys.argv[1:])))
