import pytest

from schemas.records import BankMatch, Category
from streams.scorers.hash_match import HashMatch, match_value
from tests.builders import a_history, signals


def a_match(distance: int = 0, **fields: object) -> BankMatch:
    """Build a match of entry e7."""
    defaults = {
        "role": "cover",
        "bank": "known_bad",
        "entry_id": "e7",
        "category": Category.HATE,
        "algorithm": "pdq",
        "frame_s": None,
    }
    return BankMatch(distance=distance, **(defaults | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize(("distance", "value"), [(0, 1.0), (31, 0.9), (-3, 1.0)])
def test_a_match_is_worth_less_the_further_it_is(distance, value):
    """Exact is 1.0, PDQ's own bound of 31 bits 0.9."""
    assert match_value(a_match(distance)) == pytest.approx(value)


def test_the_nearest_match_gives_the_value_and_every_match_is_evidence():
    """One score a category, by its nearest match, with role, second and entry."""
    far, near = a_match(20, entry_id="far"), a_match(3, role="video", frame_s=2.5)

    (score,) = HashMatch().score(signals(matches=(far, near)), a_history())

    assert score.value == match_value(near)
    assert score.category is Category.HATE
    assert score.reason == "pdq of known_bad entry e7, 3 bits away"
    assert [(e.source, e.start_s) for e in score.evidence] == [
        ("cover", None),
        ("video", 2.5),
    ]


def test_each_category_has_its_own_score():
    """A match in one bank says nothing of another bank's category."""
    found = (a_match(), a_match(9, category=Category.IP_INFRINGEMENT))

    scores = HashMatch().score(signals(matches=found), a_history())

    assert [s.category for s in scores] == [Category.HATE, Category.IP_INFRINGEMENT]


def test_a_category_newer_than_we_are_is_not_dropped():
    """A match whose category we don't know counts as another policy's."""
    found = a_match(category=Category.UNKNOWN)

    (score,) = HashMatch().score(signals(matches=(found,)), a_history())

    assert score.category is Category.OTHER_POLICY
