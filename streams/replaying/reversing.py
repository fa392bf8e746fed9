"""Finds what a version of a rule decided in a window, and is still the latest word."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.records import RiskDecision
from schemas.topics import DECISION
from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.kafka_tail import tail
from streams.policy import Policy
from streams.replay.compensation import decided_by, without_rule
from streams.replaying.manifest import Correction
from streams.replaying.words import Words

# Kept in memory, 2 KB each; and no more should be agreed to at once.
MOST_CORRECTIONS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Reversed:
    """What is to be reversed."""

    rule: str
    version: str  # Of its policy.
    start: str  # ISO 8601 with zone, as of the decisions' records …
    end: str  # … and not included.
    policy_id: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Write it for a manifest."""
        return {"reverse": asdict(self)}

    def is_of(self, decision: RiskDecision) -> bool:
        """Say whether a decision is a final one that the rule made."""
        policy = decision.policy
        return (
            not decision.provisional
            and policy.version == self.version
            and self.policy_id in (None, policy.id)
            and decided_by(decision, self.rule)
        )


@dataclass(slots=True)
class Found:
    """What there is to reverse, and what is left alone."""

    decisions: list[RiskDecision] = field(default_factory=list)  # By time, then place.
    # newer: another decision came after; before: a repeat of one from before the window
    left: Counter[str] = field(default_factory=Counter)
    unreadable: int = 0


def find(access: KafkaAccess, codec: Codec, asked: Reversed) -> Found:
    """Read risk.decision.v1; blocks.

    The window once, decoded; then all of it for the contents that were found.

    Raises:
        StartError: the broker does not answer, or there is more than MOST_CORRECTIONS.
        TransientError: reading failed on the way.
    """
    start, end = datetime.fromisoformat(asked.start), datetime.fromisoformat(asked.end)
    found, hits = Found(), dict[str, RiskDecision]()
    end_ms = int(end.timestamp() * 1000)
    for record in tail(access, [DECISION.name], start=start, until_end=True):
        if record.timestamp_ms >= end_ms:
            continue
        try:
            decision = codec.decode(record.value, RiskDecision)
        except CodecError:
            found.unreadable += 1
            continue
        if asked.is_of(decision):
            hits.setdefault(decision.decision_id, decision)
        if len(hits) > MOST_CORRECTIONS:
            raise StartError(
                f"rule {asked.rule} decided over {MOST_CORRECTIONS} uploads; give a "
                "shorter window, and the rest in another"
            )
    words = Words(access, codec, {hit.content_id for hit in hits.values()})
    if hits:
        words.refresh()
    for hit in hits.values():
        spoken = words.of(hit.content_id)
        if spoken.latest != hit.decision_id:
            found.left["newer"] += 1
        elif spoken.first_ms[hit.decision_id] < int(start.timestamp() * 1000):
            found.left["before"] += 1
        else:
            found.decisions.append(hit)
    found.decisions.sort(key=lambda d: (d.event_time, d.content_id))
    return found


def corrections(
    found: Found, rule_id: str, policies: Mapping[str, Policy]
) -> Iterator[Correction]:
    """Yield what takes the found decisions' place; counts in `found.left` what stands.

    `policies` are those that are here, by hash.
    """
    for decision in found.decisions:
        policy = policies.get(decision.policy.sha256)
        reversal = without_rule(decision, rule_id, policy)
        if reversal is None:
            found.left["stands"] += 1
            continue
        then = decision.action.lower()
        yield Correction(then, decision.clause, reversal.basis, reversal.decision)
