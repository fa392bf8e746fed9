"""A policy's rules by what became of them; for `policy explain` and `why`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Column, Table

from streams.cli.terminal import as_text

MOST_ID_CHARS = 40  # Of the column; a longer id is folded.
_STYLES = {"fired": "red", "unknown": "yellow"}
_SILENT = {
    "unknown": "passed over, for what they read is unknown",
    "no": "not met",
    "not in force": "not in force at the upload's time",
    "elsewhere": "for other territories",
}
Rule = Mapping[str, Any]


def rule_groups(rules: Sequence[Rule]) -> RenderableType:
    """Return rules, as `Trace.to_json` writes them: those that spoke first.

    Each with what it asks for, what came of that, and the values that settled it.
    """
    wide = min(MOST_ID_CHARS, max((len(rule["id"]) for rule in rules), default=0))
    asks = max((len(rule["asks_for"]) for rule in rules), default=0)
    return Padding(Group(*_groups(rules, wide, asks)), (0, 0, 0, 2))


def has_spoken(rule: Rule) -> bool:
    """Say whether a rule asked for anything."""
    return rule["standing"] is not None


def _groups(rules: Sequence[Rule], wide: int, asks: int) -> Iterator[RenderableType]:
    if spoke := [rule for rule in rules if has_spoken(rule)]:
        yield Padding(_table(spoke, wide, asks), (0, 0, 0, 2))
    for outcome, heading in _SILENT.items():
        of_it = [r for r in rules if r["outcome"] == outcome and not has_spoken(r)]
        if of_it:
            yield f"[dim italic]{heading}[/]"
            yield Padding(_table(of_it, wide, asks), (0, 0, 0, 2))


def _table(rules: Sequence[Rule], wide: int, asks: int) -> Table:
    table = Table.grid(
        Column(width=wide, overflow="fold"),
        Column(width=asks, no_wrap=True),
        Column(overflow="fold"),
        padding=(0, 2, 0, 0),
    )
    for rule in rules:
        style = "bold" if has_spoken(rule) else "dim"
        name = f"[{style}]{as_text(rule['id'])}[/]"
        table.add_row(name, rule["asks_for"], _told(rule))
    return table


def _told(rule: Rule) -> str:
    why = as_text(rule["why"])
    if not has_spoken(rule):
        return why
    style, came_of_it = _STYLES[rule["outcome"]], as_text(rule["came_of_it"])
    return f"[{style}]{rule['outcome']}[/], {came_of_it}: {why}"
