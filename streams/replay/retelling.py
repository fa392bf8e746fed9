"""One judgement told again by one version: its word, and each rule's part in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.records import Category, ContentSignals, RiskDecision, UploaderHistory
from streams.braking import Holding, nothing_held
from streams.judge import Judge
from streams.policies.differences import compare
from streams.policies.explaining import Explanation, explain
from streams.policy import Policy

_SPOKE = ("fired", "unknown")


@dataclass(frozen=True, slots=True)
class Retold:
    """What a version says to an upload, and why."""

    decision: RiskDecision
    policy: Policy
    explanation: Explanation

    def rules(self) -> list[dict[str, Any]]:
        """Return every rule's part as JSON, those that spoke first."""
        return [trace.to_json() for trace in self.explanation.traces]


def retold(
    judge: Judge,
    signals: ContentSignals,
    history: UploaderHistory,
    hold: Holding = nothing_held,
    restricted: frozenset[Category] = frozenset(),
) -> Retold | None:
    """Judge an upload and explain it; None where it was judged before.

    `restricted` are the categories of which the policies told of beside it show no
    text.
    """
    judged = judge.judge(signals, history, hold)
    if judged.decision is None or judged.findings is None:
        return None
    held = {braked.rule_id: braked.reason for braked in judged.decision.brakes}
    explained = explain(judge.policy, judged.findings, held, restricted)
    return Retold(judged.decision, judge.policy, explained)


def rules_that_changed(then: Retold, now: Retold) -> list[dict[str, Any]]:
    """Return the rules that spoke in either and not alike: as they were, as they are.

    A rule that is in one policy only has null for the other.
    """
    before = {rule["id"]: rule for rule in then.rules()}
    after = {rule["id"]: rule for rule in now.rules()}
    return [
        {"id": name, "then": _short(before.get(name)), "now": _short(after.get(name))}
        for name in dict.fromkeys((*before, *after))
        if _differ(before.get(name), after.get(name))
    ]


def settings_that_changed(then: Retold, now: Retold) -> list[list[str]]:
    """Return what the policies say beside rules, where they differ: name, then, now."""
    return [list(one) for one in compare(then.policy, now.policy).settings]


def scores_that_changed(
    then: RiskDecision, now: RiskDecision
) -> dict[str, list[float | None]]:
    """Return the scores that differ, by name: then and now."""
    before, after = dict(_scores(then)), dict(_scores(now))
    return {
        name: [before.get(name), after.get(name)]
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    }


def _differ(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> bool:
    if then is None or now is None:
        only = then or now
        return only is not None and only["outcome"] in _SPOKE
    if then["outcome"] not in _SPOKE and now["outcome"] not in _SPOKE:
        return False
    return any(then[key] != now[key] for key in ("outcome", "asks_for", "when"))


def _short(rule: Mapping[str, Any] | None) -> dict[str, Any] | None:
    kept = ("outcome", "asks_for", "when", "why", "came_of_it")
    return None if rule is None else {name: rule[name] for name in kept}


def _scores(decision: RiskDecision) -> Iterator[tuple[str, float | None]]:
    yield from ((c.category.lower(), c.probability) for c in decision.categories)
    yield from ((anomaly.name, anomaly.value) for anomaly in decision.anomalies)
