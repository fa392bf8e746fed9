"""A replay's page; everything that uploads, rules or paths brought in is escaped."""

from collections.abc import Collection, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

from streams.pages.frame import framed
from streams.replaying.lines import json_lines
from streams.replaying.report.cards import flip_cards
from streams.replaying.report.command import again
from streams.replaying.report.counts import (
    ACTIONS,
    Counts,
    Span,
    counted,
    unanswered,
)
from streams.replaying.report.drawings import (
    actions_by_time,
    clock,
    flips_by_time,
    flow_drawing,
    spoken,
)
from streams.replaying.report.flips import MOST_FLIPS, Flips, gathered
from streams.replaying.report.tables import (
    category_table,
    flow_table,
    kind_table,
    market_table,
    rule_table,
    shared,
    size_table,
    uploader_table,
)
from streams.replaying.request import Plan, Request

_INTERVALS = (
    "In brackets: Wilson's 95 % intervals, for what other uploads like these would do; "
    "of this window itself the counts are exact."
)


def write_report(
    folder: Path,
    request: Request,
    plan: Plan,
    summary: Mapping[str, Any],
    restricted: Collection[str],
) -> Counts:
    """Write report.html from a run's decisions.jsonl and flips.jsonl; return counts.

    Memory holds counts and the top flips. `restricted` are categories in lower case
    whose evidence is shown by its place alone.
    """
    span = Span(summary["first_ms"] or 0, summary["last_ms"] or 0)
    counts = counted(span, json_lines(folder / "decisions.jsonl"))
    flips = gathered(json_lines(folder / "flips.jsonl"))
    text = page(request, plan, summary, counts, flips, restricted)
    # A lone surrogate can't be written, and no page needs it.
    (folder / "report.html").write_text(text, "utf-8", errors="replace")
    return counts


def page(
    request: Request,
    plan: Plan,
    summary: Mapping[str, Any],
    counts: Counts,
    flips: Flips,
    restricted: Collection[str] = (),
) -> str:
    """Return the whole page."""
    body = [*_top(request, summary, counts), *_when(counts)]
    if counts.flips:
        body += [*_flows(counts), *_whom(counts), *_why(counts, flips)]
        body += [
            f'<section id="gravest"><h2>The {len(flips.top)} gravest flips</h2>',
            '<p class="about">Most steps between the actions first, then the surest. '
            "Evidence is named by its place in the upload. "
            f"{_more_flips(counts)}</p>",
            *flip_cards(flips.top, restricted),
            "</section>",
        ]
    body += [
        '<section id="again"><h2>To do it again</h2>',
        *again(request, plan, counts, flips),
        "</section>",
    ]
    return framed(f"Headgate replay {plan.id}", body, styles=("replay.css",))


def _top(request: Request, summary: Mapping[str, Any], counts: Counts) -> Iterator[str]:
    span = counts.span
    title = "What would have been decided" if request.is_what_if else "Decided again"
    yield f"<h1>{title}</h1><p>{_verdict(request, summary, counts)}</p>"
    yield f'<p class="soft">{clock(span.start_ms)} to {clock(span.end_ms)} UTC. '
    yield f"{escape(_capital(summary['histories']))}. {_left_out(counts)}</p>"
    links = [("when", "When")]
    if counts.flips:
        links += [("flows", "From what to what"), ("whom", "For whom")]
        links += [("why", "By which rules"), ("gravest", "The gravest flips")]
    links.append(("again", "To do it again"))
    shown = (f'<a href="#{key}">{name}</a>' for key, name in links)
    yield f"<nav>{''.join(shown)}</nav>"
    yield '<ul class="headline">'
    for count, name in (
        (counts.flips, "flips"),
        (counts.stricter, "to a stricter action"),
        (counts.milder, "to a milder action"),
    ):
        told = shared(count, counts.compared)
        yield f"<li><b>{count:,}</b><span>{name}</span><span>{told}</span></li>"
    yield f"<li><b>{counts.compared:,}</b><span>final decisions compared</span></li>"
    yield f'</ul><p class="soft">{_INTERVALS}</p>'


def _verdict(request: Request, summary: Mapping[str, Any], counts: Counts) -> str:
    if request.is_what_if:
        by = " and ".join(filter(None, (request.policy, request.heads)))
        return (
            f"All uploads of the window judged by <code>{escape(by)}</code>: "
            f"{counts.flips:,} of {counts.compared:,} final decisions have another "
            "action."
        )
    if summary.get("equal"):
        same = summary["results"].get("same", 0)
        return f"Equal: all {same:,} decisions are the recorded bytes."
    first = summary["first_difference"]
    if first is None:
        return f"Different: {unanswered(summary)}."
    return (
        f"Different: first at partition {first['partition']}, offset {first['offset']},"
        f" content <code>{escape(str(first['content_id']))}</code>: "
        f"{escape(first['reason'])}."
    )


def _left_out(counts: Counts) -> str:
    named = {
        "unknown": "without a recorded decision",
        "again": "repeats",
        "old": "from before what histories remember",
        "buried": "dead letters",
    }
    told = [f"{counts.results[r]:,} {n}" for r, n in named.items() if counts.results[r]]
    if counts.provisional:
        told.append(f"{counts.provisional:,} provisional, which final ones replaced")
    return f"Not compared: {', '.join(told)}." if told else "All were compared."


def _when(counts: Counts) -> Iterator[str]:
    yield '<section id="when"><h2>When</h2>'
    if not counts.compared:
        yield '<p class="unmeasured">Nothing could be compared.</p></section>'
        return
    bucket_s = counts.span.bucket_ms / 1000
    yield f'<p class="about">By the records\' own time; a bar is {bucket_s:,.4g} s.</p>'
    met = {action for flow in counts.flows for action in flow}
    key = (f'<span class="action {a}">{spoken(a)}</span>' for a in ACTIONS if a in met)
    yield f'<div class="actions">{"".join(key)}</div><div class="charts wide">'
    for title, buckets in (
        ("Decided then", counts.then_by_time),
        ("Decided now", counts.now_by_time),
    ):
        drawing = actions_by_time(buckets, counts.span, title.lower())
        yield f"<figure><h3>{title}</h3>{drawing}</figure>"
    if counts.flips:
        yield "<figure><h3>Flips: stricter above, milder below</h3>"
        yield f"{flips_by_time(counts)}</figure>"
    yield "</div></section>"


def _flows(counts: Counts) -> Iterator[str]:
    yield '<section id="flows"><h2>From what to what</h2><div class="charts wide">'
    yield "<figure><h3>Flips from the action then (left) to the action now</h3>"
    yield f"{flow_drawing(counts.flows)}</figure></div>"
    yield from flow_table(counts)
    yield "</section>"


def _whom(counts: Counts) -> Iterator[str]:
    yield '<section id="whom"><h2>For whom</h2>'
    yield from kind_table(counts)
    yield "<h3>Territories</h3>"
    yield f'<p class="about">A release in several counts in each. {_only_there(counts)}'
    yield "</p>"
    yield from market_table(counts)
    yield "<h3>Uploaders by how many of their uploads were known</h3>"
    yield from size_table(counts)
    yield "<h3>Uploaders with most flips</h3>"
    yield from uploader_table(counts)
    yield "</section>"


def _only_there(counts: Counts) -> str:
    number = counts.only_in_markets
    if not number:
        return ""
    return f"Changed in some territory only, which is no flip: {number:,}."


def _why(counts: Counts, flips: Flips) -> Iterator[str]:
    yield '<section id="why"><h2>By which rules</h2>'
    yield from rule_table(counts)
    yield "<h3>Flips by their likeliest category</h3>"
    yield from category_table(flips)
    yield "</section>"


def _more_flips(counts: Counts) -> str:
    more = counts.flips - MOST_FLIPS
    return f"{more:,} more are in flips.jsonl." if more > 0 else ""


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
