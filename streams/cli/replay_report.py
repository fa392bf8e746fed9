"""What a replay came to, for a person."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from streams.cli.terminal import as_text, output_console
from streams.replaying.report.counts import unanswered

SIZES = "uploader_sizes"
MOST_ROWS = 12  # Of each table; the summary file has the rest.


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a summary of either kind of replay."""
    console = output_console()
    console.print(summary["histories"])
    results = ", ".join(f"{n} {name}" for name, n in summary["results"].items())
    console.print(f"{summary['events']} records: {results or 'none'}")
    if summary["kind"] == "faithful":
        console.print(_verdict(summary))
    else:
        console.print(f"{summary['flips']} flips")
    for title, name in (
        ("flips", "actions"),
        ("flips by clause", "clauses"),
        ("flips by category", "categories"),
        ("flips by kind", "kinds"),
        ("differences", "reasons"),
    ):
        if summary[name]:
            console.print(_table(title, summary[name]))
    if summary["flips"]:
        for title, name in (("territory", "territories"), ("uploads known", SIZES)):
            console.print(_shares(title, summary["breakdowns"][name]))
    if only := summary["breakdowns"]["only_in_territories"]:
        console.print(f"changed in some territory only, which is no flip: {only}")
    console.print(f"results: {as_text(summary['out'])} (report.html shows them)")


def _verdict(summary: Mapping[str, Any]) -> str:
    if summary["equal"]:
        said = summary["results"].get("same", 0)
        return f"equal: all {said} decisions are the recorded bytes"
    first = summary["first_difference"]
    if first is None:
        return f"different: {unanswered(summary)}"
    return (
        f"different: first at partition {first['partition']}, offset {first['offset']}"
        f" (content {as_text(first['content_id'])}): {as_text(first['reason'])}"
    )


def _shares(title: str, groups: Mapping[str, Mapping[str, Any]]) -> Table:
    """Show how much of each group's final decisions flips."""
    table = Table(title, "decisions", "flips", "share [95 %]")
    rows = list(groups.items())
    for name, part in rows[:MOST_ROWS]:
        low, high = part["low"], part["high"]
        share = f"{part['share']:.2%} \\[{low:.2%}, {high:.2%}]"
        table.add_row(as_text(name), str(part["of"]), str(part["decisions"]), share)
    if rest := [part for _, part in rows[MOST_ROWS:]]:
        numbers = (sum(part[key] for part in rest) for key in ("of", "decisions"))
        table.add_row(f"({len(rest)} more)", *map(str, numbers), "")
    return table


def _table(title: str, counts: Mapping[str, int]) -> Table:
    table = Table(title, "uploads")
    rows = sorted(counts.items(), key=lambda row: -row[1])
    for name, count in rows[:MOST_ROWS]:
        table.add_row(as_text(name), str(count))
    if len(rows) > MOST_ROWS:
        rest = rows[MOST_ROWS:]
        table.add_row(f"({len(rest)} more)", str(sum(count for _, count in rest)))
    return table
