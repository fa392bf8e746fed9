"""Records as JSON lines and back, without loss: what `headgate tail --raw` writes."""

import base64
import binascii
from collections.abc import Mapping

from schemas.topics import SIGNALS
from streams.errors import EventError
from streams.messages import Record


def captured_signals(where: str, obj: Mapping[str, object]) -> bytes:
    """Return the signals of a line that `headgate tail --raw` wrote."""
    if obj.get("topic") != SIGNALS.name:
        raise EventError(
            "wrong_topic",
            f"{where}: a record of {str(obj.get('topic'))[:80]!r}; expected one of "
            f"{SIGNALS.name}",
        )
    try:
        return base64.b64decode(str(obj["value_base64"]), validate=True)
    except binascii.Error as error:
        raise EventError(
            "bad_base64", f"{where}: value_base64 is not base64"
        ) from error


def as_capture(record: Record) -> dict[str, object]:
    """Return a record as a JSON object that reads back without loss."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "key_base64": _b64(record.key),
        "headers": [[name, _b64(value)] for name, value in record.headers],
        "value_base64": _b64(record.value),
    }


def _b64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()
