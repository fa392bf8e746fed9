"""A decision as it was recorded, and which of them are on given signals."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from schemas.records import ContentSignals
from streams.judge import decision_id


@dataclass(frozen=True, slots=True)
class Recorded:
    """A record of risk.decision.v1: its id, its policy's hash and its bytes."""

    decision_id: str
    policy_sha256: str  # Lower-case hex.
    uploader_id: str
    value: bytes
    timestamp_ms: int = -1  # When it was written.


def said_of(
    signals: ContentSignals, content: Sequence[Recorded]
) -> tuple[Recorded, ...]:
    """Return what was recorded on these signals, in the order it was written.

    Usually one. More where an upload fell out of its uploader's history and was judged
    anew: under another policy with another id, or with the same one and other bytes.

    Args:
        signals: what was judged.
        content: everything recorded on its content: other revisions, stages and,
            where two uploaders claim one content id, other uploaders.
    """
    ids = ids_of(signals, {one.policy_sha256 for one in content})
    return tuple(
        one
        for one in content
        if one.decision_id in ids and one.uploader_id == signals.event.uploader_id
    )


def ids_of(signals: ContentSignals, policies: Collection[str]) -> set[str]:
    """Return the ids that decisions on these signals have under these policies."""
    return {decision_id(signals, signals.stage, sha256) for sha256 in policies}
