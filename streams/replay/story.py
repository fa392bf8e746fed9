"""Tells why one upload was decided as it was, and what would decide otherwise now."""

from collections.abc import Mapping
from typing import Any

from schemas.json_form import decision_to_json, record_to_json
from schemas.records import ContentSignals, RiskDecision, UploaderHistory
from streams.replay.outcome import Outcome, differing_fields, outcome_line
from streams.replay.tally import top_category

MOST_CHARS = 200  # Of a text; the event has all of it.


def story_of(
    outcome: Outcome, history: UploaderHistory, today: RiskDecision | None
) -> dict[str, Any]:
    """Return one judgement's story as JSON.

    Args:
        outcome: of the faithful replay.
        history: the uploader's, as it was at that moment.
        today: what today's policy and risk head say to the same signals and history.
    """
    then = outcome.then or outcome.now
    line = outcome_line(outcome)
    return {
        **{name: line[name] for name in ("partition", "offset", "time_ms", "stage")},
        "result": outcome.result,
        "reason": outcome.reason,
        "event": _event(outcome.signals),
        "found": _found(outcome.signals),
        "missing": [[m.signal, m.reason] for m in outcome.signals.missing],
        "history": history_facts(history),
        "decision": None if then is None else _decision(then),
        "today": None if today is None or then is None else _today(then, today),
    }


def history_facts(history: UploaderHistory) -> dict[str, Any]:
    """Return what was known of an uploader, as JSON; no ids of other uploads."""
    written = record_to_json(history)
    kept = ("uploader_id", "uploads", "first_seen", "last_seen", "centroid_uploads")
    return {
        **{name: written[name] for name in kept},
        "distance_mean": round(history.distance_mean, 6),
        "remembered": len(history.recent),
        "learned": sum(entry.learned for entry in history.recent),
    }


def _event(signals: ContentSignals) -> dict[str, Any]:
    event = record_to_json(signals.event)
    texts = {name: text[:MOST_CHARS] for name, text in event["texts"].items()}
    return {**event, "texts": texts}


def _found(signals: ContentSignals) -> dict[str, Any]:
    """Say what the models found, without the vectors."""
    written = record_to_json(signals)
    sources: dict[str, int] = {}
    for text in signals.texts:
        sources[text.source] = sources.get(text.source, 0) + 1
    told = ("media", "hashes", "matches", "transcripts", "labels", "models", "sweep")
    return {"texts": sources, **{n: written[n] for n in told if written[n]}}


def _decision(decision: RiskDecision) -> dict[str, Any]:
    written = decision_to_json(decision)
    spoken = {
        name: score
        for name, score in written["categories"].items()
        if score["probability"] is not None
    }
    return {**written, "categories": spoken, "top_category": top_category(decision)}


def _today(then: RiskDecision, today: RiskDecision) -> Mapping[str, Any]:
    """Say what would be decided now, and in what it differs."""
    same = ("decision_id", "policy", "supersedes")  # Follow from the policy's hash.
    differs = [f for f in differing_fields(then, today) if f not in same]
    return {
        "action": today.action.lower(),
        "clause": today.clause,
        "policy": today.policy.version,
        "policy_sha256": today.policy.sha256,
        "changes": today.action is not then.action,
        "differs_in": differs,
    }
