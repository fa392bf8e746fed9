from streams.scorers.evasion import Evasion
from tests.builders import a_history, a_text_signal, signals


def score(*evasions):
    """Score an upload of texts with these shares of disguised words."""
    texts = tuple(a_text_signal(source=f"t{e}", evasion=e) for e in evasions)
    return Evasion().score(signals(texts=texts), a_history())


def test_the_most_disguised_text_counts():
    """One text in disguise is not averaged away by plain ones."""
    (found,) = score(0.0, 0.8, 0.25)

    assert found.value == 0.8
    assert found.reason == "80% of the words of t0.8 in disguise"


def test_plain_texts_score_zero_and_no_text_scores_nothing():
    """Zero is a finding; without text there is none."""
    (found,) = score(0.0)

    assert (found.value, found.reason) == (0.0, "no words in disguise")
    assert score() == ()
    assert score(float("nan")) == ()
