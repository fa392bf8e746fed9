"""Odd texts with the real models: a number with a reason, or a signal that is missing.

Never an exception, never a number that is none. Odd media is in test_bad_input.py.
"""

import json
import math
from datetime import timedelta

import numpy as np
import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.model_files import DEFAULT_TEXT_MODEL
from encoders.text import load_text_encoder
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.json_form import decision_to_json
from schemas.records import ContentSignals, Kind, RiskDecision
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.explaining import explain
from streams.judge import Judge
from streams.pipeline import Pipeline
from streams.retries import RetryBounds
from streams.scorers import default_scorers
from streams.settings import default_policy
from streams.understand import Understanding
from streams.upload import Upload
from streams.wiring import build_text_risk, read_policy
from tests.builders import NOON, an_event
from tests.fakes import FakeGuard, FakeLog, FakeTextEncoder, a_record
from tests.languages import LATIN_SCRIPT, OTHER_SCRIPTS, codes

CODEC = Codec(CommittedIds())
ODD = {
    "empty": "",
    "blank": " \n\t\u3000",
    "one_letter_a_million_times": "a" * 1_000_000,
    "one_blank_a_million_times": " " * 1_000_000,
    "one_chinese_letter": "好" * 5_000,
    "only_emoji": "🔪🩸😡" * 50,
    "flags_and_families": "🏴‍☠️👩‍👩‍👧‍👦" * 20,
    "controls": "".join(map(chr, range(32))) + "\x7f\x85 kill \x00 me \x1b[2J",
    "nothing_but_controls": "\x00\x01\x02\x1b\x7f",
    "invisible": "\u200b\u2060\ufeff" * 100,
    "right_to_left": "\u202e" * 40 + "uoy etah i",
    "piled_marks": "h" + "\u0301" * 2000 + "i",
    "private_use": "\ue000\uf8ff" * 30,
    "not_a_character": "\ufffe\uffff" * 30,
    "digits": "1234567890 " * 30,
    "signs": "!?!?…–—@#%^&*" * 30,
    "html": "<b>" * 500,
    "one_long_word": "hate" * 1000,
    "lines": "\n" * 5000 + "hi",
}


def a_judge():
    """Build the judge with the shipped head and policy."""
    return Judge(default_scorers(build_text_risk()), read_policy(default_policy()))


def an_understanding(encoder):
    """Build what reads texts."""
    reader = InProcessReader(MediaLimits(1000, 6))
    return Understanding(encoder, (), reader, timedelta(days=1))


@pytest.fixture(scope="module")
def understanding():
    """Load the text model once."""
    return an_understanding(
        load_text_encoder(DEFAULT_TEXT_MODEL, device="cpu", allow_download=False)
    )


def signals_of(understanding, content_id="c1", **texts):
    """Return the signals of an upload with these texts."""
    event = an_event(content_id, kind=Kind.TITLE, texts=tuple(texts.items()))
    pipeline = Pipeline(understanding, lambda: None, a_judge())
    return pipeline.encode(Upload(event, arrived_at=NOON))


def decided(signals):
    """Judge signals of an uploader who has no history."""
    pipeline = Pipeline(None, lambda: None, a_judge())
    return pipeline.decide(signals, {}, CODEC.encode)


def probabilities(decision):
    """Return the decision's numbers that there are."""
    found = [c.probability for c in decision.categories if c.probability is not None]
    return found + [a.value for a in decision.anomalies]


def missing(decision):
    """Return what a decision says is missing: signal to reason."""
    return {m.signal: m.reason for m in decision.missing}


@pytest.mark.models
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_text_is_decided(understanding, text):
    """All numbers are in [0, 1]; a text that was not read whole is named."""
    decision = decided(signals_of(understanding, title=text))

    assert all(0 <= value <= 1 for value in probabilities(decision))
    assert all(a.reason for a in decision.anomalies)
    assert ("text:title" in missing(decision)) == (len(text) > 100_000)
    json.dumps(decision_to_json(decision), allow_nan=False)


@pytest.mark.models
@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_text_is_explained_within_bounds(understanding, text):
    """A reviewer may ask why of any text."""
    found, _ = explain(text[:100_000], understanding._text, build_text_risk())

    assert all(math.isfinite(p.drop) for one in found for p in one.sentences)


@pytest.mark.models
@pytest.mark.parametrize(
    ("language", "sentence", "title"), OTHER_SCRIPTS, ids=codes(OTHER_SCRIPTS)
)
def test_no_number_for_a_script_the_head_does_not_read(
    understanding, language, sentence, title
):
    """The decision says which language is missing, for a title of one word too."""
    decision = decided(signals_of(understanding, title=title, description=sentence))

    assert all(c.probability is None for c in decision.categories)
    assert set(missing(decision)) == {"language:title", "language:description"}


@pytest.mark.models
@pytest.mark.parametrize(
    ("language", "sentence", "title"), LATIN_SCRIPT, ids=codes(LATIN_SCRIPT)
)
def test_no_number_for_a_sentence_the_head_does_not_read(
    understanding, language, sentence, title
):
    """Latin letters are no sign of English."""
    decision = decided(signals_of(understanding, description=sentence))

    assert all(c.probability is None for c in decision.categories)
    assert f"unsupported: {language}" in missing(decision)["language:description"]


class BrokenEncoder(FakeTextEncoder):
    """Gives what is no number for the texts it chokes on."""

    def embed(self, texts):
        """Return float32, shape (n, 384), some rows of NaN or infinity."""
        rows = super().embed(texts)
        rows[[at for at, text in enumerate(texts) if "nan" in text]] = np.nan
        rows[[at for at, text in enumerate(texts) if "inf" in text], 3] = -np.inf
        return rows


@pytest.mark.parametrize("text", ["a nan", "an inf"])
def test_an_embedding_that_is_no_number_is_a_missing_signal(text):
    """A person looks at it, and no number of the decision is NaN."""
    signals = signals_of(an_understanding(BrokenEncoder()), title=text, album="fine")

    decision = decided(signals)

    assert list(missing(decision)) == ["text:title"]
    assert decision.clause == "missing.text"
    json.dumps(decision_to_json(decision), allow_nan=False)


@pytest.mark.models
def test_a_text_alone_or_in_a_batch_is_judged_alike(understanding):
    """What stands beside an upload in the model's batch never shows in its signals."""
    texts = [*ODD.values(), "I hate this song", "Free money, call now!"]
    uploads = [
        ContentSignals(an_event(str(at), texts=(("title", text),)), stage="COMPLETE")
        for at, text in enumerate(texts)
    ]

    together = understanding.embed(uploads)

    assert together == [understanding.embed([one])[0] for one in uploads]
    assert together[::-1] == understanding.embed(uploads[::-1])


@pytest.mark.models
def test_assess_and_the_workers_judge_agree(understanding):
    """The worker judges what it reads back from the topic, to the same bytes."""
    texts = [*ODD.values(), "i will find you and kill you tonight", OTHER_SCRIPTS[0][1]]
    signals = [
        signals_of(understanding, str(at), title=text) for at, text in enumerate(texts)
    ]
    letters = DeadLetters("judge", "headgate", DeadLetterLimit(50, 1000))
    worker = BatchJudging(
        a_judge(), CODEC, letters, FakeGuard(), RetryBounds(2, 60), FakeLog()
    )
    histories = {}

    for one in signals:
        record = a_record(0, CODEC.encode(one), topic="content.signals.v1")
        batch = worker([record], histories)
        (value,) = (o.value for o in batch.outputs if o.topic == "risk.decision.v1")
        assert CODEC.decode(value, RiskDecision) == decided(one)
