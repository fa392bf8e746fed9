"""An event as it arrives, in any of the forms that are read, to a `ContentIngested`."""

from dataclasses import replace
from datetime import datetime

from schemas.cloudevents import Envelope, unwrap
from schemas.codec import Codec
from schemas.headers import Headers
from schemas.json_form import event_from_json
from schemas.records import ContentIngested


def read_event(
    codec: Codec, value: bytes | None, headers: Headers, *, default_time: datetime
) -> tuple[Envelope, ContentIngested]:
    """Read plain Avro, or CloudEvents in binary or structured mode.

    What the event does not say itself is taken from the envelope: its id, and in JSON
    its time. `default_time`, the broker's timestamp, is the last resort.

    Raises:
        CodecError: the value is bad.
        RegistryUnavailableError: its schema can't be had now; try again.
    """
    envelope, payload = unwrap(value, headers)
    if isinstance(payload, bytes):
        event = codec.decode(payload, ContentIngested)
    else:
        event = event_from_json(payload, default_time=envelope.time or default_time)
    if not event.event_id and envelope.id:
        # As long as a CloudEvents id may be, it is only a name here.
        event = replace(event, event_id=envelope.id[:256])
    return envelope, event
