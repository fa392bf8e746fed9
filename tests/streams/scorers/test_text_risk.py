import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import safetensors.numpy

from schemas.records import (
    Category,
    ContentIngested,
    ContentSignals,
    Kind,
    ModelUse,
    Stage,
    TextSignal,
    UploaderHistory,
)
from streams.errors import StartError
from streams.scorers.base import Score
from streams.scorers.text_risk import EVIDENCE_FLOOR, FORMAT, TextRisk

HISTORY = UploaderHistory("someone")
DIM = 4
ENCODER = "ab" * 32


def a_head(**changes: object) -> bytes:
    """Build a head whose two categories read the embedding's first two numbers."""
    tensors = {
        "hidden": np.eye(DIM, dtype=np.float32),
        "hidden_bias": np.zeros(DIM, np.float32),
        "output": np.array([[8, 0], [0, 8], [0, 0], [0, 0]], np.float32),
        "output_bias": np.full(2, -4, np.float32),
    }
    about = {
        "format": FORMAT,
        "categories": json.dumps(["HATE", "FRAUD_SPAM"]),
        "encoder_name": "tiny",
        "encoder_sha256": ENCODER,
    }
    tensors |= {k: v for k, v in changes.items() if k in tensors}  # type: ignore[misc]
    about |= {k: v for k, v in changes.items() if k in about}  # type: ignore[misc]
    return safetensors.numpy.save(tensors, metadata=about)


def a_text(*vector: float, source: str = "title", start_char: int = 0) -> TextSignal:
    """Build a text whose embedding is `vector` as it stands."""
    embedding = np.array(vector, dtype="<f4").tobytes()
    return TextSignal(source, "words", embedding, start_char, start_char + 5)


def signals_of(*texts: TextSignal, encoder: str = ENCODER) -> ContentSignals:
    """Build the complete signals of an upload with these texts."""
    event = ContentIngested("c", "u", Kind.TRACK, datetime(2026, 1, 1, tzinfo=UTC))
    models = (ModelUse("text", "tiny", encoder),)
    return ContentSignals(event, Stage.COMPLETE, texts, models=models)


def by_category(scores: tuple[Score, ...]) -> dict[Category | None, Score]:
    """Index scores by category."""
    return {score.category: score for score in scores}


def test_the_riskiest_text_gives_the_uploads_probability() -> None:
    """One bad text among clean ones is not averaged away."""
    clean, bad = a_text(0, 0, 1, 0), a_text(0, 1, 0, 0, source="lyrics")

    score = by_category(TextRisk(a_head()).score(signals_of(clean, bad), HISTORY))

    assert score[Category.FRAUD_SPAM].value == pytest.approx(0.982, abs=1e-3)
    assert score[Category.HATE].value == pytest.approx(0.018, abs=1e-3)
    assert score[Category.FRAUD_SPAM].reason == "text in lyrics reads like fraud_spam"


def test_of_a_long_transcript_one_doubtful_segment_is_no_sign() -> None:
    """It is named as evidence, and the number says how little it is."""
    doubtful = a_text(0, 0.55, 0.835, 0, source="transcript:audio")
    clean = a_text(0, 0, 1, 0, source="transcript:audio")
    spans = [
        replace(clean if at else doubtful, start_s=6.0 * at, end_s=6.0 * at + 6)
        for at in range(1800)
    ]

    short, long = (
        by_category(TextRisk(a_head()).score(signals_of(*few), HISTORY))
        for few in (spans[:10], spans)
    )

    assert short[Category.FRAUD_SPAM].value == pytest.approx(0.6, abs=0.01)
    assert long[Category.FRAUD_SPAM].value < 0.1
    assert long[Category.FRAUD_SPAM].evidence == short[Category.FRAUD_SPAM].evidence
    assert long[Category.FRAUD_SPAM].evidence[0].end_s == 6


def test_evidence_names_the_spans_worst_first_and_at_most_three() -> None:
    """A reviewer gets the three spans that carried the score, with their ranges."""
    spans = [
        a_text(np.cos(angle), np.sin(angle), 0, 0, start_char=index * 10)
        for index, angle in enumerate((0.5, 0.1, 0.3, 0.2, 1.5))
    ]

    score = by_category(TextRisk(a_head()).score(signals_of(*spans), HISTORY))

    evidence = score[Category.HATE].evidence
    assert [e.start_char for e in evidence] == [10, 30, 20]
    assert evidence[0].score == score[Category.HATE].value


def test_clean_text_has_a_score_and_no_evidence() -> None:
    """Below the floor a span is not worth a look, yet the probability is known."""
    score = by_category(
        TextRisk(a_head()).score(signals_of(a_text(0, 0, 1, 0)), HISTORY)
    )

    assert 0 <= score[Category.HATE].value < EVIDENCE_FLOOR
    assert score[Category.HATE].evidence == ()
    assert score[Category.HATE].reason == "no text reads like hate"


def test_a_text_in_another_language_has_no_score() -> None:
    """What the head can't read it doesn't guess at; an unsure language is tried."""
    head, bad = TextRisk(a_head()), a_text(0, 1, 0, 0)
    spanish, unsure = replace(bad, language="es"), replace(bad, language=None)

    assert head.score(signals_of(spanish), HISTORY) == ()
    assert head.score(signals_of(unsure), HISTORY) == head.score(
        signals_of(replace(bad, language="en"), spanish), HISTORY
    )


@pytest.mark.parametrize(
    "odd",
    [
        TextSignal("title", "words"),
        TextSignal("title", "words", b"\x00" * 3),
        a_text(1, 0, 0),
        a_text(0, 0, 0, 0),
        a_text(2, 0, 0, 0),
        a_text(float("nan"), 0, 0, 0),
        a_text(float("inf"), 0, 0, 0),
        a_text(3e38, 3e38, 0, 0),
    ],
)
def test_an_odd_embedding_is_no_embedding(odd: TextSignal) -> None:
    """Alone it gives no score at all; beside a good one it changes nothing."""
    head, good = TextRisk(a_head()), a_text(1, 0, 0, 0)

    assert head.score(signals_of(odd), HISTORY) == ()
    assert head.score(signals_of(odd, good), HISTORY) == head.score(
        signals_of(good), HISTORY
    )


def test_no_text_gives_no_score() -> None:
    """What was not read is stated as unknown, never as harmless."""
    assert TextRisk(a_head()).score(signals_of(), HISTORY) == ()


def test_signals_of_another_encoder_are_not_scored() -> None:
    """Old recorded signals are not misread by a head for another encoder."""
    signals = signals_of(a_text(1, 0, 0, 0), encoder="cd" * 32)

    assert TextRisk(a_head()).score(signals, HISTORY) == ()


def test_the_start_is_refused_with_another_encoder() -> None:
    """The message names both encoders and what to do."""
    head = TextRisk(a_head())

    head.check_encoder("tiny", ENCODER)
    with pytest.raises(
        StartError, match=r"other \(cdcd.*trained on tiny.*headgate train"
    ):
        head.check_encoder("other", "cd" * 32)


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"not safetensors",
        a_head()[:-1],
        a_head(format="headgate-text-risk/9"),
        a_head(categories='["NO_SUCH"]'),
        a_head(categories='["HATE"]'),
        a_head(hidden_bias=np.zeros(DIM + 1, np.float32)),
        a_head(hidden=np.zeros(DIM, np.float32)),
        a_head(output_bias=np.array([np.nan, 0], np.float32)),
        safetensors.numpy.save({"hidden": np.eye(DIM)}, metadata={"format": FORMAT}),
    ],
)
def test_bad_weights_refuse_to_start(weights: bytes) -> None:
    """A damaged or foreign file never becomes a head that guesses."""
    with pytest.raises(StartError, match="text-risk weights"):
        TextRisk(weights)


def test_the_model_is_named_by_the_hash_of_its_bytes() -> None:
    """A decision can say exactly which head judged."""
    weights = a_head()

    (model,) = TextRisk(weights).models

    assert model.sha256 == hashlib.sha256(weights).hexdigest()
