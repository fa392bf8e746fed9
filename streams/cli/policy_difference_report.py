"""How `headgate policy diff` shows what two policies differ in."""

from collections.abc import Iterator, Sequence

from rich.table import Column, Table

from streams.cli.policy_report import count, named, styled, verdict_json
from streams.cli.terminal import as_text, output_console, write_json
from streams.policies.differences import Differences, Flips, shown_effect
from streams.policy import Policy
from streams.rules.rule import WrittenRule


def show_differences(
    before: Policy,
    after: Policy,
    found: Differences,
    flips: Flips | None,
    most: int,
    as_json: bool,
) -> None:
    """Show what differs, and what would be decided otherwise."""
    if as_json:
        write_json(_differences(before, after, found, flips, most))
        return
    console = output_console()
    console.print(f"[red]-[/] {as_text(named(before))}")
    console.print(f"[green]+[/] {as_text(named(after))}")
    for rule in found.removed:
        console.print(f"[red]- {as_text(rule.id)}[/]: {as_text(_rule(rule))}")
    for rule in found.added:
        console.print(f"[green]+ {as_text(rule.id)}[/]: {as_text(_rule(rule))}")
    for change in found.changed:
        console.print(f"[yellow]~ {as_text(change.rule_id)}[/]")
        for key, old, new in change.keys:
            console.print(f"    {key}: {as_text(old or '–')} → {as_text(new or '–')}")
    for key, old, new in found.settings:
        changed = f"{as_text(old or '–')} → {as_text(new or '–')}"
        console.print(f"[yellow]~ {as_text(key)}[/]: {changed}")
    if not found.any:
        console.print("the rules are the same")
    if flips is not None:
        _print_flips(flips, most)


def _print_flips(flips: Flips, most: int) -> None:
    console = output_console()
    share = f" ({flips.flipped / flips.decided:.1%})" if flips.decided else ""
    console.print(
        f"{count(flips.flipped)} of {count(flips.decided)} decisions change{share}"
    )
    for (old, new), uploads in flips.flows.most_common():
        flow = f"{styled(old, old.lower())} → {styled(new, new.lower())}"
        console.print(f"  {uploads:>6} {flow}")
    if not flips.named[:most]:
        return
    table = Table(Column("content", no_wrap=True), "before", "after", "because")
    for flip in flips.named[:most]:
        effects = [shown_effect(v.effect) for v in (flip.before, flip.after)]
        table.add_row(
            as_text(flip.content_id),
            styled(flip.before.action, effects[0]),
            styled(flip.after.action, effects[1]),
            as_text(f"{flip.before.clause} → {flip.after.clause}"),
        )
    console.print(table)
    if flips.flipped > most:
        console.print(f"{flips.flipped - most} more; --most names as many as it says")


def _differences(
    before: Policy, after: Policy, found: Differences, flips: Flips | None, most: int
) -> dict[str, object]:
    line: dict[str, object] = {
        "before": {"id": before.id, "version": before.version, "sha256": before.sha256},
        "after": {"id": after.id, "version": after.version, "sha256": after.sha256},
        "added": [rule.id for rule in found.added],
        "removed": [rule.id for rule in found.removed],
        "changed": {c.rule_id: list(_pairs(c.keys)) for c in found.changed},
        "settings": list(_pairs(found.settings)),
    }
    if flips is None:
        return line
    flows = {f"{o.lower()} → {n.lower()}": c for (o, n), c in flips.flows.items()}
    named = [
        {
            "content_id": flip.content_id,
            "before": verdict_json(flip.before),
            "after": verdict_json(flip.after),
        }
        for flip in flips.named[:most]
    ]
    counts = {"decided": flips.decided, "flipped": flips.flipped, "flows": flows}
    return {**line, **counts, "flips": named}


def _pairs(keys: Sequence[tuple[str, str, str]]) -> Iterator[dict[str, str]]:
    for key, old, new in keys:
        yield {"key": key, "before": old, "after": new}


def _rule(rule: WrittenRule) -> str:
    return f"{shown_effect(rule.effect)} when {rule.condition}"
