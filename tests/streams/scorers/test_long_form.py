import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import CATEGORIES, Category, TextSignal
from streams.scorers import long_form_tails
from streams.scorers.long_form import (
    AT_LEAST,
    REFERENCE_SPANS,
    SPREAD_SHAPE,
    Tail,
    pool_sources,
    pooled,
    reference_of,
    tail_of,
)

WEIGHTS = Path(__file__).parents[3] / "streams/scorers/weights/text_risk.safetensors"
TAIL = Tail(1.0, -5.0)  # One clean segment of 150 is over 0.5.
REFERENCE = 10.0

some_probabilities = st.lists(
    st.floats(0, 1).map(lambda p: round(p, 4)), min_size=1, max_size=60
).map(np.array)


def an_episode(*bad: float, of: int) -> np.ndarray:
    """Build segments of which all but `bad` are at 0.01."""
    return np.array([*bad, *([0.01] * (of - len(bad)))])


def spoken(*seconds: tuple[float, float], source: str = "transcript:audio"):
    """Build segments from their starts and ends."""
    return [TextSignal(source, "words", start_s=s, end_s=e) for s, e in seconds]


@given(some_probabilities, st.floats(1, 20))
def test_up_to_the_reference_the_highest_decides(probabilities, reference):
    """A title, or a minute of speech, is judged as ever: one segment is its own."""
    short = probabilities[: int(reference)]

    assert pooled(short, TAIL, reference) == short.max()


@given(some_probabilities, st.integers(0, 59), st.floats(0, 1), st.randoms())
def test_it_rises_with_every_segment(probabilities, place, higher, shuffle):
    """A segment that gets riskier never makes the upload milder; order is nothing."""
    worse = probabilities.copy()
    worse[place % len(worse)] = max(worse[place % len(worse)], higher)
    shuffled = list(worse)
    shuffle.shuffle(shuffled)

    before, after = pooled(probabilities, TAIL, 3), pooled(worse, TAIL, 3)

    assert 0 <= before <= after <= worse.max()
    assert pooled(np.array(shuffled), TAIL, 3) == after


@given(some_probabilities, st.integers(1, 500))
def test_it_falls_with_clean_ones_beside(probabilities, more):
    """A number may not grow with length alone."""
    longer = np.append(probabilities, np.zeros(more))

    assert pooled(longer, TAIL, 3) <= pooled(probabilities, TAIL, 3)


def test_three_bad_segments_are_not_drowned_by_a_hundred():
    """Three are no accident; one so high may be, and is far from drowned."""
    assert pooled(an_episode(0.9, 0.9, 0.9, of=100), TAIL, REFERENCE) > 0.85
    assert pooled(an_episode(0.98, of=100), TAIL, REFERENCE) > 0.6


def test_one_doubtful_segment_of_three_hours_is_no_sign():
    """Of 1,800 clean segments twelve are over one half."""
    assert pooled(an_episode(0.6, of=1800), TAIL, REFERENCE) < 0.05


@pytest.mark.parametrize("bad", [0.0, 1.0])
@pytest.mark.parametrize("of", [1, 11, max(AT_LEAST), 5000])
def test_rounded_probabilities_are_taken(bad, of):
    """0 and 1 have no logit, and give a number nevertheless."""
    assert 0 <= pooled(np.full(of, bad), TAIL, REFERENCE) <= bad


def test_clean_episodes_do_not_alarm_oftener_the_longer_they_are():
    """Drawn from the tail itself, three hours reach 0.5 no oftener than a minute."""
    rng = np.random.default_rng(5)

    def share_held(segments: int) -> float:
        over = 0
        for _ in range(400):
            # A clean upload has a rate of its own, and so a level.
            rate = max(rng.gamma(SPREAD_SHAPE) / SPREAD_SHAPE, 1e-9)
            odds = rng.uniform(size=segments) / rate
            odds = odds / np.maximum(1 - odds, 1e-9)
            logits = (TAIL.offset - np.log(np.maximum(odds, 1e-12))) / TAIL.steepness
            risks = 1 / (1 + np.exp(-np.clip(logits, -9, 9)))
            over += pooled(risks, TAIL, REFERENCE) >= 0.5
        return over / 400

    minute = share_held(10)
    assert 0.02 < minute < 0.15
    assert share_held(1800) <= minute + 0.02


def test_a_level_is_found_again_by_its_odds():
    """The tail is the same both ways."""
    for level in (0.01, 0.5, 0.97):
        assert TAIL.level_at(float(TAIL.odds_over(np.array(level)))) == pytest.approx(
            level
        )


@pytest.mark.parametrize(
    ("spans", "reference"),
    [
        (spoken((0, 6)), 1),
        (spoken(*((6 * i, 6 * i + 6) for i in range(100))), 10),
        (spoken(*((30 * i, 30 * i + 30) for i in range(100))), 2),
        (spoken(*((90 * i, 90 * i + 90) for i in range(100))), 1),
        (spoken(*([(0, 30)] * 4)), 4),
        (spoken((5, 5), (9, 8)), 2),
        ([TextSignal("lyrics", "words")] * 4, 4),
        ([TextSignal("lyrics", "words")] * 400, REFERENCE_SPANS),
    ],
)
def test_the_reference_is_a_minute_of_speech(spans, reference):
    """However an engine cuts its segments; parts of a split one share its seconds."""
    assert reference_of(spans) == reference


def test_a_title_is_not_diluted_by_the_transcript_beside_it():
    """Each source is pooled alone, and the riskiest one is named."""
    title = TextSignal("title", "words")
    spans = [*spoken(*((6 * i, 6 * i + 6) for i in range(999))), title]
    hate = [*([0.3] * 999), 0.8]
    spam = [*([0.9] * 999), 0.1]
    table = np.array([hate, spam]).T

    values, sources = pool_sources(spans, table, [Category.HATE, Category.FRAUD_SPAM])

    assert values == [0.8, 0.9]
    assert sources == ["title", "transcript:audio"]


def test_at_a_draw_the_earlier_source_is_named():
    """Two sources that are equally risky: the first of the upload's texts."""
    spans = [TextSignal("lyrics", "words"), TextSignal("title", "words")]

    found = pool_sources(spans, np.array([[0.4], [0.4]]), [Category.HATE])

    assert found == ([0.4], ["lyrics"])


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_has_a_tail(category):
    """One that nothing was fitted to gets the most careful."""
    tail = tail_of(category)

    assert tail.steepness > 0
    assert all(tail.offset >= tail_of(c).offset for c in CATEGORIES) or (
        category.value in long_form_tails.STEEPNESS_AND_OFFSET
    )


def test_the_tails_are_of_the_shipped_head():
    """After `make train`: `python -m streams.training.long_form --data …`."""
    head = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()

    assert head == long_form_tails.FITTED_TO
