"""Out-of-fold scores: never of a head that saw the text, and known by hash alone."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from encoders.signals import ModelIdentity, Span
from schemas.records import Category
from streams.errors import StartError
from streams.evaluation.disguises import DISGUISES
from streams.evaluation.fold_scores import wanted
from streams.evaluation.linear_baseline import read_linear_baseline
from streams.evaluation.out_of_fold import OutOfFoldScores, collect, read, write
from streams.evaluation.wanted import clean_segments, disguised, harmful
from streams.training.clusters import clusters, folds
from streams.training.evaluate import FOLDS
from streams.training.examples import NOTHING, Example
from streams.training.plan import SEED


class WordEncoder:
    """Embeds by words, without a model."""

    dim = 64
    words: ClassVar[dict[str, int]] = {}
    model = ModelIdentity("text", "words", "cd" * 32)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Give alike texts alike unit vectors."""
        rows = np.zeros((len(texts), 64), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.md5(word.encode()).digest()[0] % 64] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def split(self, text: str) -> tuple[Span, ...]:
        """Leave the text whole."""
        return (Span(0, len(text)),) if text.strip() else ()


def some_examples(n: int = 60) -> list[Example]:
    """Build hateful HateCheck rows and harmless messages, each in its own words."""
    hateful = {**NOTHING, Category.HATE: 1}
    return [
        Example(f"odd{i} bad words number{i}", hateful, "hatecheck", f"h{i}")
        for i in range(n)
    ] + [
        Example(f"kind{i} plain " + f"talk{i} " * 40, NOTHING, "sms", f"s{i}")
        for i in range(n)
    ]


def a_file(**fields) -> OutOfFoldScores:
    """Build scores of three texts; the second text comes twice."""
    values = {
        "texts": ["a", "b", "b"],
        "probabilities": np.array([[0.1, 0.2], [0.3, 0.4], [0.9, 0.9]]),
        "folds": [0, 1, 1],
        "categories": (Category.HATE, Category.FRAUD_SPAM),
        "made_by": "test",
        "head_sha256": "ab" * 32,
    }
    return collect(**(values | fields))


def test_a_file_reads_back_and_finds_texts_by_hash(tmp_path):
    """In the order asked; of a text that came twice the first counts; none inside."""
    path = tmp_path / "scores.npz"
    write(a_file(texts=["a", "secret words", "secret words"]), path)

    found = read(path)

    assert found.of(["secret words", "a"]) == pytest.approx(
        np.array([[0.3, 0.4], [0.1, 0.2]])
    )
    assert found.categories == (Category.HATE, Category.FRAUD_SPAM)
    assert b"secret" not in path.read_bytes()


def test_a_text_that_lacks_is_said(tmp_path):
    """Other data than the file was made of is no silent NaN."""
    with pytest.raises(StartError, match="lacks 1 of 2 texts"):
        a_file().of(["a", "new"])


@pytest.mark.parametrize("bad", [np.nan, 1.1, -0.1])
def test_what_is_no_probability_is_refused(bad):
    """Before it is written, not when a figure looks odd."""
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        a_file(probabilities=np.full((3, 2), bad))


def test_what_is_no_such_file_is_said(tmp_path):
    """Cut short, or something else."""
    path = tmp_path / "scores.npz"
    write(a_file(), path)
    path.write_bytes(path.read_bytes()[:200])

    with pytest.raises(StartError, match="no file of out-of-fold scores"):
        read(path)


def test_disguised_copies_share_their_originals_fold():
    """Else the head that judges the copy was trained on the original."""
    examples = some_examples()
    fold_of = folds(clusters(examples), FOLDS, SEED)

    texts, text_folds = wanted(examples, fold_of)

    by_text = dict(zip(texts, text_folds, strict=True))
    copies = disguised(examples)
    assert len(copies) == len(harmful(examples)) * len(DISGUISES)
    assert all(by_text[c.text] == fold_of[c.of] for c in copies)


def test_clean_segments_are_of_one_fold_and_harmless():
    """Each word of a segment comes from harmless rows of its fold."""
    examples = some_examples()
    fold_of = folds(clusters(examples), FOLDS, SEED)

    segments = clean_segments(examples, fold_of)

    assert segments
    for segment in segments:
        assert "bad" not in segment.text
        numbers = {int(w[4:]) for w in segment.text.split() if w.startswith("kind")}
        assert {int(fold_of[60 + n]) for n in numbers} == {segment.fold}


def test_the_linear_baseline_gives_its_authors_figure(shared_data):
    """As published for this sentence (the folder's README)."""
    folder = shared_data("weights") / "profanity_check_linear"

    baseline = read_linear_baseline(folder)

    assert baseline(["go to hell, you scum"]) == pytest.approx([0.76188610], abs=1e-8)
    assert baseline([""]).shape == (1,)
