"""A replay's drawings: flows between actions, and the window's course."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from streams.pages.svg import line, rect, svg, text
from streams.replaying.report.counts import ACTIONS, BUCKETS, Counts, Span

WIDTH: Final = 480
HEIGHT: Final = 190  # Of a chart of the timeline.
LEFT, RIGHT, TOP, BOTTOM = 50, 6, 10, 24  # Room for the axes' labels.
NODE: Final = 12  # Width of an action's bar in the flows …
GAP: Final = 26  # … and the room between two of them, for their names.
FLOWS: Final = 220  # What all flows together are high.
SIDE: Final = 138  # Room for the names beside the bars.
YEAR_9999_MS: Final = 253_402_300_799_000  # The last that a datetime holds.
LEAST: Final = 1.5  # A flow so thin is still seen.


def flow_drawing(flows: Mapping[tuple[str, str], int]) -> str:
    """Draw the flips as flows from the action then (left) to the action now."""
    flips = {k: n for k, n in flows.items() if k[0] != k[1] and n}
    then, now = Counter[str](), Counter[str]()
    for (before, after), count in flips.items():
        then[before] += count
        now[after] += count
    height = FLOWS + GAP * max(len(then), len(now)) + 8
    parts = _flow_parts(flips, then, now)
    return svg(WIDTH, height, "flips from action to action", parts)


def _flow_parts(
    flips: Mapping[tuple[str, str], int], then: Counter[str], now: Counter[str]
) -> Iterator[str]:
    scale = FLOWS / max(sum(flips.values()), 1)
    left, right = SIDE, WIDTH - SIDE - NODE
    from_y, to_y = _tops(then, scale), _tops(now, scale)
    sides = ((then, from_y, left, "end"), (now, to_y, right, "start"))
    for counts, tops, x, anchor in sides:
        at = x - 6 if anchor == "end" else x + NODE + 6
        for action, top in tops.items():
            size = max(counts[action] * scale, LEAST)
            yield rect(action, x, top, NODE, size, f"{action}: {counts[action]:,}")
            yield text(at, top + 10, f"{spoken(action)} {counts[action]:,}", anchor)
    for before in from_y:
        for after in to_y:
            count = flips.get((before, after), 0)
            if not count:
                continue
            size = max(count * scale, LEAST)
            yield _flow(
                after,
                (left + NODE, from_y[before], right, to_y[after], size),
                f"{spoken(before)} to {spoken(after)}: {count:,}",
            )
            from_y[before] += size
            to_y[after] += size


def _tops(counts: Counter[str], scale: float) -> dict[str, float]:
    tops, y = {}, 4.0
    for action in (a for a in ACTIONS if counts[a]):
        tops[action] = y
        y += max(counts[action] * scale, LEAST) + GAP
    return tops


def _flow(kind: str, place: tuple[float, float, float, float, float], tip: str) -> str:
    x1, y1, x2, y2, size = place
    middle = (x1 + x2) / 2
    return (
        f'<path class="flow {kind}" d="M{x1:.1f} {y1:.1f}'
        f"C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
        f"v{size:.1f}C{middle:.1f} {y2 + size:.1f} {middle:.1f} {y1 + size:.1f} "
        f'{x1:.1f} {y1 + size:.1f}z"><title>{tip}</title></path>'
    )


def actions_by_time(buckets: Sequence[Mapping[str, int]], span: Span, name: str) -> str:
    """Draw decisions over the window as bars stacked by action, the hardest on top."""
    most = max((sum(bucket.values()) for bucket in buckets), default=0)

    def parts() -> Iterator[str]:
        yield from _axes(most, span)
        for number, bucket in enumerate(buckets):
            y = float(HEIGHT - BOTTOM)
            for action in ACTIONS:
                count = bucket.get(action, 0)
                if not count:
                    continue
                size = count / most * (HEIGHT - TOP - BOTTOM)
                y -= size
                tip = f"{clock(span.start_ms + number * span.bucket_ms)} "
                yield _bar(action, number, y, size, f"{tip}{spoken(action)}: {count:,}")

    return svg(WIDTH, HEIGHT, name, parts())


def flips_by_time(counts: Counts) -> str:
    """Draw flips over the window: stricter ones upwards, milder ones downwards."""
    up, down = counts.stricter_by_time, counts.milder_by_time
    most = max([*up.values(), *down.values(), 1])
    middle = TOP + (HEIGHT - TOP - BOTTOM) / 2
    half = middle - TOP

    def parts() -> Iterator[str]:
        for part, value in ((TOP, most), (middle, 0), (HEIGHT - BOTTOM, most)):
            kind = "base0" if value == 0 else "grid"
            yield line(kind, LEFT, part, WIDTH - RIGHT, part)
            yield text(LEFT - 5, part + 4, f"{value:,}", "end")
        yield from _times(counts.span)
        for number in range(BUCKETS):
            at = clock(counts.span.start_ms + number * counts.span.bucket_ms)
            size = up[number] / most * half
            if up[number]:
                tip = f"{at} stricter: {up[number]:,}"
                yield _bar("stricter", number, middle - size, size, tip)
            if down[number]:
                size = down[number] / most * half
                tip = f"{at} milder: {down[number]:,}"
                yield _bar("milder", number, middle, size, tip)

    return svg(WIDTH, HEIGHT, "flips over the window", parts())


def _bar(kind: str, number: int, y: float, size: float, tip: str) -> str:
    step = (WIDTH - LEFT - RIGHT) / BUCKETS
    return rect(kind, LEFT + number * step, y, max(step - 1, 1), size, tip)


def _axes(most: int, span: Span) -> Iterator[str]:
    for part in (0.0, 0.5, 1.0):
        y = HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
        yield line("grid", LEFT, y, WIDTH - RIGHT, y)
        if part != 0.5 or most > 1:
            yield text(LEFT - 5, y + 4, f"{part * most:,.0f}", "end")
    yield from _times(span)


def _times(span: Span) -> Iterator[str]:
    yield text(LEFT, HEIGHT - 6, clock(span.start_ms), "start")
    yield text(WIDTH - RIGHT, HEIGHT - 6, clock(span.end_ms), "end")


def clock(time_ms: int) -> str:
    """Write a time in ms since the epoch as date and second, UTC.

    Kafka lets a producer write any number; what no calendar has is its nearest.
    """
    time_s = min(max(time_ms, 0), YEAR_9999_MS) / 1000
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M:%S}"


def spoken(action: str) -> str:
    """Write an action as people say it."""
    return action.replace("_", " ")
