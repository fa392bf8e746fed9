"""How `headgate why` shows a story to a person."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from streams.cli.rule_groups import has_spoken, rule_groups
from streams.cli.terminal import as_text
from streams.cli.why_lines import (
    action,
    brake_lines,
    clock,
    event_lines,
    found_lines,
    history_lines,
    score_lines,
    spoken,
    today_lines,
    version_lines,
    word,
)
from streams.replay.story import CORRECTION

MOST_SILENT = 60  # Rules that asked for nothing; more are shown when asked for.
Story = Mapping[str, Any]


def print_stories(
    console: Console, content_id: str, stories: Sequence[Story], every: bool
) -> None:
    """Print each judgement in turn, and before them what counts now."""
    if not stories:
        return
    last = stories[-1]["decision"]
    if len(stories) > 1 and last is not None:
        console.print(
            f"[bold]{as_text(content_id)}[/] was judged or corrected {len(stories)} "
            f"times; the latest word: {word(last)}\n"
        )
    for story in stories:
        if story["result"] == CORRECTION:
            _print_correction(console, story)
        else:
            _print_judgement(console, story, every)


def _print_judgement(console: Console, story: Story, every: bool) -> None:
    event = story["event"]
    named = f"{as_text(event['content_id'])} revision {event['revision']}"
    whose = f"{spoken(event['kind'])} of {as_text(event['uploader_id'])}"
    console.print(f"[bold]── {named}[/], {whose} ──")
    console.print(_headline(story))
    console.print(_before(story))
    _print_rules(console, story, every)
    console.print(_after(story))
    console.print()


def _headline(story: Story) -> str:
    decision = story["decision"]
    place = f"partition {story['partition']}, offset {story['offset']}"
    signals = f"{story['stage']} signals of {clock(story['time_ms'])} at {place}"
    if decision is None:
        return f"nothing was decided; {signals}"
    kind = "provisional" if decision["provisional"] else "final"
    unsaid = "[yellow]no decision is recorded[/]; it would be "
    begin = unsaid if story["result"] == "unknown" else ""
    return f"{begin}{word(decision)}, {kind}; {signals}"


def _before(story: Story) -> Table:
    """Return what there was to judge by."""
    decision, grid = story["decision"], _grid()
    _add(grid, "event", event_lines(story["event"]))
    _add(grid, "found", found_lines(story["found"]), "nothing")
    lacks = story["missing"]
    if decision is not None:  # It names more, and what the policy says of each.
        lacks = [(one["signal"], one["reason"]) for one in decision["missing"]]
    missing = (f"[yellow]{as_text(name)}[/] {as_text(why)}" for name, why in lacks)
    _add(grid, "missing", missing, "nothing")
    _add(grid, "history", history_lines(story["history"]))
    if decision is not None:
        _add(grid, "by", version_lines(decision))
        _add(grid, "scores", score_lines(decision), "none")
    return grid


def _after(story: Story) -> Table:
    """Return what came of it, then and now."""
    decision, grid = story["decision"], _grid()
    if decision is not None:
        _add(grid, "brakes", brake_lines(decision), "held nothing")
        _add(grid, "decided", _decided(decision))
    told = story["reason"] or "the same bytes"
    _add(grid, "replayed", [f"{story['result']}: {as_text(told)}"])
    if story["today"] is not None:
        _add(grid, "today", today_lines(story["today"], decision))
    return grid


def _decided(decision: Mapping[str, Any]) -> Iterable[str]:
    yield word(decision)
    for market in decision["by_market"]:
        done = f"{action(market['action'])} because of {as_text(market['clause'])}"
        yield f"in {as_text(market['market'])}: {done}"
    if decision["supersedes"]:
        yield f"in the place of {decision['supersedes']}"
    yield f"decision {decision['decision_id']}"


def _print_rules(console: Console, story: Story, every: bool) -> None:
    rules = story["rules"]
    if rules is None:
        console.print(
            _named("rules", f"can't be told: {as_text(story['rules_untold'])}")
        )
        return
    silent = sum(not has_spoken(rule) for rule in rules)
    cut = 0 if every else max(0, silent - MOST_SILENT)
    shown = sorted(rules, key=has_spoken, reverse=True)[: len(rules) - cut]
    version = as_text(story["decision"]["policy"]["version"])
    told = f"{len(rules) - silent} of {len(rules)} of version {version} spoke"
    console.print(_named("rules", told))
    console.print(rule_groups(shown))
    if cut:
        console.print(f"  {cut} more that asked for nothing; --all shows them")


def _print_correction(console: Console, story: Story) -> None:
    decision = story["decision"]
    console.print(f"[bold]── corrected[/] at {clock(story['time_ms'])} ──")
    console.print(word(decision))
    grid = _grid()
    _add(grid, "by", version_lines(decision))
    _add(grid, "brakes", brake_lines(decision), "held nothing")
    _add(grid, "decided", _decided(decision))
    console.print(grid)
    console.print()


def _grid() -> Table:
    return Table.grid(Column(width=11, style="dim"), Column(overflow="fold"))


def _named(name: str, told: str) -> Table:
    grid = _grid()
    _add(grid, name, [told])
    return grid


def _add(grid: Table, name: str, lines: Iterable[str], none: str = "") -> None:
    """Add a section; `none` is said of an empty one."""
    for number, line in enumerate(list(lines) or ([none] if none else [])):
        grid.add_row("" if number else f"  {name}", line)
