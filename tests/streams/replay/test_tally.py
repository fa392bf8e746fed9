"""Facts about counting outcomes."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Action, Category, CategoryScore
from streams.replay.outcome import Outcome, outcome_line, unjudged_line
from streams.replay.tally import MOST_KEYS, REST, Tally, added_up, top_category
from tests.builders import a_decision, signals


def an_outcome(then, now, offset=0, result=None, **fields):
    """Build the outcome of an upload with these actions."""
    upload = signals(f"c{offset}")
    result = result or ("same" if then == now else "different")
    return Outcome(
        0,
        offset,
        1000 + offset,
        upload,
        result,
        a_decision(upload, action=then, clause=f"{then}.then"),
        a_decision(upload, action=now, clause=f"{now}.now", **fields),
    )


def test_a_flip_is_counted_by_action_clause_category_and_kind():
    """And an equal action is none."""
    hate = (CategoryScore(Category.HATE, 0.9), CategoryScore(Category.PRIVACY, 0.1))
    tally = Tally()
    tally.add(an_outcome(Action.ALLOW, Action.BLOCK, categories=hate))
    tally.add(an_outcome(Action.ALLOW, Action.ALLOW))

    assert tally.actions == {"allow -> block": 1}
    assert tally.clauses == {"ALLOW.then -> BLOCK.now": 1}
    assert tally.categories == {"hate": 1}
    assert tally.kinds == {"track": 1}
    assert (tally.events, tally.flips) == (2, 1)


def test_the_span_is_of_all_records():
    """Those that could not be judged too; of nothing there is none."""
    tally, other = Tally(), Tally()
    assert (tally.first_ms, tally.last_ms) == (None, None)
    for time_ms in (30, 10):
        made = an_outcome(Action.ALLOW, Action.ALLOW)
        tally.add(replace(made, time_ms=time_ms))
    other.add_unjudged(unjudged_line(0, 1, 40, "buried", "dead letter"))

    total = added_up([tally, Tally(), other])

    assert (total.first_ms, total.last_ms) == (10, 40)
    assert Tally.from_json(json.loads(json.dumps(total.to_json()))) == total


def test_a_repeat_is_no_second_flip():
    """It was counted when it was decided."""
    tally = Tally()
    tally.add(an_outcome(Action.ALLOW, Action.BLOCK, result="again"))

    assert tally.flips == 0


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Action)[:3]), st.sampled_from(list(Action)[:3])),
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_tallies_add_up_and_read_back(actions, cut):
    """However partitions share the records; the first difference is the earliest."""
    outcomes = [an_outcome(a, b, n) for n, (a, b) in enumerate(actions)]
    whole, parts = Tally(), (Tally(), Tally())
    for n, outcome in enumerate(outcomes):
        whole.add(outcome)
        parts[n >= cut].add(outcome)

    assert added_up(reversed(parts)) == whole
    assert Tally.from_json(whole.to_json()) == whole


def test_counts_are_bounded():
    """What is beyond is summed up, not dropped."""
    tally = Tally()
    for n in range(MOST_KEYS + 5):
        upload = signals("c")
        then = a_decision(upload, action=Action.ALLOW, clause=f"x{n}")
        now = a_decision(upload, action=Action.BLOCK)
        tally.add(Outcome(0, n, n, upload, "different", then, now))

    assert len(tally.clauses) == MOST_KEYS + 1
    assert tally.clauses[REST] == 5
    assert tally.flips == MOST_KEYS + 5


def test_nothing_that_spoke_has_no_category():
    """Of a decision without any probability."""
    assert top_category(a_decision(signals())) == "none"


def test_every_line_has_the_same_keys():
    """Whatever the outcome."""
    full = outcome_line(an_outcome(Action.ALLOW, Action.BLOCK))
    bare = outcome_line(Outcome(0, 0, 0, signals(), "old"))

    assert list(full) == list(bare)
    assert bare["then"] is None
