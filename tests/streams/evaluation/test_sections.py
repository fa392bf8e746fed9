"""Sections on the shared rows with made-up scores: a perfect head meets targets."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from schemas.records import Category
from streams.evaluation.figures import NotMeasuredError, Section, Target
from streams.evaluation.out_of_fold import collect
from streams.evaluation.scorecard import Scorecard, as_json, measured
from streams.evaluation.scored_rows import Inputs, load_inputs
from streams.evaluation.sections import SECTIONS
from streams.evaluation.wanted import clean_segments, disguised
from streams.settings import default_policy
from streams.training.clusters import clusters, folds
from streams.training.datasets import hatecheck, openai, sms
from streams.training.examples import COVERED, label_matrix
from streams.wiring import read_policy

# Over the threshold for review of every category, and under all of them.
HIGH, LOW = 0.95, 0.02


@cache
def perfect(data: Path) -> Inputs:
    """Build inputs whose probabilities are the labels."""
    examples = [e for read in (openai, hatecheck, sms) for e in read(data) if e.text]
    fold_of = folds(clusters(examples), 5, 0)
    labels = np.nan_to_num(label_matrix(examples))
    copies, segments = disguised(examples), clean_segments(examples, fold_of)
    truth = np.concatenate(
        [
            labels,
            labels[[c.of for c in copies]],
            np.zeros((len(segments), len(COVERED))),
        ]
    )
    texts = [e.text for e in examples] + [c.text for c in copies]
    texts += [s.text for s in segments]
    of = [*fold_of, *(fold_of[c.of] for c in copies), *(s.fold for s in segments)]
    scores = collect(texts, np.where(truth == 1, HIGH, LOW), of, COVERED, "test", "")
    return load_inputs(examples, scores, read_policy(default_policy()), data)


@pytest.fixture
def inputs(shared_data):
    """Perfect scores of the shared rows."""
    return perfect(shared_data("openai_moderation").parent)


_DONE: dict[str, Section] = {}  # Of the perfect scores: each takes seconds.


def section(name: str, inputs: Inputs) -> Section:
    """Run one section, once."""
    if name not in _DONE:
        _DONE[name] = run(name, inputs)
    return _DONE[name]


def run(name: str, inputs: Inputs) -> Section:
    """Run one section."""
    return measured([row for row in SECTIONS if row[0] == name], inputs)[0]


@pytest.mark.parametrize(
    "name", ["openai_any", "openai", "hatecheck", "evasion", "long_form"]
)
def test_a_perfect_head_meets_every_target(name, inputs):
    """But calibration: scores of 0.95 and 0.02 are not 1 and 0."""
    found = section(name, inputs)

    wanted = [f for f in found.figures if f.target and not f.key.endswith(".ece")]
    assert wanted
    assert all(f.is_met for f in wanted)
    assert found.charts


def test_the_openai_rows_are_the_ones_their_readme_counts(inputs):
    """789 prompts, 223 positive; sexual known of 447; nothing said of fraud."""
    any_category = section("openai_any", inputs).figures[0]
    by_key = {f.key: f for f in section("openai", inputs).figures}

    assert (any_category.n, any_category.positives) == (789, 223)
    sexual = by_key["openai.sexual_content.ap"]
    assert (sexual.n, sexual.positives) == (447, 74)
    assert "openai.fraud_spam.ap" not in by_key


def test_the_linear_svm_scores_as_was_published_for_hatecheck(inputs):
    """0.346 on all cases, 0.37 on this half: beside ours on the same rows."""
    accuracy = section("hatecheck", inputs).figures[0]

    assert accuracy.against[0].value == pytest.approx(0.368, abs=0.001)


def test_one_wrong_segment_is_seen_in_long_episodes(inputs):
    """A head that errs on one of 120 half-minutes holds most three-hour episodes."""
    segments = clean_segments(inputs.examples, inputs.folds)
    rows = inputs.scores.rows_of([s.text for s in segments[::120]])
    table = inputs.scores.probabilities.copy()
    table[rows, COVERED.index(Category.HATE)] = HIGH
    spoilt = replace(inputs, scores=replace(inputs.scores, probabilities=table))

    rise = run("long_form", spoilt).figures[0]

    assert rise.estimate.value > 0.5
    assert rise.is_met is False


def test_a_section_that_cant_run_says_why(inputs):
    """The others are measured all the same, and the reason is in the JSON."""

    def broken(_: Inputs) -> Section:
        raise NotMeasuredError("no microphone")

    found = measured([("x", "X", broken), SECTIONS[0]], inputs)
    card = as_json(Scorecard(found, "test", "", "", "policy"))

    assert card["sections"][0] == {
        "key": "x",
        "title": "X",
        "not_measured": "no microphone",
    }
    assert card["sections"][1]["figures"][0]["met"] is True


def test_keys_are_unique(inputs):
    """Scripts look figures up by them."""
    names = [key for key, _, _ in SECTIONS if key != "languages"]
    keys = [f.key for name in names for f in section(name, inputs).figures]

    assert all(keys)
    assert len(keys) == len(set(keys))


def test_targets_are_reached_by_their_own_value_unless_strictly():
    """≥ 0.9 is met by 0.9, > 70.5 is not met by 70.5."""
    assert Target(0.9).is_met(0.9)
    assert not Target(70.5, strictly=True).is_met(70.5)
    assert Target(0.05, "at most").is_met(0.05)
    assert not Target(0.05, "at most").is_met(0.051)
    assert str(Target(70.5, strictly=True)) == "> 70.5"
