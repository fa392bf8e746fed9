"""Reads how the brakes stand now: the stream's counts, and this hour's corrections."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.headers import header_map
from schemas.records import BrakeCount, RiskDecision
from schemas.topics import BRAKE_STATE, DECISION, SIGNALS
from streams.brake_records import state_of
from streams.brakes import BrakeState
from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.kafka_tail import tail
from streams.policy import Policy
from streams.replay.beside import BesideBrakes
from streams.replaying.ranges import Offsets, Range, partition_of, read_range

# Who says an applied what-if, in the header of each record.
SOURCE = "/headgate/replay"


def brakes_now(
    access: KafkaAccess, codec: Codec, policy: Policy, now: datetime
) -> BesideBrakes | None:
    """Return the brakes that corrections by a policy are under; None: it has none.

    Blocks: reads brake.state.v1, and risk.decision.v1 from the hour's beginning.

    Raises:
        StartError: the broker does not answer, or we may not read there.
        TransientError: reading failed on the way.
    """
    if not policy.brakes:
        return None
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    with Offsets(access) as offsets:
        uploaders_in = len(offsets.partitions(SIGNALS.name))
        ranges = [
            Range(BRAKE_STATE.name, number, *offsets.ends(BRAKE_STATE.name, number))
            for number in offsets.partitions(BRAKE_STATE.name)
        ]
    brakes = BesideBrakes(
        policy,
        {part.partition: _state(access, codec, part) for part in ranges},
        hour=int(hour.timestamp()) // 3600,
        place=partial(partition_of, partitions=uploaders_in),
        partitions=SIGNALS.partitions,
    )
    for decision in _corrections_since(access, codec, hour):
        brakes.count(decision)
    return brakes


def _state(access: KafkaAccess, codec: Codec, part: Range) -> BrakeState:
    """Return a partition's brakes: what is left of its changelog."""
    values: dict[bytes, bytes | None] = {}
    for record in read_range(access, part):
        values[record.key or b""] = record.value
    try:
        return state_of(codec.decode(v, BrakeCount) for v in values.values() if v)
    except CodecError as error:
        raise StartError(
            f"{part.topic}[{part.partition}] can't be read ({error}), so nobody knows "
            "what the brakes allow; use the version of Headgate that the workers are of"
        ) from error


def _corrections_since(
    access: KafkaAccess, codec: Codec, hour: datetime
) -> Iterator[RiskDecision]:
    """Yield what applied what-ifs said since a time; a repeat counts once."""
    told: set[str] = set()
    for record in tail(access, [DECISION.name], start=hour, until_end=True):
        if header_map(record.headers).get("ce_source") != SOURCE.encode():
            continue
        try:
            decision = codec.decode(record.value, RiskDecision)
        except CodecError:
            continue  # No decision, so nothing acted.
        if decision.decision_id not in told:
            told.add(decision.decision_id)
            yield decision
