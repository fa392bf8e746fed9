"""A decision's id: what was judged, at which stage, and under which policy.

The same input decided twice has the same id, so that whoever acts on it acts once.
"""

import uuid
from dataclasses import replace
from typing import Final

from schemas.records import ContentSignals, Stage
from streams.history import stage_key

# Ours, made once; every decision id hangs on it.
DECISION_NAMESPACE: Final = uuid.UUID("6f1d7c1e-52a5-4f0e-9a3b-0c7e5d2b8a41")


def decision_id(signals: ContentSignals, stage: Stage, policy_sha256: str) -> str:
    """Return the id of the decision on these signals: UUIDv5, so it is always the same.

    Of policy, stage, revision and content id; the last may hold anything, the others
    hold no line end.
    """
    event = signals.event
    key = stage_key(signals, stage)
    return decision_id_of(event.content_id, event.revision, key, policy_sha256)


def decision_id_of(
    content_id: str, revision: int, stage: str, policy_sha256: str
) -> str:
    """Return the id of a decision by what it is made of; `stage` is a `stage_key`."""
    name = f"{policy_sha256}\n{stage}\n{revision}\n{content_id}"
    return str(uuid.uuid5(DECISION_NAMESPACE, name))


def decision_before(signals: ContentSignals, policy_sha256: str) -> str | None:
    """Return the id of the decision that this one takes the place of."""
    before: Stage | None = None
    if signals.stage is Stage.CAMPAIGN:
        before = Stage.SWEPT if signals.sweep else Stage.COMPLETE
    elif signals.stage is Stage.SWEPT and signals.campaign is not None:
        before, signals = Stage.CAMPAIGN, replace(signals, sweep=())
    elif signals.stage is Stage.SWEPT:
        before = Stage.COMPLETE
    elif signals.provisional_sent and signals.stage is not Stage.SCREENED:
        before = Stage.SCREENED
    return decision_id(signals, before, policy_sha256) if before else None
