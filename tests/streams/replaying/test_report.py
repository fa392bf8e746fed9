"""A replay's report as a browser shows it, and what it counts."""

import json
import random
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from schemas.records import (
    Action,
    Category,
    CategoryScore,
    Evidence,
    FiredRule,
    Kind,
    Missing,
    ModelUse,
    PolicyRef,
)
from streams.replay.outcome import Outcome, flip_line, outcome_line
from streams.replay.tally import Tally
from streams.replaying.ranges import Range
from streams.replaying.report.counts import BUCKETS, counted, span_of_lines
from streams.replaying.report.drawings import clock, flow_drawing
from streams.replaying.report.flips import MOST_FLIPS, gathered
from streams.replaying.report.page import write_report
from streams.replaying.report.shares import Share
from streams.replaying.request import Part, Plan, Request
from streams.replaying.results import summary_of
from streams.replaying.state import Facts
from tests.builders import a_decision, signals

NASTY = '<script>alert("x")</script>'
PLAN = Plan("r1", "beginning", (Part(Range("content.signals.v1", 0, 0, 900), 0),), ())
WHAT_IF = Request(policy=f"/tmp/{NASTY}.yaml")
POLICIES = PolicyRef("p", "1", "5e" * 32), PolicyRef("p", NASTY, "6f" * 32)


def an_outcome(n, then, now, provisional=False, **fields):
    """Build the outcome of the n-th upload."""
    upload = signals(
        f"{NASTY}{n}", uploader_id=f"{NASTY}u{n % 7}", kind=list(Kind)[n % 3]
    )
    span = Evidence("title", f"reads {NASTY}", 3, 17, score=0.71)
    decisions = [
        a_decision(
            upload,
            action=action,
            clause=f"hate.{action.lower()}>=0.9 {NASTY}",
            categories=(CategoryScore(Category.HATE, n / 1000, (span,)),),
            rules=(FiredRule(f"hate.{NASTY}", "1.2", action),),
            missing=(Missing(f"text:{NASTY}", "not_found"),),
            models=(ModelUse("text_risk", NASTY, "aa" * 32),),
            policy=policy,
            provisional=provisional,
            **fields,
        )
        for action, policy in zip((then, now), POLICIES, strict=True)
    ]
    result = "same" if then is now else "different"
    return Outcome(0, n, 1_700_000_000_000 + n * 4000, upload, result, *decisions)


def outcomes(count=900):
    """Make a window in which one of six decisions flips, from anything to anything."""
    rng, actions = random.Random(3), list(Action)[:6]
    for n in range(count):
        then = now = rng.choices(actions, (80, 2, 2, 3, 8, 5))[0]
        if rng.random() < 1 / 6:
            now = rng.choice(actions)
        yield an_outcome(n, then, now)


def written(folder, made, request=WHAT_IF, restricted=()):
    """Write a run's result files and its report; return its path."""
    made, tally = list(made), Tally()
    for outcome in made:
        tally.add(outcome)
    lines = [json.dumps(outcome_line(o)) for o in made]
    flips = [json.dumps(flip_line(o)) for o in made if o.is_flip]
    (folder / "decisions.jsonl").write_text("".join(f"{x}\n" for x in lines))
    (folder / "flips.jsonl").write_text("".join(f"{x}\n" for x in flips))
    summary = summary_of(request, PLAN, [replace(Facts(0), tally=tally)])
    write_report(folder, request, PLAN, summary, restricted)
    return folder / "report.html"


def test_nothing_of_an_upload_or_a_path_becomes_markup(tmp_path):
    """Content, uploader, clause, rule, reason, model, version and path are escaped."""
    text = written(tmp_path, outcomes()).read_text()

    assert "<script" not in text
    for word in ("&gt;u3", "reads &lt;script", "hate.&lt;script", "tmp/&lt;script"):
        assert word in text


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_a_file_with_no_request_and_no_error(
    browser, tmp_path, width, scheme
):
    """Readable at both widths: the page itself never scrolls sideways."""
    path = written(tmp_path, outcomes())
    said, asked = [], []
    view = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme
    )
    view.on("console", lambda message: said.append(message.text))
    view.on("pageerror", lambda error: said.append(str(error)))
    view.on("dialog", lambda dialog: said.append(dialog.message))
    view.on("request", lambda request: asked.append(request.url))

    view.goto(path.as_uri())
    view.screenshot(path=tmp_path / "page.png", full_page=True)
    wide = view.evaluate("document.documentElement.scrollWidth")
    cards = view.locator(".flips li").count()
    view.close()

    assert (said, asked) == ([], [path.as_uri()])
    assert wide <= width
    assert cards == MOST_FLIPS


def test_the_gravest_flips_come_first(tmp_path):
    """Steps between the actions, then how sure; provisional ones don't count."""
    made = [
        an_outcome(1, Action.ALLOW, Action.REVIEW),
        an_outcome(2, Action.BLOCK, Action.ALLOW),
        an_outcome(3, Action.ALLOW, Action.BLOCK),
        an_outcome(4, Action.ALLOW, Action.BLOCK, provisional=True),
    ]

    flips = gathered(flip_line(outcome) for outcome in made)

    assert [line["offset"] for line in flips.top] == [3, 2, 1]
    assert (flips.stricter, flips.milder) == ({"hate": 2}, {"hate": 1})


def test_counts_are_of_final_decisions():
    """By action, kind, clause, uploader and time; provisional ones stand apart."""
    made = [
        an_outcome(0, Action.ALLOW, Action.ALLOW),
        an_outcome(1, Action.ALLOW, Action.BLOCK),
        an_outcome(2, Action.BLOCK, Action.ALLOW),
        an_outcome(3, Action.ALLOW, Action.BLOCK, provisional=True),
    ]
    lines = [outcome_line(outcome) for outcome in made]

    counts = counted(span_of_lines(lines), lines)

    assert (counts.compared, counts.stricter, counts.milder) == (3, 1, 1)
    assert (counts.records, counts.provisional) == (4, 1)
    assert counts.flows["allow", "block"] == 1
    used = counts.rules[f"hate.allow>=0.9 {NASTY}"]
    assert (used.then, used.now, used.lost, used.won) == (2, 2, 1, 1)
    assert [bool(b) for b in counts.then_by_time].count(True) == 3
    assert len(counts.then_by_time) == BUCKETS


def test_a_faithful_and_an_empty_replay_have_a_page_too(tmp_path):
    """Equal is said, and that nothing could be compared."""
    same = [an_outcome(n, Action.ALLOW, Action.ALLOW) for n in range(3)]

    assert "Equal: all 3" in written(tmp_path, same, Request()).read_text()
    assert "Nothing could be compared" in written(tmp_path, []).read_text()


def test_of_a_restricted_category_the_place_is_all(tmp_path):
    """The reason, which may name a bank's entry, is left out."""
    made = [an_outcome(1, Action.ALLOW, Action.BLOCK)]

    shown = written(tmp_path, made).read_text()
    hidden = written(tmp_path, made, restricted={"hate"}).read_text()

    assert "reads &lt;" in shown
    assert "reads &lt;" not in hidden
    assert "characters 3–17" in hidden


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_a_share_has_wilsons_interval(count, total, low, high):
    """The published figures of the method."""
    assert Share(count, total).interval == pytest.approx((low, high), abs=1e-4)


def test_the_flows_are_well_formed():
    """One svg element, with what it shows in words."""
    root = ET.fromstring(flow_drawing({("allow", "block"): 3, ("allow", "allow"): 9}))

    assert root.get("aria-label") == "flips from action to action"
    assert len(root.findall("path")) == 1


@pytest.mark.parametrize(
    ("time_ms", "said"),
    [(-1, "1970-01-01 00:00:00"), (2**62, "9999-12-31 23:59:59")],
)
def test_a_time_of_no_calendar_breaks_no_page(time_ms, said):
    """Records carry whatever a producer wrote."""
    assert clock(time_ms) == said
