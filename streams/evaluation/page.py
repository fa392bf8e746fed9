"""The scorecard as one HTML page that needs nothing else: no script, font or net."""

from collections.abc import Iterator, Sequence
from html import escape

from streams.evaluation.figures import BarChart, LineChart, Section
from streams.evaluation.page_tables import figure_table, target_table
from streams.evaluation.scorecard import Scorecard
from streams.evaluation.svg import drawn
from streams.pages.frame import framed


def page(card: Scorecard) -> str:
    """Return the whole page."""
    sections = (part for section in card.sections for part in _section(section))
    return framed("Headgate scorecard", [*_top(card), *sections])


def _top(card: Scorecard) -> Iterator[str]:
    yield "<h1>Headgate scorecard</h1>"
    targets = list(card.targets())
    met = sum(bool(figure.is_met) for _, figure in targets)
    yield (
        f"<p>{met} of {len(targets)} measured targets met. Every figure of text is out "
        "of fold: given by a head that never saw the text or its near copies. In "
        "brackets: 95 % bootstrap intervals over clusters of near copies.</p>"
    )
    yield (
        f'<p class="soft">Scores: {escape(card.made_by)}. Thresholds: policy '
        f"{escape(card.policy)}.{escape(_stale(card))}</p>"
    )
    links = (f'<a href="#{s.key}">{escape(s.title)}</a>' for s in card.sections)
    yield f"<nav>{''.join(links)}</nav>"
    yield "<h2>Targets</h2>"
    yield from target_table(card.sections)


def _stale(card: Scorecard) -> str:
    if card.is_of_shipped_head:
        return ""
    return (
        f" These scores belong to weights {card.head_sha256[:12] or 'of no name'}, "
        f"and shipped are {card.shipped_sha256[:12]}: make them anew."
    )


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{section.key}"><h2>{escape(section.title)}</h2>'
    if section.not_measured:
        yield (
            f'<p class="unmeasured">Not measured: {escape(section.not_measured)}</p>'
        )
    else:
        yield f'<p class="about">{escape(section.about)}</p>'
        yield from figure_table(section.figures)
        yield from _charts(section.charts)
    yield "</section>"


def _charts(charts: Sequence[LineChart | BarChart]) -> Iterator[str]:
    if not charts:
        return
    yield _key(charts)
    yield '<div class="charts">'
    for chart in charts:
        yield f"<figure><h3>{escape(chart.title)}</h3>{drawn(chart)}</figure>"
    yield "</div>"


def _key(charts: Sequence[LineChart | BarChart]) -> str:
    names = {
        series.name
        for chart in charts
        if isinstance(chart, LineChart)
        for series in chart.series
        if series.is_baseline
    }
    names |= {c.against_name for c in charts if isinstance(c, BarChart)}
    parts = ["<span>Headgate</span>"]
    parts += [f'<span class="base">{escape(n)}</span>' for n in sorted(names) if n]
    if any(isinstance(c, BarChart) and c.level is not None for c in charts):
        parts.append('<span class="guide">target</span>')
    lines = [chart for chart in charts if isinstance(chart, LineChart)]
    if any(chart.diagonal for chart in lines):
        parts.append('<span class="guide">perfectly calibrated, or chance</span>')
    elif any(chart.level is not None for chart in lines):
        parts.append('<span class="guide">chance</span>')
    return f'<div class="key">{"".join(parts)}</div>'
