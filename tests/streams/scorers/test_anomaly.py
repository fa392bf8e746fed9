from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import UploaderHistory
from streams.scorers.anomaly import Anomaly
from tests.builders import a_history, a_text_signal, an_embedding, signals

USUAL = an_embedding(1)


def a_known(**fields: object) -> UploaderHistory:
    """Build a history with a known centroid and spread."""
    defaults = {
        "centroid": USUAL,
        "centroid_uploads": 40,
        "distance_mean": 0.1,
        "distance_m2": 0.1,  # Of 39 distances: a standard deviation of 0.05.
    }
    return a_history(**(defaults | fields))


def value(embedding: bytes, history: UploaderHistory) -> float:
    """Score an upload with this embedding."""
    text = a_text_signal(embedding=embedding)
    (score,) = Anomaly().score(signals(texts=(text,)), history)
    return score.value


def test_the_usual_is_no_anomaly_and_the_unrelated_is():
    """The centroid itself scores zero, an unrelated text above 0.99."""
    assert value(USUAL, a_known()) == 0
    assert value(an_embedding(2), a_known()) > 0.99


def test_who_varies_much_may_go_further():
    """The same distance is less unusual where the spread is wider."""
    assert value(an_embedding(2), a_known(distance_m2=10.0)) < 0.8


def test_nothing_is_unusual_before_the_grace_period_is_over():
    """Nine uploads are too few to know what is usual."""
    assert value(an_embedding(2), a_known(centroid_uploads=9)) == 0
    assert value(an_embedding(2), a_known(centroid_uploads=10)) > 0.9


def test_three_spreads_out_is_nine_tenths():
    """At z = 3 the value is 0.9, as Cantelli's inequality has it."""
    distance_of_unrelated = 1.0
    history = a_known(distance_mean=distance_of_unrelated - 3 * 0.05, distance_m2=0.0)
    nearly = value(an_embedding(2), history)

    assert abs(nearly - 0.9) < 0.05


@settings(deadline=None)
@given(st.floats(0.0, 1.5), st.floats(0.0, 1.5))
def test_further_out_is_never_less_unusual(a, b):
    """The value grows with the distance from the centroid."""
    near, far = (an_embedding(2, near=USUAL, step=step) for step in sorted((a, b)))

    assert value(near, a_known()) <= value(far, a_known()) + 1e-6


def test_another_text_model_is_not_an_anomaly():
    """A centroid of another size can't be compared, so nothing is said."""
    assert value(an_embedding(2), a_known(centroid=b"\0\0\x80\x3f" * 8)) == 0
