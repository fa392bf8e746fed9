"""How `headgate policy` shows policies, tests and explanations."""

from collections.abc import Sequence
from typing import Any

from schemas.records import Action, Category
from streams.cli.decision_table import STYLES
from streams.cli.rule_groups import rule_groups
from streams.cli.terminal import as_text, complain, output_console, write_json
from streams.errors import PolicyError
from streams.judged_sources import JudgedSource
from streams.policies.cases import Outcome
from streams.policies.differences import shown_effect
from streams.policies.explaining import Explanation
from streams.policies.outward_maps import OutwardMap
from streams.policy import Policy, Verdict
from streams.policy_file import CheckedPolicy

_HASH_DIGITS = 12


def show_error(error: PolicyError, as_json: bool) -> None:
    """Say what is wrong with a policy, and where."""
    complain(str(error))
    if as_json:
        write_json({"ok": False, "error": str(error)})


def show_checked(checked: CheckedPolicy, tests: int, as_json: bool) -> None:
    """Say what a good policy has."""
    policy = checked.policy
    facts: dict[str, Any] = {
        "ok": True,
        "id": policy.id,
        "version": policy.version,
        "sha256": policy.sha256,
        "thresholds": len(policy.rules),
        "rules": len(policy.written),
        "tests": tests,
        "undecided": list(checked.undecided),
    }
    if as_json:
        write_json(facts)
        return
    console = output_console()
    console.print(
        f"{as_text(named(policy))}: [green]good[/], {count(len(policy.rules))} "
        f"thresholds, {count(len(policy.written))} rules, {count(tests)} tests"
    )
    if checked.undecided:
        shown = ", ".join(checked.undecided[:5])
        console.print(
            f"[yellow]not compared with every other rule, so perhaps shadowed: "
            f"{count(len(checked.undecided))} ({as_text(shown)})[/]"
        )


def show_outcomes(outcomes: Sequence[Outcome], as_json: bool) -> None:
    """Show the tests that failed, and how many didn't."""
    failed = [outcome for outcome in outcomes if outcome.wrong]
    if as_json:
        for outcome in outcomes:
            case, wrong = outcome.case, list(outcome.wrong)
            write_json({"test": case.name, "place": str(case.place), "wrong": wrong})
        return
    console = output_console()
    for outcome in failed:
        console.print(f"[red]failed[/] {as_text(outcome.case.name)}")
        console.print(f"  {as_text(str(outcome.case.place))}", style="dim")
        for difference in outcome.wrong:
            console.print(f"  {as_text(difference)}")
    if not outcomes:
        complain("no tests; put some into the folder tests/ of the policy's folder")
        return
    style = "red" if failed else "green"
    passed = len(outcomes) - len(failed)
    console.print(f"[{style}]{passed} of {len(outcomes)} tests passed[/]")


def show_unjudged(judged: JudgedSource, as_json: bool) -> None:
    """Say why a line has no decision."""
    why = str(judged.error) if judged.error else "judged before, in this same run"
    if as_json:
        write_json({"source": judged.name, "error": why})
    else:
        complain(why if why.startswith(judged.name) else f"{judged.name}: {why}")


def show_explanation(
    judged: JudgedSource,
    explanation: Explanation,
    maps: Sequence[OutwardMap],
    every: bool,
    as_json: bool,
) -> None:
    """Show an upload's decision and each rule's part in it."""
    decision, verdict = judged.decision, explanation.verdict
    assert decision is not None, "an upload that was judged has a decision"
    words = _outward(explanation, maps)
    if as_json:
        write_json(
            {
                "source": judged.name,
                "content_id": decision.content_id,
                "decision_id": decision.decision_id,
                "policy": {"id": decision.policy.id, "sha256": decision.policy.sha256},
                **verdict_json(verdict),
                "missing": {m.signal: m.reason for m in decision.missing},
                "rules": [trace.to_json() for trace in explanation.traces],
                "outward": words,
            }
        )
        return
    console = output_console()
    console.print(
        f"[bold]{as_text(decision.content_id)}[/] ({decision.kind.lower()}): "
        f"{styled(verdict.action, shown_effect(verdict.effect))} "
        f"because of {as_text(verdict.clause)}"
    )
    for market in verdict.by_market:
        effect = styled(market.effect.action, shown_effect(market.effect))
        because = as_text(market.clause)
        console.print(f"  in {as_text(market.market)}: {effect} because of {because}")
    for missing in decision.missing:
        console.print(f"  missing {as_text(missing.signal)}: {as_text(missing.reason)}")
    shown = [
        t for t in explanation.traces if every or t.outcome in ("fired", "unknown")
    ]
    if shown:
        console.print(rule_groups([trace.to_json() for trace in shown]))
    left_out = len(explanation.traces) - len(shown)
    if left_out:
        console.print(f"  {left_out} more rules did not fire; --all shows why")
    for name, called in words.items():
        console.print(f"  {as_text(name)} is to")
        for theirs, listed in called.items():
            console.print(as_text(f"    {theirs}: {', '.join(listed) or '–'}"))
    console.print()


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """Write a verdict for machines."""
    return {
        "action": verdict.action.lower(),
        "clause": verdict.clause,
        "fired": [fired.rule.id for fired in verdict.fired],
        "by_market": {
            market.market: market.effect.action.lower() for market in verdict.by_market
        },
    }


def _outward(
    explanation: Explanation, maps: Sequence[OutwardMap]
) -> dict[str, dict[str, list[str]]]:
    """Say what others call the categories that rules fired on."""
    fired = (trace for trace in explanation.traces if trace.outcome == "fired")
    names = {name for trace in fired for name in trace.categories}
    return {
        name: {m.id: list(m.ours[Category(name.upper())]) for m in maps}
        for name in sorted(names)
    }


def named(policy: Policy) -> str:
    """Name a policy by id, version and the first digits of its hash."""
    digits = policy.sha256[:_HASH_DIGITS]
    return f"{policy.id} version {policy.version} ({digits})"


def styled(action: Action, text: str) -> str:
    """Give a text its action's colour."""
    return f"[{STYLES.get(action, 'default')}]{text}[/]"


def count(number: int) -> str:
    """Write a number with its thousands apart."""
    return f"{number:,}"
