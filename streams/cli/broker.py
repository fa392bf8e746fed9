"""`headgate broker`: a broker on this machine, until it is stopped."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from schemas.topics import TOPICS
from streams.cli.terminal import output_console, write_json


def broker(
    kafka: Annotated[
        bool, typer.Option("--kafka", help="A real Apache Kafka (JDK 17, Maven).")
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(help="Kafka's folder, kept. Default: a temporary one."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, help="Kafka's port; 0: any free.")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as a JSON object.")
    ] = False,
) -> None:
    """Run a broker on loopback, with the topics made, until SIGTERM or Ctrl-C.

    Without --kafka it is the embedded one: no Java, in memory, for trying things out;
    workers on it need HEADGATE_JUDGE_MODE=ledger. Example:

    headgate broker --kafka --port 9092
    """
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    from streams.topic_admin import apply_topics

    with _running(kafka, data, port) as address:
        apply_topics(address, TOPICS)
        mode = "transactional" if kafka else "ledger"
        if as_json:
            write_json({"bootstrap_servers": address, "judge_mode": mode})
        else:
            output_console().print(
                f"export HEADGATE_BOOTSTRAP_SERVERS={address} "
                f"HEADGATE_JUDGE_MODE={mode}"
            )
        while not stop.wait(0.5):
            pass


@contextmanager
def _running(kafka: bool, data: Path | None, port: int) -> Iterator[str]:
    if kafka:
        from streams.kafka_broker import KafkaBroker

        with KafkaBroker(data, port=port) as real:
            yield real.bootstrap_servers
    else:
        from streams.embedded_broker import EmbeddedBroker

        with EmbeddedBroker() as embedded:
            yield embedded.bootstrap_servers
