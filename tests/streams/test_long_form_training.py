"""Fitting and measuring what long uploads are pooled with, on made-up segments."""

from pathlib import Path

import numpy as np
import pytest

from schemas.records import Action, Category
from streams.policy import Rule
from streams.scorers.long_form import Tail, pooled
from streams.training import episodes
from streams.training.clean_speech import CLEAN_SOURCES, Segments, is_clean, plan
from streams.training.episodes import false_positives, highest, recall
from streams.training.examples import NOTHING, Example
from streams.training.fold_heads import JudgedRows
from streams.training.long_form import fit_tail, fit_tails, review_thresholds, write
from streams.training.multilingual import LabelledSet, measure
from tests.builders import a_policy

TAIL = Tail(1.2, -4.0)
HATE = Category.HATE


@pytest.fixture(autouse=True)
def few_episodes(monkeypatch):
    """Draw few: facts, not figures."""
    monkeypatch.setattr(episodes, "RESAMPLES", 6)
    monkeypatch.setattr(episodes, "EPISODES", 12)


def from_tail(count: int) -> np.ndarray:
    """Draw clean probabilities that a tail describes."""
    odds = (np.arange(count) + 0.5) / (count - np.arange(count))
    logits = (TAIL.offset - np.log(odds)) / TAIL.steepness
    return 1 / (1 + np.exp(-logits))


def some_segments(clean: int = 4000, bad: int = 50) -> Segments:
    """Build segments of one category: clean ones by TAIL, bad ones at 0.9."""
    n = clean + bad
    risks = np.append(from_tail(clean), np.full(bad, 0.9))
    order = np.random.default_rng(0).permutation(n)
    is_bad = np.arange(n) >= clean
    labels = is_bad.astype(np.float32)[:, None]
    return Segments(
        probabilities=risks[order][:, None],
        labels=labels[order],
        sources=np.where(is_bad, "openai", "sms")[order],
        groups=np.arange(n),
        halves=np.arange(n) % 2,
        topics=np.arange(n) % 4,
        is_clean=~is_bad[order],
        is_glued=np.arange(n) % 8 > 3,
        categories=(HATE,),
    )


def by_tail(table: np.ndarray, reference: float) -> np.ndarray:
    """Pool one category with the tail that its clean segments were drawn from."""
    return np.array([pooled(table[:, 0], TAIL, reference)])


def test_a_tail_is_found_in_what_was_drawn_from_it():
    """Both constants, within what a few of its rarest segments can say."""
    (tail,) = fit_tails(some_segments()).values()

    assert tail.steepness == pytest.approx(TAIL.steepness, abs=0.4)
    assert tail.offset == pytest.approx(TAIL.offset, abs=0.6)


def test_segments_that_are_all_alike_are_refused():
    """A head that says the same of everything has no tail."""
    with pytest.raises(ValueError, match="steepness"):
        fit_tail(np.full(1000, 0.0001), np.ones(1000))


def test_the_highest_alarms_ever_oftener_and_the_pooled_does_not():
    """The figures show what they are for."""
    segments, limits = some_segments(), {HATE: 0.5}

    def held(pool, minutes):
        figures = false_positives(
            segments, pool, limits, form="short", kind="mixed", minutes=minutes
        )
        assert (
            figures.mean.value == figures.any.value == figures.by_category[HATE].value
        )
        return figures.any.value

    assert held(highest, 60) > held(highest, 1) + 0.4
    assert held(by_tail, 60) <= held(by_tail, 1) + 0.05


def test_more_bad_segments_are_found_oftener():
    """Ten of a hundred always, one seldom."""
    found = [
        recall(some_segments(), by_tail, {HATE: 0.85}, bad=bad, of=100)[HATE].value
        for bad in (1, 10)
    ]

    assert found[0] < found[1] == 1


def test_the_written_tails_are_read_back(tmp_path: Path):
    """The file is a module with both constants and the head they are for."""
    write({HATE: TAIL}, "ab" * 32, tmp_path / "tails.py")

    found: dict[str, object] = {}
    exec((tmp_path / "tails.py").read_text(), found)

    assert found["FITTED_TO"] == "ab" * 32
    assert found["STEEPNESS_AND_OFFSET"] == {"HATE": (1.2, -4.0)}


def test_the_thresholds_are_the_policys_for_review():
    """Not those of other actions, nor of anomalies."""
    rules = (
        Rule("category", "hate", Action.BLOCK, 0.9),
        Rule("category", "hate", Action.REVIEW, 0.4),
        Rule("anomaly", "hate", Action.REVIEW, 0.1),
    )

    assert review_thresholds(a_policy(rules=rules), [HATE]) == {HATE: 0.4}


@pytest.mark.parametrize(
    ("labels", "source", "clean"),
    [
        (NOTHING, "sms", True),
        (NOTHING, "openai", False),
        ({**NOTHING, HATE: 1}, "sms", False),
        ({HATE: 0}, "davidson", False),
        ({Category.FRAUD_SPAM: 0}, "youtube", True),
    ],
)
def test_clean_is_what_labels_say_enough_of(labels, source, clean):
    """A tweet that is only "not hate" may be anything else."""
    assert is_clean(Example("words", labels, source, "family")) == clean
    assert "openai" not in CLEAN_SOURCES


def test_glued_half_minutes_stay_in_their_fold_and_half():
    """A head never scores a stretch with a text that it has seen."""
    examples = [
        Example(" ".join(f"w{at}x{i}" for i in range(30)), NOTHING, "sms", f"f{at}")
        for at in range(200)
    ]
    groups = np.arange(len(examples))

    made = plan(JudgedRows(examples, groups, groups % 3))

    glued = np.flatnonzero(made.is_glued)
    assert len(glued) > 40
    for at in glued:
        within = [i for i in range(200) if examples[i].text in made.texts[at]]
        assert len(within) == 3  # Of thirty words each: the third makes 75.
        assert set(made.folds[within]) == {made.folds[at]}
        assert set(made.halves[within]) == {made.halves[at]}
        assert made.examples[at].weight == 0


def test_a_language_is_measured_with_and_without_its_gate():
    """Told texts get no number; the others' false alarms are counted."""
    french = "Dans cet épisode nous parlons de musique, de la mer et du café."
    some = LabelledSet(
        "some", "fr", (french, french, "Intro", "Outro"), np.array([1, 0, 0, 0.0]),
        np.arange(4),
    )  # fmt: skip

    found = measure(some, lambda texts: np.array([0.9, 0.2, 0.7, 0.1]))

    assert (found.rows, found.hateful, found.not_told) == (4, 1, 2)
    assert found.told.value == found.told_rightly.value == 0.5
    assert found.accuracy.value == 0.75
    assert found.flagged_not_told.value == 0.5
    assert found.average_precision.value == 1
