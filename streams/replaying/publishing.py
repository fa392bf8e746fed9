"""Writes a replay's decisions to its own topic, `replay.<id>`; to no other."""

import uuid
from dataclasses import replace

from schemas.cloudevents import binary_headers
from schemas.codec import Codec
from schemas.records import RiskDecision
from schemas.topics import DECISION
from streams.errors import PermanentError, StartError
from streams.kafka_access import KafkaAccess
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.replay.rejudge import Rejudged
from streams.replaying.request import Plan

# Ours, made once; a replayed decision must never be taken for the one it repeats.
REPLAY_NAMESPACE = uuid.UUID("b1b0a7f5-3f9a-4d3f-9d0e-6c1a4f2f7f10")


class Publishing:
    """Gives decisions ids of their own and writes them; the same twice are equal."""

    def __init__(self, access: KafkaAccess, codec: Codec, plan: Plan) -> None:
        self._producer = DeliveringProducer(access)
        self._codec, self._plan = codec, plan

    def __call__(self, rejudged: list[Rejudged]) -> None:
        """Write; returns once the broker has confirmed all.

        Raises:
            TransientError: it did not; the run goes on from its last checkpoint.
            StartError: we may not write there.
        """
        outputs = [self._output(one) for one in rejudged if one.decision is not None]
        try:
            self._producer.send_all(outputs)
        except PermanentError as error:
            raise StartError(str(error)) from error

    def close(self) -> None:
        """Let go of the connection."""
        self._producer.close()

    def _output(self, one: Rejudged) -> Output:
        assert one.decision is not None
        said = self._codec.decode(one.decision, RiskDecision)
        own = replace(
            said,
            decision_id=replayed_id(self._plan.id, said.decision_id),
            supersedes=said.supersedes and replayed_id(self._plan.id, said.supersedes),
        )
        headers = binary_headers(
            type=DECISION.name,
            source=f"/headgate/replay/{self._plan.id}",
            id=own.decision_id,
            subject=own.content_id,
            time=own.event_time,
            schema=f"{DECISION.name}-value",
        )
        named = (*headers, ("replay_id", self._plan.id.encode()))
        key = own.content_id.encode()
        return Output(self._plan.topic, key, self._codec.encode(own), named)


def replayed_id(replay_id: str, decision_id: str) -> str:
    """Return the id that a decision has in a replay: UUIDv5, always the same."""
    return str(uuid.uuid5(REPLAY_NAMESPACE, f"{replay_id}\n{decision_id}"))
