"""The page's tables: targets by section, and a section's figures."""

from collections.abc import Iterator, Sequence
from html import escape

from streams.evaluation.figures import Against, Figure, Section

_MARKS = {
    True: '<span class="mark met">met</span>',
    False: '<span class="mark missed">missed</span>',
    None: "",
}
_HEADS = ("measure", "Headgate", "target", "", "rows", "beside")
_HEAD = "".join(f"<th>{head}</th>" for head in _HEADS)


def target_table(sections: Sequence[Section]) -> Iterator[str]:
    """Yield the figures that have a target, and what could not be measured."""
    yield f'<table class="figures"><thead><tr>{_HEAD}</tr></thead>'
    for section in sections:
        figures = [f for f in section.figures if f.target is not None]
        if not figures and not section.not_measured:
            continue
        link = f'<a href="#{section.key}">{escape(section.title)}</a>'
        yield f'<tbody><tr class="part"><th colspan="6">{link}</th></tr>'
        yield from (_row(figure) for figure in figures)
        if section.not_measured:
            yield (
                '<tr class="part"><td colspan="6" class="soft">'
                f'<span class="mark none">not measured</span> '
                f"{escape(section.not_measured)}</td></tr>"
            )
        yield "</tbody>"
    yield "</table>"


def figure_table(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield a section's figures; those with subjects as subjects by names."""
    plain = [figure for figure in figures if not figure.subject]
    if plain:
        yield f'<table class="figures"><thead><tr>{_HEAD}</tr></thead><tbody>'
        yield from (_row(figure) for figure in plain)
        yield "</tbody></table>"
    if len(plain) < len(figures):
        yield from _matrix([figure for figure in figures if figure.subject])


def _matrix(figures: Sequence[Figure]) -> Iterator[str]:
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    names = list(dict.fromkeys(figure.name for figure in figures))
    cells = {(figure.subject, figure.name): figure for figure in figures}
    yield '<div class="scroll" tabindex="0"><table class="matrix"><thead><tr><th></th>'
    yield "".join(f"<th>{escape(name)}</th>" for name in names)
    yield "</tr></thead><tbody>"
    for subject in subjects:
        rows = next(f for f in figures if f.subject == subject)
        size = f"{rows.n:,} rows" if rows.n is not None else ""
        if rows.positives is not None:
            size += f", {rows.positives:,} positive"
        yield f"<tr><th>{escape(subject)}<small>{size}</small></th>"
        for name in names:
            figure = cells.get((subject, name))
            yield "<td></td>" if figure is None else f"<td>{_cell(figure)}</td>"
        yield "</tr>"
    yield "</tbody></table></div>"


def _cell(figure: Figure) -> str:
    mark = ""
    if figure.target is not None:
        kind = "met" if figure.is_met else "missed"
        mark = f' <span class="mark {kind}">{escape(str(figure.target))}</span>'
    beside = "".join(
        f"<small>{escape(other.name)} {_number(other.value, figure)}</small>"
        for other in figure.against
    )
    return f"{_value(figure, mark)}{beside}"


def _row(figure: Figure) -> str:
    target = "" if figure.target is None else escape(str(figure.target))
    note = f"<small>{escape(figure.note)}</small>" if figure.note else ""
    return (
        f'<tr><td class="name">{escape(figure.title)}{note}</td>'
        f'<td class="value">{_value(figure)}</td><td class="target">{target}</td>'
        f"<td>{_MARKS[figure.is_met]}</td>"
        f'<td class="rows">{_rows(figure)}</td>'
        f'<td class="beside">{_against(figure)}</td></tr>'
    )


def _value(figure: Figure, mark: str = "") -> str:
    found = figure.estimate
    if found.value is None:
        return f"–{mark}<small>not defined: {escape(found.why_not)}</small>"
    text = _number(found.value, figure)
    if found.low is None or found.high is None:
        return f"{text}{mark}<small>{escape(found.why_not)}</small>"
    low, high = _number(found.low, figure), _number(found.high, figure)
    return f'{text}{mark}<small class="interval">({low}–{high})</small>'


def _number(value: float, figure: Figure) -> str:
    return f"{value:,.{figure.decimals}f}"


def _rows(figure: Figure) -> str:
    if figure.n is None:
        return ""
    if figure.positives is None:
        return f"{figure.n:,}"
    return f"{figure.n:,}<small>{figure.positives:,} positive</small>"


def _against(figure: Figure) -> str:
    """Return the others' figures, those on the same thing together."""
    by_basis: dict[str, list[Against]] = {}
    for other in figure.against:
        by_basis.setdefault(other.on, []).append(other)
    parts = []
    for basis, others in by_basis.items():
        start = f"<small>on {escape(basis)}:</small> " if basis else ""
        said = ", ".join(f"{escape(o.name)} {_number(o.value, figure)}" for o in others)
        parts.append(f"<div>{start}{said}</div>")
    return "".join(parts)
