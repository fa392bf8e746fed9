"""A replay's report as a browser shows it, and what it counts."""

import json
import random
import re
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
    MarketAction,
    Missing,
    ModelUse,
    PolicyRef,
)
from streams.cli.replay_report import print_summary
from streams.proportion import Proportion
from streams.replay.groups import ANYWHERE
from streams.replay.groups import UNKNOWN_SIZE as UNKNOWN
from streams.replay.outcome import Outcome, flip_line, outcome_line
from streams.replay.tally import Tally
from streams.replaying.ranges import Range
from streams.replaying.report.counts import (
    BUCKETS,
    Span,
    breakdowns,
    counted,
)
from streams.replaying.report.drawings import clock, flow_drawing
from streams.replaying.report.flips import MOST_FLIPS, gathered
from streams.replaying.report.page import write_report
from streams.replaying.report.tables import shared
from streams.replaying.request import Part, Plan, Request
from streams.replaying.results import summary_of
from streams.replaying.state import Facts
from tests.builders import a_decision, signals
from tests.page_view import opened

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

    with opened(browser, path, width, scheme) as page:
        wide = page.wide
        cards = page.view.locator(".flips li").count()

    assert (page.said, page.asked) == ([], [path.as_uri()])
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


def span_of(lines):
    """Return from when to when lines in order are."""
    return Span(lines[0]["time_ms"], lines[-1]["time_ms"])


def test_counts_are_of_final_decisions():
    """By action, kind, clause, uploader and time; provisional ones stand apart."""
    made = [
        an_outcome(0, Action.ALLOW, Action.ALLOW),
        an_outcome(1, Action.ALLOW, Action.BLOCK),
        an_outcome(2, Action.BLOCK, Action.ALLOW),
        an_outcome(3, Action.ALLOW, Action.BLOCK, provisional=True),
    ]
    lines = [outcome_line(outcome) for outcome in made]

    counts = counted(span_of(lines), lines)

    assert (counts.compared, counts.stricter, counts.milder) == (3, 1, 1)
    assert (counts.records, counts.provisional) == (4, 1)
    assert counts.flows["allow", "block"] == 1
    used = counts.rules[f"hate.allow>=0.9 {NASTY}"]
    assert (used.then, used.now, used.lost, used.won) == (2, 2, 1, 1)
    assert [bool(b) for b in counts.then_by_time].count(True) == 3
    assert len(counts.then_by_time) == BUCKETS


def a_release(n, then, now, territories, uploads, by_market=((), ())):
    """Build an outcome somewhere, of an uploader of some size; says who differs."""
    made = an_outcome(n, then, now)
    event = replace(made.signals.event, territories=territories)
    markets = [
        tuple(MarketAction(market, action, "c") for market, action in one)
        for one in by_market
    ]
    return replace(
        made,
        signals=replace(made.signals, event=event),
        then=replace(made.then, by_market=markets[0]),
        now=replace(made.now, by_market=markets[1]),
        uploads=uploads,
    )


def releases():
    """Make a window over territories, some of which a rule tells apart."""
    allow, block = Action.ALLOW, Action.BLOCK
    return [
        a_release(0, allow, block, ("DE", "FR"), 0),
        # Blocked in general, but not in Germany, then and now.
        a_release(1, allow, block, ("DE", "US"), 5, ((), (("DE", allow),))),
        # The same in general, another word in Germany.
        a_release(2, allow, allow, ("DE",), 5, ((), (("DE", block),))),
        a_release(3, block, allow, (), 2000, ((("US", allow),), ())),
        a_release(4, allow, allow, (NASTY,), None),
    ]


def test_flips_are_counted_in_each_territory_and_size():
    """By the word there: a decision may flip in one territory and not in another."""
    lines = [outcome_line(outcome) for outcome in releases()]

    counts = counted(span_of(lines), lines)

    assert counts.markets == {
        **{"DE": 3, "FR": 1, "US": 2, ANYWHERE: 1},
        NASTY: 1,
    }
    assert counts.market_flips == {"DE": 2, "FR": 1, "US": 1, ANYWHERE: 1}
    assert counts.only_in_markets == 1
    assert counts.sizes == {
        **{"new": 1, "1 to 9": 2, "1000 and more": 1},
        "not known": 1,
    }
    assert counts.size_flips == {"new": 1, "1 to 9": 1, "1000 and more": 1}
    assert counts.flips == 3


def test_the_breakdowns_are_in_json_with_intervals():
    """Of territories, sizes and kinds: how many of how many, and how sure that is."""
    lines = [outcome_line(outcome) for outcome in releases()]

    told = breakdowns(counted(span_of(lines), lines))

    assert json.loads(json.dumps(told)) == told
    assert told["only_in_territories"] == 1
    assert told["territories"]["DE"] == Proportion(2, 3).to_json()
    assert list(told["uploader_sizes"]) == ["new", "1 to 9", "1000 and more", UNKNOWN]
    assert sum(kind["of"] for kind in told["kinds"].values()) == 5


def test_the_page_has_the_territories_and_the_sizes(tmp_path):
    """With shares; a territory's name is whatever a producer wrote."""
    text = written(tmp_path, releases()).read_text()

    cells = f"<tr><td>DE</td><td>3</td><td>2<small>{shared(2, 3)}</small></td></tr>"
    assert cells in text
    assert "<td>1 to 9</td><td>2</td>" in text
    assert "Changed in some territory only, which is no flip: 1." in text
    assert "&lt;script" in text
    assert "<script" not in text


def test_a_person_reads_the_breakdowns_in_the_terminal(tmp_path, capsys):
    """Territories and sizes, each with its share; no name is markup of rich's."""
    lines = [outcome_line(outcome) for outcome in releases()]
    lines[4]["territories"] = ["[red]"]
    tally = Tally()
    for outcome in releases():
        tally.add(outcome)
    summary = summary_of(WHAT_IF, PLAN, [replace(Facts(0), tally=tally)])
    counts = counted(span_of(lines), lines)

    print_summary(summary | {"out": "o", "breakdowns": breakdowns(counts)})

    said = capsys.readouterr().out
    assert re.search(r"DE +│ 3 +│ 2 +│ 66.67% \[20.77%, 93.85%\]", said), said
    assert re.search(r"1000 and more +│ 1 +│ 1 +│ 100.00%", said), said
    assert "[red]" in said
    assert "changed in some territory only, which is no flip: 1" in said


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


@pytest.mark.parametrize(
    ("lost", "unreadable", "said"),
    [
        (2, 0, "2 recorded decisions have no signals to replay"),
        (None, 3, "3 records can't be read as decisions"),
        (1, 1, "no signals to replay and 1 records can't be read as decisions"),
    ],
)
def test_what_answers_nothing_makes_the_verdict(lost, unreadable, said, capsys):
    """Where all that was compared is equal, people still read why it is not."""
    summary = summary_of(Request(), PLAN, [Facts(0)]) | {
        "equal": False,
        "decisions_without_signals": lost,
        "unreadable_decisions": unreadable,
        "breakdowns": {"only_in_territories": 0},
        "out": "o",
    }

    print_summary(summary)

    assert f"{said}\n" in capsys.readouterr().out.replace("\n ", " ")
