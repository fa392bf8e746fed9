"""Marks of inline SVG: classes carry the colours, so one drawing serves light and dark.

Lengths are in the viewBox's units, about a pixel each on a wide screen.
"""

from collections.abc import Iterable
from html import escape


def svg(width: float, height: float, label: str, parts: Iterable[str]) -> str:
    """Return one <svg> element; `label` says in words what it shows."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    """Return a straight line of a class."""
    return f'<path class="{kind}" d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}"/>'


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Return words that start, end or have their middle at a place."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
    )


def rect(kind: str, x: float, y: float, width: float, height: float, tip: str) -> str:
    """Return a rectangle of a class with a tip for the pointer."""
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.2f}" '
        f'height="{height:.2f}"><title>{escape(tip)}</title></rect>'
    )
