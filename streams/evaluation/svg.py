"""Charts as inline SVG: no script, no font from elsewhere, colours from the page."""

from collections.abc import Callable, Iterator
from html import escape
from typing import Final

from streams.evaluation.figures import Bar, BarChart, LineChart, Series
from streams.pages.svg import line, svg, text

WIDTH: Final = 320
HEIGHT: Final = 232
LEFT, RIGHT, TOP, BOTTOM = 48, 10, 8, 36  # Room for the axes' labels.
ROW: Final = 31  # Height of a bar's row: its name, and below it the bar.
BAR: Final = 8
NUMBERS: Final = 34  # Room right of the bars for their numbers.
_FIVE: Final = (0.0, 0.25, 0.5, 0.75, 1.0)

Scale = Callable[[float], float]  # From a value to its place.


def drawn(chart: LineChart | BarChart) -> str:
    """Return the chart as one <svg> element."""
    if isinstance(chart, BarChart):
        return _bars(chart)
    return _lines(chart)


def _lines(chart: LineChart) -> str:
    return svg(WIDTH, HEIGHT, chart.title, _line_parts(chart))


def _line_parts(chart: LineChart) -> Iterator[str]:
    def x(value: float) -> float:
        low, high = chart.x_range
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        low, high = chart.y_range
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    yield from _y_axis(chart, x, y)
    yield from _x_axis(chart, x, y)
    low, high = chart.x_range
    if chart.diagonal:
        yield line("guide", x(0), y(0), x(1), y(1))
    if chart.level is not None:
        yield line("guide", x(low), y(chart.level), x(high), y(chart.level))
    # Ours last, so that it lies above.
    for series in sorted(chart.series, key=lambda s: not s.is_baseline):
        yield _path(series, x, y, dots=chart.diagonal or bool(chart.x_ticks))


def _y_axis(chart: LineChart, x: Scale, y: Scale) -> Iterator[str]:
    low, high = chart.y_range
    for part in _FIVE:
        value = low + part * (high - low)
        yield line("grid", LEFT, y(value), WIDTH - RIGHT, y(value))
        yield text(LEFT - 5, y(value) + 3.5, f"{value:g}", "end")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield (
        f'<text x="10" y="{middle:g}" text-anchor="middle" '
        f'transform="rotate(-90 10 {middle:g})">{escape(chart.y_label)}</text>'
    )


def _x_axis(chart: LineChart, x: Scale, y: Scale) -> Iterator[str]:
    low, high = chart.x_range
    even = [(low + part * (high - low), "") for part in _FIVE]
    for value, name in chart.x_ticks or even:
        anchor = "end" if value == high else "middle"
        yield text(x(value), HEIGHT - BOTTOM + 14, name or f"{value:g}", anchor)
    yield text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, chart.x_label, "middle")


def _path(series: Series, x: Scale, y: Scale, *, dots: bool) -> str:
    points = [(x(a), y(b)) for a, b in zip(series.xs, series.ys, strict=True)]
    kind = "base" if series.is_baseline else "ours"
    path = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
    marks = "".join(
        f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>'
        for a, b in points
        if dots
    )
    return (
        f'<polyline class="{kind}" points="{path}">'
        f"<title>{escape(series.name)}</title></polyline>{marks}"
    )


def _bars(chart: BarChart) -> str:
    height = TOP + ROW * len(chart.bars) + 22
    return svg(WIDTH, height, chart.title, _bar_parts(chart, height))


def _bar_parts(chart: BarChart, height: float) -> Iterator[str]:
    low, high = chart.x_range

    def x(value: float) -> float:
        return 2 + (value - low) / (high - low) * (WIDTH - NUMBERS - 2)

    bottom = height - 18
    for part in _FIVE:
        value = low + part * (high - low)
        yield line("grid", x(value), TOP, x(value), bottom)
        anchor = "start" if part == 0 else "middle"
        yield text(x(value), height - 5, f"{value:g}", anchor)
    if chart.level is not None:
        yield line("guide", x(chart.level), TOP, x(chart.level), bottom)
    for row, bar in enumerate(chart.bars):
        yield from _bar(bar, TOP + ROW * row, x, chart.against_name)


def _bar(bar: Bar, top: float, x: Scale, against: str) -> Iterator[str]:
    yield text(x(0), top + 15, bar.name, "start")
    middle = top + 24
    width = max(x(bar.value) - x(0), 0.5)
    yield (
        f'<rect class="ours" x="{x(0):.1f}" y="{middle - BAR / 2:.1f}" '
        f'width="{width:.1f}" height="{BAR}" rx="1.5"/>'
    )
    if bar.low is not None and bar.high is not None:
        yield line("interval", x(bar.low), middle, x(bar.high), middle)
    if bar.against is not None:
        yield (
            f'<path class="base" d="M{x(bar.against):.1f} {middle - 6:.1f}v12">'
            f"<title>{escape(against)} {bar.against:.3f}</title></path>"
        )
    yield text(WIDTH - 1, middle + 4, f"{bar.value:.2f}", "end")
