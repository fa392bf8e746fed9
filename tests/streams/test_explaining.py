from types import MappingProxyType

import numpy as np
import pytest

from encoders.signals import Span
from encoders.text_split import split_text
from schemas.records import Category
from streams.explaining import (
    MOST_PARTS,
    MOST_READINGS,
    carriers,
    explain,
)

BAD = "pin"


class WordEncoder:
    """Embeds a text as what it is; windows of twenty words; counts what it reads."""

    words = MappingProxyType({"pin": 1, "hello": 2})

    def __init__(self):
        self.read = []

    def embed(self, texts):
        """Return the texts."""
        self.read += texts
        return list(texts)

    def split(self, text):
        """Cut at sentences, else at words."""
        starts = [at for at, c in enumerate(text) if not at or text[at - 1] == " "]
        return split_text(
            text, lambda block: [s for s in starts if s < len(block)] or [0], 20
        )


class WordHead:
    """Takes the share of bad words for the probability of fraud, half of it of hate."""

    categories = (Category.HATE, Category.FRAUD_SPAM)
    languages = frozenset({"en"})

    def probabilities(self, texts):
        """Return float64, shape (n, 2)."""
        shares = [
            min(1.0, 2 * text.lower().count(BAD) / max(1, len(text.split())))
            for text in texts
        ]
        return np.round(np.array([[share / 8, share] for share in shares]), 4)


def explained(text):
    """Explain with the fakes; return the explanations and what was encoded."""
    encoder = WordEncoder()
    found, unread = explain(text, encoder, WordHead())
    return found, unread, encoder.read


def cut(text, span):
    """Return what a span covers."""
    return text[span.start_char : span.end_char]


def test_the_sentence_and_the_word_that_carry_come_first():
    """Without them the probability falls most; the others' drops may be negative."""
    text = "Hello there, my dear. Now send your PIN! See you."

    ((fraud,), _, _) = explained(text)

    assert fraud.category is Category.FRAUD_SPAM
    assert cut(text, fraud.sentences[0].span) == "Now send your PIN!"
    assert fraud.sentences[0].drop == fraud.probability
    assert fraud.sentences[0].alone == 0.5
    assert fraud.sentences[1].drop < 0
    assert cut(text, fraud.words[0].span) == "PIN!"


def test_spans_are_of_the_text_as_it_was_written():
    """What hid a word is inside its span, and what was read is shown beside."""
    text = "Hello you. Send your P\u200bI\u200bN now."

    ((fraud,), _, _) = explained(text)

    assert fraud.read == "Hello you. Send your PIN now."
    assert cut(text, fraud.words[0].span) == "P\u200bI\u200bN"


def test_of_a_long_text_the_riskiest_window_is_explained():
    """Its spans count from the whole text's start."""
    text = "All is well here today. " * 40 + "Send me your PIN. Bye."

    ((fraud,), _, _) = explained(text)

    assert cut(text, fraud.sentences[0].span) == "Send me your PIN."
    assert fraud.window.start_char > 100


@pytest.mark.parametrize("sentence", ["PIN. ", "PIN ", "pin,"])
def test_cost_is_bounded_and_nothing_is_left_out(sentence):
    """Of more parts than the most, neighbours are left out together."""
    encoder = WordEncoder()
    encoder.split = lambda text: (Span(0, len(text)),)
    text = sentence * 1000

    ((fraud,), _) = explain(text, encoder, WordHead())

    assert len(encoder.read) <= 1 + 1 + MOST_READINGS
    for parts, within in ((fraud.sentences, text), (fraud.words, None)):
        assert len(parts) <= MOST_PARTS
        covered = sum(p.span.end_char - p.span.start_char for p in parts)
        whole = len(within.strip()) if within else covered
        assert covered + len(parts) >= whole


def test_the_only_word_carries_all():
    """There is nothing left to read without it."""
    sentences, words = carriers("PIN", lambda texts: np.full(len(texts), 0.9))

    assert [p.drop for p in (*sentences, *words)] == [0.9, 0.9]


def test_a_text_of_no_risk_explains_its_highest_category():
    """The answer to "why not?" is a number too."""
    ((highest,), _, _) = explained("All is well.")

    assert highest.probability == 0


@pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
def test_a_blank_text_has_no_explanation(text):
    """Nothing was read."""
    found, unread, _ = explained(text)

    assert (found, unread) == ((), ()) or found[0].probability == 0


def test_what_the_head_does_not_read_is_named():
    """A window in another language has no number, and so no explanation."""
    found, (window,), read = explained(
        "静かな海辺の町で録音した、ピアノの小さな曲です。"
    )

    assert found == ()
    assert window.language == "ja"
    assert read == []
