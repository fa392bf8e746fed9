import random
from dataclasses import replace

import numpy as np
import pytest

from schemas.records import Action, Category, CategoryScore, Missing
from streams.drift import DriftWatch
from tests.builders import a_decision, a_text_signal, an_embedding, an_event, signals


def an_upload(rng, *, words=8, language="en", text=True, seeds=50, score=0.05):
    """Build an upload and its decision; `score` is its mean probability of spam."""
    title = " ".join(["word"] * max(1, round(rng.gauss(words, words / 4))))
    event = an_event(texts=(("title", title),) if text else ())
    embedding = an_embedding(rng.randrange(seeds))
    part = a_text_signal(title, language=language, embedding=embedding)
    upload = signals(event=event, texts=(part,) if text else ())
    probability = min(1.0, rng.expovariate(1 / score))
    found = (CategoryScore(Category.FRAUD_SPAM, probability),)
    return upload, a_decision(upload, categories=found)


def drifts(watch, rng, uploads, **fields):
    """Let uploads pass and return what drifted."""
    found = []
    for _ in range(uploads):
        found += watch.observe(*an_upload(rng, **fields), frozenset())
    return {drift.name for drift in found}


def a_watch(rng, uploads=2000):
    """Build a watch that knows the usual."""
    watch = DriftWatch()
    assert drifts(watch, rng, uploads) == set()
    return watch


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"words": 60}, "text_length"),
        ({"text": False}, "without_text"),
        ({"language": "pt"}, "language_pt"),
        ({"language": "xx"}, "language_other"),
        ({"score": 0.3}, "category_fraud_spam"),
    ],
)
def test_a_change_of_what_comes_in_or_of_scores_is_told(change, name):
    """Within 500 uploads, by the input's name."""
    rng = random.Random(1)
    watch = a_watch(rng)

    assert name in drifts(watch, rng, 500, **change)


def test_another_models_embeddings_are_told():
    """Longer vectors, and content that is far from the usual."""
    watch, found = DriftWatch(), set()
    near = an_embedding(7)
    for number in range(2500):
        step = 0.3 if number < 2000 else 2.0
        vector = np.frombuffer(an_embedding(number % 40, near=near, step=step), "<f4")
        if number >= 2000:
            vector = vector * np.float32(2)
        part = a_text_signal(embedding=vector.astype("<f4").tobytes())
        upload = signals(texts=(part,))
        told = watch.observe(upload, a_decision(upload), frozenset())
        found |= {drift.name for drift in told}
        assert number >= 2000 or not told
    assert {"embedding_norm", "embedding_distance"} <= found


def test_what_was_blocked_does_not_become_the_usual_content():
    """However much of it comes, it stays as far away as it was."""

    def distances(action):
        watch, found = DriftWatch(), []
        usual, other = (a_text_signal(embedding=an_embedding(n)) for n in (1, 2))
        for number in range(1200):
            upload = signals(texts=(usual if number < 200 else other,))
            said = a_decision(upload, action=Action.ALLOW if number < 200 else action)
            watch.observe(upload, said, frozenset())
            found.append(watch.means().get("embedding_distance", 0.0))
        return found[-1]

    assert distances(Action.BLOCK) > 1.5 * distances(Action.ALLOW)


def test_what_drifted_is_told_with_numbers():
    """Before, after, and how many uploads the new mean stands on."""
    rng = random.Random(3)
    watch, told = a_watch(rng), []
    for _ in range(500):
        upload, decision = an_upload(rng, text=False)
        told += watch.observe(upload, decision, frozenset())

    first = next(drift for drift in told if drift.name == "without_text")
    assert first.before < first.after
    assert 0 < first.uploads < 2500
    assert watch.means()["without_text"] > 0.9


def test_restricted_categories_are_passed_over():
    """No mean is kept of what must never be shown."""
    watch = DriftWatch()
    upload, decision = an_upload(random.Random(4))
    for _ in range(64):
        watch.observe(upload, decision, frozenset({Category.FRAUD_SPAM}))

    assert "category_fraud_spam" not in watch.means()


def test_odd_embeddings_and_signals_are_taken():
    """No numbers, another size, nothing at all: means stay in [0, 1]."""
    watch = DriftWatch()
    nan = np.full(384, np.nan, "<f4").tobytes()
    for embedding in (b"", b"abc", nan, bytes(1536), an_embedding(1), b"\0\0\x80\x3f"):
        for _ in range(40):
            upload = signals(texts=(a_text_signal(embedding=embedding),))
            upload = replace(upload, missing=(Missing("media:a", "empty"),))
            watch.observe(upload, a_decision(upload), frozenset())

    assert all(0.0 <= mean <= 1.0 for mean in watch.means().values())
