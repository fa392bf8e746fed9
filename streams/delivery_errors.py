"""What a record that was not confirmed means: try again, or never."""

from typing import Any

from confluent_kafka import KafkaError

from streams.errors import HeadgateError, PermanentError, TransientError
from streams.kafka_access import KafkaAccess
from streams.kafka_causes import refusal

# What no retry mends; everything else may pass, a missing topic included: it appears
# when somebody runs `headgate topics apply`.
_PERMANENT = {
    KafkaError.MSG_SIZE_TOO_LARGE: "message_too_large",
    KafkaError.RECORD_LIST_TOO_LARGE: "message_too_large",
    KafkaError.INVALID_RECORD: "invalid_record",
}


def delivery_error(access: KafkaAccess, topic: str, error: Any) -> HeadgateError:
    """Return librdkafka's error of one record as ours, with what to do."""
    code = _PERMANENT.get(error.code())
    if code is not None:
        return PermanentError(code, f"topic {topic}: the record: {error.str()}")
    right = refusal(access, error, "Write", topic)
    if right is not None:  # Transient: somebody may grant it while the stage waits.
        return TransientError(f"topic {topic}: not written: {right}")
    return TransientError(
        f"topic {topic}: not confirmed ({error.name()}: {error.str()}); is the broker "
        "up, and does the topic exist (`headgate topics apply`)?"
    )
