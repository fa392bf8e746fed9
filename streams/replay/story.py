"""Tells why one upload was decided as it was, and what would decide otherwise now."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from schemas.json_form import decision_to_json, record_to_json
from schemas.records import ContentSignals, RiskDecision, UploaderHistory
from streams.policies.explaining import HIDDEN
from streams.replay.outcome import Outcome, differing_fields, outcome_line
from streams.replay.retelling import (
    Retold,
    rules_that_changed,
    scores_that_changed,
    settings_that_changed,
)
from streams.replay.tally import top_category

MOST_CHARS = 200  # Of a text; the event has all of it.
# As a replay's results, and what nobody judged: the word of `reverse` or an applied
# what-if.
CORRECTION: Literal["correction"] = "correction"


def story_of(
    outcome: Outcome,
    history: UploaderHistory,
    then: Retold | None,
    today: Retold | None,
    untold: str = "",
) -> dict[str, Any]:
    """Return one judgement's story as JSON.

    What may be about children has neither its texts nor its evidence's reasons in it.

    Args:
        outcome: of the faithful replay.
        history: the uploader's, as it was at that moment.
        then: the version that decided, asked again; None where it can't be.
        today: what today's policy and risk head say to the same signals and history,
            as if the same brakes held.
        untold: why `then` is not here.
    """
    said = outcome.then or outcome.now
    line = outcome_line(outcome)
    hidden = _hidden(said, then, today)
    return {
        **{name: line[name] for name in ("partition", "offset", "time_ms", "stage")},
        "result": outcome.result,
        "reason": outcome.reason,
        "event": _event(outcome.signals, shy=bool(hidden)),
        "found": _found(outcome.signals, hidden),
        "missing": [[m.signal, m.reason] for m in outcome.signals.missing],
        "history": history_facts(history),
        "decision": None if said is None else _decision(said, hidden),
        "rules": None if then is None else then.rules(),
        "rules_untold": untold,
        "today": _today(said, then, today),
    }


def correction_story(decision: RiskDecision, time_ms: int) -> dict[str, Any]:
    """Return the story of a word that no judgement gave; the same keys, most null."""
    unsaid = ("partition", "offset", "stage", "event", "found", "history", "rules")
    return {
        **dict.fromkeys(unsaid),
        "time_ms": time_ms,
        "result": CORRECTION,
        "reason": "",
        "missing": [],
        "decision": _decision(decision, frozenset(_spoken(decision))),
        "rules_untold": "corrections follow from decisions; no rule is asked",
        "today": None,
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


def _hidden(
    said: RiskDecision | None, then: Retold | None, today: Retold | None
) -> frozenset[str]:
    """Name the restricted categories that something spoke on, in lower case."""
    if said is None:
        return frozenset()
    restricted = {
        category.lower()
        for one in (then, today)
        if one is not None
        for category in one.policy.restricted
    }
    return frozenset(restricted & _spoken(said))


def _spoken(decision: RiskDecision) -> set[str]:
    return {c.category.lower() for c in decision.categories if c.probability}


def _event(signals: ContentSignals, *, shy: bool) -> dict[str, Any]:
    event = record_to_json(signals.event)
    texts = {
        name: HIDDEN if shy else _cut(text) for name, text in event["texts"].items()
    }
    return {**event, "texts": texts}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else text[:MOST_CHARS] + "…"


def _found(signals: ContentSignals, hidden: frozenset[str]) -> dict[str, Any]:
    """Say what the models found, without the vectors."""
    written = record_to_json(signals)
    told = ("media", "hashes", "transcripts", "labels", "models", "campaign")
    matches = [_match(match, hidden) for match in written["matches"]]
    secret = {match["bank"] for match in matches if match["entry_id"] == HIDDEN}
    sweep = [
        {**entry, "entry_id": HIDDEN} if entry["bank"] in secret else entry
        for entry in written["sweep"]
    ]
    return {
        "texts": dict(Counter(text.source for text in signals.texts)),
        "languages": {t.source: t.language for t in signals.texts if t.language},
        **{name: written[name] for name in told if written[name]},
        **({"matches": matches} if matches else {}),
        **({"sweep": sweep} if sweep else {}),
    }


def _match(match: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Leave out which entry it is where that may be about children."""
    is_hidden = match["category"] in hidden
    return {**match, "entry_id": HIDDEN} if is_hidden else match


def _decision(decision: RiskDecision, hidden: frozenset[str]) -> dict[str, Any]:
    written = decision_to_json(decision)
    spoken = {
        name: _without_reasons(score) if name in hidden else score
        for name, score in written["categories"].items()
        if score["probability"] is not None
    }
    return {**written, "categories": spoken, "top_category": top_category(decision)}


def _without_reasons(score: Mapping[str, Any]) -> dict[str, Any]:
    evidence = [{**one, "reason": HIDDEN} for one in score["evidence"]]
    return {**score, "evidence": evidence}


def _today(
    said: RiskDecision | None, then: Retold | None, today: Retold | None
) -> dict[str, Any] | None:
    """Say what would be decided now, in what it differs, and by which rules."""
    if said is None or today is None:
        return None
    now = today.decision
    same = ("decision_id", "policy", "supersedes")  # Follow from the policy's hash.
    differs = [f for f in differing_fields(said, now) if f not in same]
    return {
        "action": now.action.lower(),
        "clause": now.clause,
        "policy_id": now.policy.id,
        "policy": now.policy.version,
        "policy_sha256": now.policy.sha256,
        "changes": now.action is not said.action,
        "differs_in": differs,
        "rules": None if then is None else rules_that_changed(then, today),
        "settings": [] if then is None else settings_that_changed(then, today),
        "scores": scores_that_changed(said, now),
        "by_market": {m.market: m.action.lower() for m in now.by_market},
    }
