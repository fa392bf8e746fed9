"""What judging one upload again gave, beside what was recorded then."""

from dataclasses import dataclass, fields
from typing import Any, Literal

from schemas.json_form import decision_to_json
from schemas.records import ContentSignals, RiskDecision
from streams.replay.held_back import asked_to_json
from streams.rules.conflicts import Candidate

# same      the same bytes, or in a what-if the same action
# different other bytes, or in a what-if another action: a flip
# again     known from before: what was said was said again
# old       known from so long before that nothing was said
# unknown   nothing recorded to compare with
# buried    became a dead letter then: neither decoded nor judged now
Result = Literal["same", "different", "again", "old", "unknown", "buried"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One record of content.signals.v1, judged again."""

    partition: int
    offset: int
    time_ms: int  # The record's own.
    signals: ContentSignals
    result: Result
    then: RiskDecision | None = None
    now: RiskDecision | None = None
    reason: str = ""  # Of a difference, and of what is not judged.
    uploads: int | None = None  # Of the uploader before this one; None: not known.
    # What a candidate with brakes was asked for, to weigh it anew if some are held.
    asked: tuple[Candidate, ...] = ()

    @property
    def is_flip(self) -> bool:
        """Whether both decided, and the actions differ."""
        if self.then is None or self.now is None or self.result == "again":
            return False
        return self.then.action is not self.now.action


def differing_fields(then: RiskDecision, now: RiskDecision) -> tuple[str, ...]:
    """Name the fields in which two decisions differ."""
    return tuple(
        field.name
        for field in fields(RiskDecision)
        if getattr(then, field.name) != getattr(now, field.name)
    )


def outcome_line(outcome: Outcome) -> dict[str, Any]:
    """Write an outcome as a JSON object; the same keys in every line."""
    event = outcome.signals.event
    return {
        "partition": outcome.partition,
        "offset": outcome.offset,
        "time_ms": outcome.time_ms,
        "content_id": event.content_id,
        "revision": event.revision,
        "uploader_id": event.uploader_id,
        "kind": event.kind.lower(),
        "stage": outcome.signals.stage.lower(),
        "territories": list(event.territories),
        "uploads": outcome.uploads,
        "result": outcome.result,
        "reason": outcome.reason,
        "then": _word(outcome.then),
        "now": _word(outcome.now),
    }


def unjudged_line(
    partition: int, offset: int, time_ms: int, result: Result, reason: str
) -> dict[str, Any]:
    """Write the line of a record that was not judged, for it is no signals."""
    place = {"partition": partition, "offset": offset, "time_ms": time_ms}
    unsaid = ("content_id", "revision", "uploader_id", "kind", "stage")
    word = {"result": result, "reason": reason, "then": None, "now": None}
    whose: dict[str, Any] = {"territories": [], "uploads": None}
    return {**place, **dict.fromkeys(unsaid), **whose, **word}


def flip_line(outcome: Outcome) -> dict[str, Any]:
    """Write a flip with both decisions whole: scores, evidence, what was missing.

    And, where the candidate has brakes, all that was asked for: an apply may hold some.
    """
    line = outcome_line(outcome) | {"asked": asked_to_json(outcome.asked)}
    for name, decision in (("then", outcome.then), ("now", outcome.now)):
        line[name] = None if decision is None else _spoken(decision_to_json(decision))
    return line


def _word(decision: RiskDecision | None) -> dict[str, Any] | None:
    if decision is None:
        return None
    return {
        "decision_id": decision.decision_id,
        "action": decision.action.lower(),
        "clause": decision.clause,
        "provisional": decision.provisional,
        "policy": decision.policy.version,
        "policy_sha256": decision.policy.sha256,
        "by_market": {m.market: m.action.lower() for m in decision.by_market},
    }


def _spoken(decision: dict[str, Any]) -> dict[str, Any]:
    """Leave out the categories on which nothing spoke: most of them."""
    categories = {
        name: score
        for name, score in decision["categories"].items()
        if score["probability"] is not None
    }
    return {**decision, "categories": categories}
