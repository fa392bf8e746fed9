from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Category, Kind, Missing, Stage
from streams.rules.conditions import compiled, condition
from streams.rules.findings import Findings
from streams.rules.parser import parse_condition
from streams.rules.rule import Markets, Validity
from streams.rules.syntax import All, Any, Not
from streams.rules.vocabulary import Facts
from tests.streams.rules.condition_strategies import VOCABULARY, findings, trees

FOUND = Findings(
    Stage.COMPLETE,
    categories={Category.HATE: 0.7, Category.HARASSMENT: 0.2},
    anomalies={"velocity": 0.5},
    banks={"a list": 0.9},
    missing=(Missing("hash:cover", "gone"),),
    labels={"knife": 0.8},
    history={"uploads": 3.0},
    kind=Kind.TRACK,
    uploader_id="u1",
    territories=("DE", "FR"),
    texts={"title": "Get a FREE gift"},
    heard=("first words", "second words"),
    media_s=200.0,
)


def truth(text: str, found: Findings = FOUND) -> bool | None:
    """Say whether a condition holds."""
    made = condition(parse_condition(text, VOCABULARY))
    return made.holds(Facts(found, {term.name: term for term in made.terms}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("score.hate >= 0.7", True),
        ("score.hate > 0.7", False),
        ("score.hate <= 0.7", True),
        ("score.hate < 0.7", False),
        ("score.hate == 0.7", True),
        ("score.hate != 0.7", False),
        ("0.5 <= score.hate", True),
        ("score.hate > score.harassment", True),
        ("score.privacy >= 0.1", None),
        ("score.privacy > score.hate", None),
        ("anomaly.velocity >= 0.5", True),
        ('bank["a list"] >= 0.9', True),
        ("bank.other >= 0.1", None),  # A hash is missing: it might be in there.
        ("label.knife > 0.5", True),
        ("label.flower > 0.5", False),
        ("history.uploads < 10", True),
        ("history.age_days < 10", None),
        ("kind == track", True),
        ("kind in [video, track]", True),
        ("kind not in [video, track]", False),
        ('uploader_id != "u2"', True),
        ("language == en", None),
        ("territories has DE", True),
        ("not territories has US", True),
        ("missing has hash", True),
        ('text.title matches "(?i)free gift"', True),
        ('text.lyrics matches "."', False),
        ('transcript matches "words\\nsecond"', True),
        ("media_s > 100 and revision == 0", True),
        ("stage == complete", True),
        ("always", True),
        ("score.privacy > 0.1 and kind == video", False),
        ("score.privacy > 0.1 or kind == track", True),
        ("score.privacy > 0.1 and kind == track", None),
        ("not score.privacy > 0.1", None),
        ("not (kind == video or score.privacy > 0.1)", None),
        ("kind == video or kind == track and score.hate > 0.9", False),
        ("(kind == video or kind == track) and not score.hate > 0.9", True),
    ],
)
def test_a_condition_says_what_it_reads(text, expected):
    """True, false, or unknown where a value that it needs is."""
    assert truth(text) is expected


def test_what_nobody_saw_is_unknown():
    """Labels without pictures seen, speech unheard, a history not kept."""
    blind = Findings(Stage.SCREENED, labels=None, heard=None)

    assert truth("label.knife > 0.5", blind) is None
    assert truth('transcript matches "x"', blind) is None
    assert truth("history.uploads < 2", blind) is None


def test_a_bank_without_a_match_is_zero_where_all_was_looked_up():
    """Not in it is something that is known."""
    assert truth("bank.other >= 0.1", Findings(Stage.COMPLETE)) is False


@settings(deadline=None)
@given(trees)
def test_what_is_written_out_is_read_as_the_same(tree):
    """A condition's text, as explanations show it, is the condition."""
    text = str(tree)

    assert str(parse_condition(text, VOCABULARY)) == text


def holds(tree, found):
    """Say whether a tree holds."""
    terms = {t.name: t for t in condition(tree).terms}
    return compiled(tree)(Facts(found, terms))


@settings(deadline=None, max_examples=100)
@given(trees, findings, findings)
def test_a_condition_that_is_known_stays_so_when_more_is(tree, less, more):
    """Kleene's logic: whatever the missing values turn out to be."""
    fuller = Findings(
        less.stage,
        categories={**more.categories, **less.categories},
        anomalies={**more.anomalies, **less.anomalies},
        banks={**more.banks, **less.banks} if less.missing else less.banks,
        missing=more.missing if less.missing else (),
        kind=less.kind,
        uploader_id=less.uploader_id,
        territories=less.territories,
        texts=less.texts,
        heard=more.heard if less.heard is None else less.heard,
    )

    known = holds(tree, less)

    assert known is None or holds(tree, fuller) is known


@settings(deadline=None, max_examples=100)
@given(trees, trees, findings)
def test_de_morgan_holds_in_three_values(one, other, found):
    """Denying `and` is `or` of what is denied, the unknown included."""
    denied = holds(Not(All((one, other))), found)

    assert denied is holds(Any((Not(one), Not(other))), found)
    assert holds(Not(Not(one)), found) is holds(one, found)


@settings(deadline=None, max_examples=100)
@given(trees, findings)
def test_a_condition_that_holds_lies_in_a_region_of_its_own(tree, found):
    """Regions leave out nothing that can be true."""
    made = condition(tree)
    facts = Facts(found, {t.name: t for t in made.terms})
    if made.regions is None or made.holds(facts) is not True:
        return

    assert any(inside(region, facts) for region in made.regions)


def inside(region, facts):
    """Say whether an upload's known numbers and texts lie in a region."""
    if region.is_empty:
        return False
    for name, (low, high) in region.intervals.items():
        if facts[name] is None or not low <= facts[name] <= high:
            return False
    for name, words in region.among.items():
        if facts[name] not in words:
            return False
    return not any(facts[name] in words for name, words in region.barred.items())


@settings(deadline=None, max_examples=100)
@given(trees, trees, findings)
def test_what_a_region_covers_it_holds_for(one, other, found):
    """Where one condition's regions lie within another's, the other holds too."""
    wide, narrow = condition(one), condition(other)
    if wide.regions is None or narrow.regions is None:
        return
    covered = all(
        any(big.covers(small) for big in wide.regions)
        for small in narrow.regions
        if not small.is_empty
    )
    if covered and holds(other, found) is True:
        assert holds(one, found) is True


def test_markets_are_for_some_or_for_all_but_some():
    """And a release everywhere reaches every one of them."""
    germany, not_us = Markets(only=frozenset({"DE"})), Markets(but=frozenset({"US"}))

    assert [germany.include(market) for market in ("DE", "FR")] == [True, False]
    assert [not_us.include(market) for market in ("FR", "US")] == [True, False]
    assert [germany.reach(where) for where in ((), ("FR", "US"))] == [True, False]
    assert [not_us.cover(germany), germany.cover(not_us)] == [True, False]
    assert [Markets().cover(not_us), not_us.cover(Markets())] == [True, False]


countries = st.frozensets(st.sampled_from(("DE", "FR", "US")), max_size=3)
markets = st.builds(Markets, only=st.none() | countries, but=st.just(frozenset()))
markets |= st.builds(Markets, but=countries)


@given(markets, markets, st.sampled_from(("DE", "FR", "US", "JP")))
def test_markets_that_cover_others_are_for_all_of_theirs(wide, narrow, market):
    """Whichever territory is asked for."""
    if wide.cover(narrow) and narrow.include(market):
        assert wide.include(market)


def test_a_rule_is_in_force_until_and_without_its_last_moment():
    """By the upload's own time; unknown where that is."""
    year = Validity(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))

    assert year.holds(datetime(2026, 1, 1, tzinfo=UTC)) is True
    assert year.holds(datetime(2027, 1, 1, tzinfo=UTC)) is False
    assert year.holds(None) is None
    assert Validity().holds(None) is True
