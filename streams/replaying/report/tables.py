"""A replay's tables: flows, rules, categories, kinds, territories, uploaders."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Final

from streams.proportion import Proportion
from streams.replay.groups import in_order
from streams.replaying.report.counts import ACTIONS, Counts
from streams.replaying.report.drawings import spoken
from streams.replaying.report.flips import Flips

MOST_ROWS: Final = 30  # Of a table; the rest is summed up in a row of its own.


def flow_table(counts: Counts) -> Iterator[str]:
    """Yield what was decided then (rows) and is now (columns)."""
    met = {action for flow in counts.flows for action in flow}
    actions = [action for action in ACTIONS if action in met]
    heads = [f"<th>{_action(a)}</th>" for a in actions]
    rows = []
    for before in actions:
        cells = [_flow_cell(counts, before, after) for after in actions]
        rows.append(f"<tr><th>{_action(before)}</th>{''.join(cells)}</tr>")
    yield from _scrolled("flow-table", ["<th>then, now →</th>", *heads], rows)


def _flow_cell(counts: Counts, before: str, after: str) -> str:
    count = counts.flows[before, after]
    kind = ' class="same"' if before == after else ""
    return f"<td{kind}>{f'{count:,}' if count else '·'}</td>"


def rule_table(counts: Counts) -> Iterator[str]:
    """Yield the clauses that decided, those that take part in most flips first."""
    rows = [
        (
            f"<code>{escape(clause)}</code>",
            f"{use.then:,}",
            f"{use.now:,}",
            _shared(use.lost, use.then),
            _shared(use.won, use.now),
        )
        for clause, use in sorted(
            counts.rules.items(), key=lambda r: (-(r[1].lost + r[1].won), r[0])
        )
    ]
    heads = ("clause", "decided then", "decides now", "flipped away", "flipped to it")
    yield from _table(heads, rows)


def category_table(flips: Flips) -> Iterator[str]:
    """Yield the flips by their likeliest category, with each one's share of all."""
    total = flips.stricter.total() + flips.milder.total()
    rows = [
        (
            escape(spoken(name)),
            f"{flips.stricter[name]:,}",
            f"{flips.milder[name]:,}",
            _shared(flips.stricter[name] + flips.milder[name], total),
        )
        for name in flips.categories
    ]
    yield from _table(("category", "stricter", "milder", "of all flips"), rows)


def kind_table(counts: Counts) -> Iterator[str]:
    """Yield the kinds of uploads, with the share that flipped."""
    yield from _split_table("kind", counts.kind_flips, counts.kinds)


def market_table(counts: Counts) -> Iterator[str]:
    """Yield the territories, with the share of their decisions that flipped there."""
    yield from _split_table("territory", counts.market_flips, counts.markets)


def size_table(counts: Counts) -> Iterator[str]:
    """Yield uploaders by how many uploads were known of them."""
    yield from _split_table("uploads known", counts.size_flips, counts.sizes)


def _split_table(
    head: str, flips: Mapping[str, int], all_of: Mapping[str, int]
) -> Iterator[str]:
    rows = [
        (escape(spoken(name)), f"{all_of[name]:,}", _shared(flips[name], all_of[name]))
        for name in in_order(flips, all_of)
    ]
    yield from _table((head, "decisions", "flipped"), rows)


def uploader_table(counts: Counts) -> Iterator[str]:
    """Yield the uploaders with most flips, with their share of all."""
    rows = [
        (f"<code>{escape(uploader)}</code>", _shared(count, counts.flips))
        for uploader, count in counts.uploader_flips.most_common(10)
    ]
    yield from _table(("uploader", "of all flips"), rows)


def shared(count: int, total: int) -> str:
    """Write a share as words: `12.0 % [10.1, 14.2]`; a dash of nothing."""
    part = Proportion(count, total)
    if part.share is None:
        return "–"
    low, high = part.interval
    return f"{percent(part.share)} % [{percent(low)}, {percent(high)}]"


def percent(part: float) -> str:
    """Write a part as percent, small ones with the digits that they need."""
    value = part * 100
    return f"{value:.3f}" if 0 < value < 0.1 else f"{value:.1f}"


def _shared(count: int, total: int) -> str:
    return f"{count:,}<small>{shared(count, total)}</small>" if total else "–"


def _action(action: str) -> str:
    return f'<span class="action {action}">{spoken(action)}</span>'


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    shown = [
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for row in rows[:MOST_ROWS]
    ]
    if len(rows) > MOST_ROWS:
        shown.append(
            f'<tr><td colspan="{len(heads)}" class="soft">{len(rows) - MOST_ROWS} more '
            "are in decisions.jsonl</td></tr>"
        )
    kind = "counts many" if len(heads) > 4 else "counts"
    yield from _scrolled(kind, [f"<th>{h}</th>" for h in heads], shown)


def _scrolled(kind: str, heads: Iterable[str], rows: Iterable[str]) -> Iterator[str]:
    yield f'<div class="scroll" tabindex="0"><table class="{kind}"><thead><tr>'
    yield from heads
    yield "</tr></thead><tbody>"
    yield from rows
    yield "</tbody></table></div>"
