"""A decision as it was recorded, and which of them are on given signals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from schemas.errors import CodecError
from schemas.records import ContentSignals, RiskDecision
from streams.decision_ids import decision_id


@dataclass(frozen=True)
class Recorded:
    """A record of risk.decision.v1, decoded when it is first asked what it says.

    Most are compared by their bytes alone.
    """

    value: bytes
    decode: Callable[[bytes], RiskDecision] = field(repr=False, compare=False)
    timestamp_ms: int = -1  # When it was written.

    @cached_property
    def decision(self) -> RiskDecision | None:
        """What it says; None where it can't be read as a decision."""
        try:
            return self.decode(self.value)
        except CodecError:
            return None


@dataclass(frozen=True, slots=True)
class Word:
    """What was recorded on given signals, and its bytes."""

    decision: RiskDecision
    value: bytes
    timestamp_ms: int = -1  # When it was written.


def said_of(signals: ContentSignals, content: Sequence[Recorded]) -> tuple[Word, ...]:
    """Return what was recorded on these signals, in the order it was written.

    Usually one. More where an upload fell out of its uploader's history and was judged
    anew: under another policy with another id, or with the same one and other bytes.

    Args:
        signals: what was judged.
        content: everything recorded on its content: other revisions, stages and,
            where two uploaders claim one content id, other uploaders.
    """
    return tuple(
        Word(one.decision, one.value, one.timestamp_ms)
        for one in content
        if one.decision is not None and _is_on(one.decision, signals)
    )


def _is_on(decision: RiskDecision, signals: ContentSignals) -> bool:
    if decision.uploader_id != signals.event.uploader_id:
        return False
    own = decision_id(signals, signals.stage, decision.policy.sha256)
    return decision.decision_id == own
