"""Builders of values for tests: everything has a default, say only what matters."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from schemas.records import (
    CATEGORIES,
    Action,
    AnomalyScore,
    CategoryScore,
    ContentIngested,
    ContentSignals,
    Kind,
    PolicyRef,
    RecentUpload,
    RiskDecision,
    Stage,
    TextSignal,
    UploaderHistory,
)
from streams.policy import Policy

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DIM = 384  # Of all-MiniLM-L6-v2.


def an_event(content_id: str = "c1", **fields: Any) -> ContentIngested:
    """Build an event; `at_s` moves its time by seconds from NOON."""
    at_s = fields.pop("at_s", 0.0)
    defaults: dict[str, Any] = {
        "uploader_id": "u1",
        "kind": Kind.TRACK,
        "event_time": NOON + timedelta(seconds=at_s),
    }
    return ContentIngested(content_id=content_id, **(defaults | fields))


@cache
def an_embedding(seed: int = 0, near: bytes | None = None, step: float = 0.1) -> bytes:
    """Build a unit vector; with `near`, one about `step` away from that one."""
    vector = np.random.RandomState(seed).standard_normal(DIM)
    vector /= np.linalg.norm(vector)
    if near is not None:
        vector = np.frombuffer(near, "<f4") + step * vector
        vector /= np.linalg.norm(vector)
    return bytes(vector.astype("<f4").tobytes())


def a_text_signal(text: str = "words", **fields: Any) -> TextSignal:
    """Build a text signal; `seed` picks its embedding."""
    seed = fields.pop("seed", 0)
    defaults: dict[str, Any] = {"source": "title", "embedding": an_embedding(seed)}
    return TextSignal(text=text, **(defaults | fields))


def signals(content_id: str = "c1", **fields: Any) -> ContentSignals:
    """Build signals; fields of neither go to the event (`at_s`, `uploader_id`, …)."""
    own = {k: fields.pop(k) for k in list(fields) if k in _SIGNAL_FIELDS}
    event = own.pop("event", None) or an_event(content_id, **fields)
    return ContentSignals(event=event, **({"stage": Stage.COMPLETE} | own))


_SIGNAL_FIELDS = frozenset(ContentSignals.__dataclass_fields__)


def a_policy(**fields: Any) -> Policy:
    """Build a policy without rules."""
    return Policy(**({"id": "p", "version": "1", "sha256": "5e" * 32} | fields))


def a_decision(upload: ContentSignals, **fields: Any) -> RiskDecision:
    """Build the decision on an upload: allowed, unless said otherwise."""
    event = upload.event
    defaults: dict[str, Any] = {
        "decision_id": f"id-{event.content_id}-{event.revision}-{upload.stage}",
        "content_id": event.content_id,
        "revision": event.revision,
        "uploader_id": event.uploader_id,
        "kind": event.kind,
        "action": Action.ALLOW,
        "provisional": upload.stage is Stage.SCREENED,
        "supersedes": None,
        "clause": "default.allow",
        "categories": tuple(CategoryScore(c, None) for c in CATEGORIES),
        "anomalies": (AnomalyScore("velocity", 0.0, "1 upload"),),
        "campaign_id": None,
        "policy": PolicyRef("p", "1", "5e" * 32),
        "models": (),
        "missing": upload.missing,
        "braked": False,
        "automated_detection": True,
        "automated_decision": True,
        "event_time": event.event_time,
        "stage_times": (),
    }
    return RiskDecision(**(defaults | fields))


def a_recent(content_id: str, at_s: float = 0.0, **fields: Any) -> RecentUpload:
    """Build one remembered upload."""
    defaults: dict[str, Any] = {
        "revision": 0,
        "event_time": NOON + timedelta(seconds=at_s),
        "signature": b"",
        "decision": b"",
    }
    return RecentUpload(content_id=content_id, **(defaults | fields))


def a_history(
    recent: Sequence[RecentUpload] = (), uploader_id: str = "u1", **fields: Any
) -> UploaderHistory:
    """Build a history; counts and times follow from what is learned in `recent`."""
    times = [entry.event_time for entry in recent if entry.learned]
    defaults: dict[str, Any] = {
        "uploads": len(times),
        "first_seen": min(times, default=None),
        "last_seen": max(times, default=None),
        "recent": tuple(recent),
    }
    return UploaderHistory(uploader_id=uploader_id, **(defaults | fields))
