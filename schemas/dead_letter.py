"""The headers of a dead letter: where it came from and why it is one.

Value and key of a dead letter are the original's. Names and bytes are those of Spring
Kafka's DeadLetterPublishingRecoverer, which tools know; what Spring has no name for
starts with `x-dlq-`.
"""

import re
import struct
from dataclasses import dataclass
from typing import Literal, cast

from schemas.errors import CodecError
from schemas.headers import Header, Headers, header_map, header_pairs

TimestampType = Literal["CreateTime", "LogAppendTime", "NoTimestampType"]

_OURS = ("kafka_dlt-", "x-dlq-")
_ORIGIN = "kafka_dlt-original-"
_EXCEPTION = "kafka_dlt-exception-"
_INT32 = struct.Struct(">i")  # Java's ByteBuffer is big-endian.
_INT64 = struct.Struct(">q")
_SAFE_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the original stands."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int = -1  # Kafka's word for none.
    timestamp_type: TimestampType = "CreateTime"
    consumer_group: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the original could not be used."""

    stage: str
    error: str  # Full name of the exception's class.
    reason: str  # A short, safe word; anything else is written as "unspecified".
    attempts: int = 1
    app_version: str = ""


def dead_letter_headers(
    origin: Origin, failure: Failure, original_headers: Headers = None
) -> list[Header]:
    """Build the headers: the original's, then ours.

    Ours of an earlier time are replaced, so that a letter sent round again does not
    grow. The message is the reason code alone: no payload, no stack trace.
    """
    kept = without_story(original_headers)
    safe = failure.reason if _SAFE_CODE.fullmatch(failure.reason) else "unspecified"
    ours = {
        f"{_ORIGIN}topic": origin.topic.encode(),
        f"{_ORIGIN}partition": _INT32.pack(origin.partition),
        f"{_ORIGIN}offset": _INT64.pack(origin.offset),
        f"{_ORIGIN}timestamp": _INT64.pack(origin.timestamp_ms),
        f"{_ORIGIN}timestamp-type": origin.timestamp_type.encode(),
        f"{_ORIGIN}consumer-group": origin.consumer_group.encode(),
        f"{_EXCEPTION}fqcn": failure.error.encode(),
        f"{_EXCEPTION}message": safe.encode(),
        "x-dlq-stage": failure.stage.encode(),
        "x-dlq-attempts": str(failure.attempts).encode(),
        "x-dlq-app-version": failure.app_version.encode(),
    }
    return [*kept, *ours.items()]


def without_story(headers: Headers) -> list[Header]:
    """Return the original's headers: those of a dead letter without ours."""
    return [
        (name, value)
        for name, value in header_pairs(headers)
        if not name.lower().startswith(_OURS)
    ]


def parse_dead_letter(headers: Headers) -> tuple[Origin, Failure]:
    """Read the headers of a dead letter.

    Raises:
        CodecError: `bad_envelope`, when they are not those of a dead letter.
    """
    named = header_map(headers)

    def text(name: str) -> str:
        return named[name].decode()

    try:
        origin = Origin(
            topic=text(f"{_ORIGIN}topic"),
            partition=_INT32.unpack(named[f"{_ORIGIN}partition"])[0],
            offset=_INT64.unpack(named[f"{_ORIGIN}offset"])[0],
            timestamp_ms=_INT64.unpack(named[f"{_ORIGIN}timestamp"])[0],
            timestamp_type=cast(TimestampType, text(f"{_ORIGIN}timestamp-type")),
            consumer_group=text(f"{_ORIGIN}consumer-group"),
        )
        failure = Failure(
            error=text(f"{_EXCEPTION}fqcn"),
            reason=text(f"{_EXCEPTION}message"),
            stage=text("x-dlq-stage"),
            attempts=int(text("x-dlq-attempts")),
            app_version=text("x-dlq-app-version"),
        )
    except (KeyError, ValueError, struct.error) as error:
        raise CodecError(
            "bad_envelope", f"not the headers of a dead letter: {type(error).__name__}"
        ) from None
    return origin, failure
