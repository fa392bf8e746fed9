"""The page as a browser shows it: nothing loaded, nothing said, nothing cut off."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from streams.evaluation.figures import (
    Against,
    Bar,
    BarChart,
    Estimate,
    Figure,
    LineChart,
    Section,
    Series,
    Target,
)
from streams.evaluation.page import page
from streams.evaluation.scorecard import Scorecard
from streams.evaluation.svg import drawn
from tests.page_view import opened

NASTY = '<script>alert("x")</script>'
LINES = LineChart(
    f"Lines {NASTY}",
    "recall",
    "precision",
    (Series("Headgate", [0.0, 0.5, 1.0], [1.0, 0.8, 0.2]),),
    level=0.2,
)
BARS = BarChart("Bars", [Bar("F20 a long name of a kind", 0.7, 0.6, 0.8, 0.3)], 0.75)


def a_card() -> Scorecard:
    """Build a scorecard with one of everything."""
    figures = [
        Figure(
            "average precision",
            Estimate(0.9, 0.8, 0.95),
            100,
            20,
            Target(0.85),
            [Against("other", 0.5, "all rows"), Against(NASTY, 0.4)],
            subject=subject,
            note="a note",
        )
        for subject in ("", "hate", "self harm")
    ]
    figures.append(Figure("AUC", Estimate(None, why_not="no positive"), 5, 0))
    missed = Figure("recall", Estimate(0.2, 0.1, 0.3), 9, target=Target(0.9))
    return Scorecard(
        [
            Section("one", f"One {NASTY}", "About.", figures, (LINES, BARS)),
            Section("two", "Two", "About.", [missed]),
            Section("three", "Three", not_measured=f"no data: {'long' * 40}"),
        ],
        "a test",
        "aa",
        "bb",
        "policy 1",
    )


def test_the_page_says_met_missed_and_not_measured():
    """And that its scores belong to other weights than the shipped."""
    text = page(a_card())

    assert "3 of 4 measured targets met" in text
    for word in ("met</span>", "missed</span>", "not measured", "make them anew"):
        assert word in text
    assert "no positive" in text


def test_names_can_not_become_markup():
    """Slices and titles come from files."""
    assert "<script" not in page(a_card())


@pytest.mark.parametrize("chart", [LINES, BARS])
def test_a_chart_is_well_formed(chart):
    """One svg element, with what it shows in words."""
    root = ET.fromstring(drawn(chart))

    assert root.tag == "svg"
    assert root.get("aria-label") == chart.title


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_a_file_with_no_request_and_no_error(
    browser, tmp_path: Path, width: int, scheme: str
):
    """Readable at both widths: the page itself never scrolls sideways."""
    path = tmp_path / "scorecard.html"
    path.write_text(page(a_card()), encoding="utf-8")

    with opened(browser, path, width, scheme) as found:
        wide = found.wide
        ground = found.view.evaluate("getComputedStyle(document.body).backgroundColor")

    assert (found.said, found.asked) == ([], [path.as_uri()])
    assert wide <= width
    assert (ground == "rgb(20, 23, 26)") == (scheme == "dark")
