"""Records in, signals out: the wire's forms and errors as the stages use them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TypeVar

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.errors import CodecError, RegistryError
from schemas.ingress import read_event
from schemas.records import ContentIngested, ContentSignals, Stage
from schemas.topics import SIGNALS
from streams.errors import EventError, TransientError
from streams.messages import Output, Record

Decoded = TypeVar("Decoded", ContentIngested, ContentSignals)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def decode_event(codec: Codec, record: Record) -> ContentIngested:
    """Return the event of a record, in any of the forms that are read.

    Raises:
        EventError: it is no event.
        TransientError: the schema registry does not answer.
    """
    with wire_errors():
        _, event = read_event(
            codec,
            record.value,
            record.headers,
            default_time=record.arrived_at or EPOCH,
        )
    return event


@contextmanager
def wire_errors() -> Iterator[None]:
    """Turn the wire's errors into what the stage does next."""
    try:
        yield
    except CodecError as error:
        raise EventError(error.code, str(error)) from error
    except RegistryError as error:
        raise TransientError(str(error)) from error


def decode_value(codec: Codec, record: Record, kind: type[Decoded]) -> Decoded:
    """Return the decoded value of a record.

    Raises:
        EventError: it is not what its topic carries.
        TransientError: the schema registry does not answer.
    """
    with wire_errors():
        return codec.decode(record.value, kind)


def signals_output(
    codec: Codec, topic: str, signals: ContentSignals, record: Record
) -> Output:
    """Return signals as a record: screened by content, complete by uploader."""
    event = signals.event
    key = event.uploader_id if topic == SIGNALS.name else event.content_id
    stage = "transcribe" if signals.transcripts else "screen"
    stage = {Stage.SWEPT: "sweep", Stage.CAMPAIGN: "campaign"}.get(signals.stage, stage)
    headers = binary_headers(
        type=topic,
        source=f"/headgate/{stage}",
        id=f"{event.content_id}:{event.revision}:{_stage_id(signals)}",
        subject=event.content_id,
        time=event.event_time,
        schema=f"{topic}-value",
    )
    value = codec.encode(signals)
    return Output(topic, key.encode(), value, (*headers, *record.trace))


def _stage_id(signals: ContentSignals) -> str:
    """Name the stage; a content may be swept more than once, or join a campaign."""
    names = [f"{entry.bank}/{entry.entry_id}" for entry in signals.sweep]
    if signals.campaign is not None:
        names.append(signals.campaign.campaign_id)
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    return f"{signals.stage.lower()}-{digest}" if names else signals.stage.lower()
