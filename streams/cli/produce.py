"""`headgate produce`: events from a file onto the stream."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.records import ContentIngested
from schemas.topics import INGESTED
from streams.cli.terminal import complain, output_console, write_json
from streams.messages import Output
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.event_files import Source


def produce(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Events as JSON lines; - reads standard input.", metavar="FILE..."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as one JSON object.")
    ] = False,
) -> None:
    """Write events to content.ingested.v1, as Avro with CloudEvents headers.

    Paths of media become file: URIs, relative ones below the events' own folder; the
    worker reads them if they are below its HEADGATE_MEDIA_ROOT. Exit code 1 when a
    line was no event; the others are written. Example:

    headgate produce uploads.jsonl
    """
    settings = load_settings()
    from streams.broker_check import ask_broker
    from streams.event_files import read_sources
    from streams.producer import DeliveringProducer
    from streams.wiring import build_codec, build_reader

    codec, reader = build_codec(settings), build_reader(settings)
    facts = ask_broker(settings.kafka)
    producer = DeliveringProducer(
        settings.kafka, message_max_bytes=facts.max_message_bytes
    )
    now = datetime.now(UTC)
    bad: list[Source] = []
    try:
        sources = (s for name in files for s in read_sources(name, now, reader))
        sent = producer.send_all(event_outputs(codec, _events(sources, bad)))
    finally:
        producer.close()
    for source in bad:
        complain(str(source.error))
    if as_json:
        write_json({"produced": sent, "refused": len(bad), "topic": INGESTED.name})
    else:
        output_console().print(f"{sent} events on {INGESTED.name}")
    raise typer.Exit(1 if bad else 0)


def event_outputs(codec: Codec, events: Iterable[ContentIngested]) -> Iterator[Output]:
    """Return events as records, keyed by content."""
    for event in events:
        headers = binary_headers(
            type=INGESTED.name,
            source="/headgate/produce",
            id=event.event_id or f"{event.content_id}:{event.revision}",
            subject=event.content_id,
            time=event.event_time,
            schema=f"{INGESTED.name}-value",
        )
        key = event.content_id.encode()
        yield Output(INGESTED.name, key, codec.encode(event), tuple(headers))


def _events(
    sources: Iterable["Source"], bad: list["Source"]
) -> Iterator[ContentIngested]:
    for source in sources:
        if source.event is not None:
            yield source.event
        else:
            bad.append(source)
