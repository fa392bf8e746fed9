"""Builds candidates' words: agreeing on allow, unless said otherwise."""

from typing import Any

from schemas.records import Action, Kind, PolicyRef, ShadowDecision, Stage
from tests.builders import NOON

LIVE = PolicyRef("p", "1", "5e" * 32)
CANDIDATE = PolicyRef("q", "2", "6f" * 32)


def a_word(content_id: str = "c1", **fields: Any) -> ShadowDecision:
    """Build what a candidate said."""
    defaults: dict[str, Any] = {
        "shadow": "strict",
        "decision_id": f"id-{content_id}",
        "revision": 0,
        "uploader_id": "u1",
        "kind": Kind.TRACK,
        "stage": Stage.COMPLETE,
        "event_time": NOON,
        "live_action": Action.ALLOW,
        "action": Action.ALLOW,
        "same_degree": True,
        "live_clause": "default.allow",
        "clause": "default.allow",
        "category": None,
        "live_rules": (),
        "rules": (),
        "territories": (),
        "by_market": (),
        "uploads": 3,
        "percent": 100.0,
        "live_policy": LIVE,
        "policy": CANDIDATE,
    }
    return ShadowDecision(content_id=content_id, **(defaults | fields))
