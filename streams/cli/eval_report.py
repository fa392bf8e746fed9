"""The scorecard as a table on a terminal, and the files it is written to."""

import json
from collections.abc import Iterator
from pathlib import Path

from rich.table import Column, Table
from rich.text import Text

from streams.errors import StartError
from streams.evaluation.figures import Figure, Section
from streams.evaluation.page import page
from streams.evaluation.scorecard import Scorecard, as_json

_MARKS = {True: ("met", "green"), False: ("missed", "red"), None: ("", "")}


def scorecard_table(card: Scorecard) -> Table:
    """Return every figure with its interval, target and the best of the others."""
    table = Table(
        Column("measure"),
        Column("Headgate", justify="right", no_wrap=True),
        Column("interval", no_wrap=True),
        Column("target", justify="right", no_wrap=True),
        Column("", no_wrap=True),
        Column("rows", justify="right", no_wrap=True),
        Column("beside"),
    )
    for section in card.sections:
        for row in _rows(section):
            table.add_row(*row)
        table.add_section()
    return table


def write_scorecard(card: Scorecard, json_path: Path, page_path: Path) -> None:
    """Write scorecard.json and the page.

    Raises:
        StartError: a file can't be written.
    """
    text = json.dumps(as_json(card), indent=2, ensure_ascii=False, allow_nan=False)
    for path, content in ((json_path, text + "\n"), (page_path, page(card))):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        except OSError as error:
            raise StartError(
                f"{path} can't be written: {error.strerror}; name another place"
            ) from error


def _rows(section: Section) -> Iterator[tuple[Text | str, ...]]:
    yield (Text(section.title, "bold"), *[""] * 6)
    if section.not_measured:
        yield (f"not measured: {section.not_measured}", *[""] * 6)
    for figure in section.figures:
        word, style = _MARKS[figure.is_met]
        yield (
            f"  {figure.title}",
            value_text(figure),
            interval_text(figure),
            "" if figure.target is None else str(figure.target),
            Text(word, style),
            "" if figure.n is None else f"{figure.n:,}",
            ", ".join(f"{other.name} {other.value:.3g}" for other in figure.against),
        )


def value_text(figure: Figure) -> str:
    """Return the value, or that it is not defined."""
    value = figure.estimate.value
    return "not defined" if value is None else f"{value:.{figure.decimals}f}"


def interval_text(figure: Figure) -> str:
    """Return the interval, or why there is none."""
    found = figure.estimate
    if found.low is None or found.high is None:
        return found.why_not
    return f"{found.low:.{figure.decimals}f}–{found.high:.{figure.decimals}f}"
