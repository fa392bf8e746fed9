import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import (
    CATEGORIES,
    BankMatch,
    Category,
    ContentSignals,
    MediaHash,
    Missing,
    UploaderHistory,
)
from streams.scorers import ANOMALY_NAMES, DEFAULT_SCORERS, Scorer, default_scorers
from streams.scorers.text_risk import TextRisk
from tests.builders import (
    DIM,
    a_history,
    a_recent,
    a_text_signal,
    an_embedding,
    signals,
)

WEIGHTS = Path(__file__).parents[2] / "streams/scorers/weights/text_risk.safetensors"
SCORERS = (
    default_scorers(TextRisk(WEIGHTS.read_bytes()))
    if WEIGHTS.is_file()
    else DEFAULT_SCORERS
)
every_scorer = pytest.mark.parametrize("scorer", SCORERS, ids=lambda s: s.name)

odd_embeddings = st.sampled_from(
    (
        b"",
        b"abc",
        np.full(DIM, np.nan, "<f4").tobytes(),
        np.full(DIM, np.inf, "<f4").tobytes(),
        np.full(DIM, 3e38, "<f4").tobytes(),
        np.zeros(DIM, "<f4").tobytes(),
        np.ones(3, "<f4").tobytes(),
        an_embedding(1),
        an_embedding(2),
    )
)
texts = st.builds(a_text_signal, st.text(max_size=20), embedding=odd_embeddings)
hashes = st.builds(
    MediaHash,
    st.just("cover"),
    st.sampled_from(("pdq", "sha256")),
    st.sampled_from(("0f" * 32, "zz" * 32, "", "f0" * 32)),
    st.none() | st.integers(0, 100),
)
matches = st.builds(
    BankMatch,
    role=st.just("cover"),
    bank=st.sampled_from(("known_bad", "other")),
    entry_id=st.text(max_size=5),
    category=st.sampled_from(Category),
    algorithm=st.just("pdq"),
    distance=st.integers(-1, 256),
    frame_s=st.none() | st.floats(0, 10),
)
uploads = st.builds(
    signals,
    st.text(max_size=3),
    at_s=st.floats(-1e9, 1e9),
    texts=st.lists(texts, max_size=3).map(tuple),
    hashes=st.lists(hashes, max_size=2).map(tuple),
    matches=st.lists(matches, max_size=3).map(tuple),
    missing=st.sampled_from(((), (Missing("event_time", "in_future"),))),
)
recents = st.builds(
    a_recent,
    st.text(max_size=3),
    st.floats(-1e9, 1e9),
    signature=st.sampled_from((b"", b"\x0f" * 32, b"\xf0" * 32)),
    learned=st.booleans(),
)
packed = st.binary(max_size=12 * 19)  # Rows of both packed parts of a history.
histories = st.builds(
    a_history,
    st.lists(recents, max_size=40),
    active_days=packed,
    patterns=packed,
    centroid=odd_embeddings,
    centroid_uploads=st.integers(0, 1000),
    distance_mean=st.floats(0, 2),
    distance_m2=st.floats(-1, 100),
)


@every_scorer
@settings(deadline=None, max_examples=60)
@given(upload=uploads, history=histories)
def test_scores_keep_the_contract(
    scorer: Scorer, upload: ContentSignals, history: UploaderHistory
):
    """In [0, 1] with a reason, on its own categories, repeatable, changing nothing."""
    before = copy.deepcopy((upload, history))

    scores = scorer.score(upload, history)

    assert scores == scorer.score(upload, history)
    assert (upload, history) == before
    for score in scores:
        assert 0.0 <= score.value <= 1.0
        assert score.name == scorer.name
        assert score.reason
        assert (score.category is None) == (not scorer.categories)
        assert score.category is None or score.category in scorer.categories
        assert all(0.0 <= e.score <= 1.0 for e in score.evidence if e.score is not None)


@every_scorer
def test_empty_signals_of_a_new_uploader_are_not_risky(scorer: Scorer):
    """Nothing found and nothing known gives no score above zero."""
    assert all(s.value == 0 for s in scorer.score(signals(), a_history()))


@every_scorer
def test_an_embedding_that_is_no_number_is_no_embedding(scorer: Scorer):
    """NaN in an embedding gives what no embedding gives."""
    nan = a_text_signal(embedding=np.full(DIM, np.nan, "<f4").tobytes())
    none = a_text_signal(embedding=b"")

    assert scorer.score(signals(texts=(nan,)), a_history()) == scorer.score(
        signals(texts=(none,)), a_history()
    )


def test_names_are_unique_and_anomalies_are_those_without_category():
    """A policy's thresholds find exactly one scorer each."""
    names = [scorer.name for scorer in SCORERS]

    assert len(set(names)) == len(names)
    assert set(ANOMALY_NAMES) == {s.name for s in SCORERS if not s.categories}
    assert all(set(s.categories) <= set(CATEGORIES) for s in SCORERS)
