"""Decisions as a table that a person can read."""

from collections.abc import Sequence

from rich.table import Column, Table

from schemas.dead_letter import parse_dead_letter
from schemas.records import Action, CategoryScore, Evidence, RiskDecision
from streams.cli.terminal import as_text
from streams.messages import Record

STYLES = {
    Action.ALLOW: "green",
    Action.LABEL: "cyan",
    Action.AGE_RESTRICT: "cyan",
    Action.LIMIT: "yellow",
    Action.REVIEW: "yellow",
    Action.BLOCK: "red",
}
JUDGE_MS = "headgate-judge-ms"


def decision_table(
    decisions: Sequence[tuple[RiskDecision, Record]], dead_letters: Sequence[Record]
) -> Table:
    """Return a row for each decision, by content, and one for each dead letter."""
    table = Table(
        Column("content", no_wrap=True),
        *("action", "because", "top category", "evidence", "models", "ms"),
    )
    for decision, record in sorted(decisions, key=lambda d: d[0].content_id):
        style = STYLES.get(decision.action, "")
        table.add_row(
            as_text(decision.content_id),
            f"[{style}]{decision.action.lower()}[/]",
            as_text(decision.clause),
            _top(decision),
            _evidence(decision),
            _models(decision),
            _times(decision, record),
        )
    for record in dead_letters:
        origin, failure = parse_dead_letter(record.headers)
        where = f"{origin.topic}[{origin.partition}]"
        table.add_row(
            as_text(f"{where}@{origin.offset}"),
            "[magenta]dead letter[/]",
            as_text(f"{failure.stage}: {failure.reason}"),
            "–",
            f"{len(record.value or b'')} bytes, as they came",
            "–",
            "–",
        )
    return table


def _top_score(decision: RiskDecision) -> CategoryScore | None:
    known = [score for score in decision.categories if score.probability is not None]
    return max(known, key=lambda score: score.probability or 0.0, default=None)


def _top(decision: RiskDecision) -> str:
    top = _top_score(decision)
    return "–" if top is None else f"{top.category.lower()} {top.probability:.2f}"


def _evidence(decision: RiskDecision) -> str:
    """Return what carried the decision: a span, an anomaly, or what is missing."""
    subject = decision.clause.partition(".")[0].partition(":")[0]
    if decision.clause.startswith("missing"):
        lacks = (f"{m.signal}: {m.reason[:60]}" for m in decision.missing)
        return "\n".join(as_text(lack) for lack in lacks)
    for anomaly in decision.anomalies:
        if anomaly.name == subject:
            return as_text(anomaly.reason)
    top = _top_score(decision)
    if top is None or not top.evidence or decision.action == Action.ALLOW:
        return ""
    return as_text(_span(top.evidence[0]))


def _span(evidence: Evidence) -> str:
    if evidence.start_s is not None and evidence.end_s is not None:
        return f"{evidence.source} {evidence.start_s:.1f}–{evidence.end_s:.1f} s"
    if evidence.start_char is not None and evidence.end_char is not None:
        return f"{evidence.source} characters {evidence.start_char}–{evidence.end_char}"
    return f"{evidence.source}: {evidence.reason}"


def _models(decision: RiskDecision) -> str:
    """Return the models' names, without the banks: the evidence names those."""
    return "\n".join(as_text(m.name) for m in decision.models if m.role != "bank")


def _times(decision: RiskDecision, record: Record) -> str:
    times = [f"{as_text(time.stage)} {time.ms:.0f}" for time in decision.stage_times]
    judge_ms = dict(record.headers).get(JUDGE_MS, b"0").decode()
    return "\n".join([*times, f"judge {float(judge_ms):.0f}"])
