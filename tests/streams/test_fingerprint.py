import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.fingerprint import (
    cosine_distance,
    differing_bits,
    mean_embedding,
    signature,
    simhash,
    unpack,
)
from tests.builders import DIM, a_text_signal, an_embedding, signals


def vector(seed: int = 0, **near: object) -> np.ndarray:
    """Build an embedding as an array."""
    return unpack(an_embedding(seed, **near))


@settings(deadline=None)
@given(st.integers(0, 1000), st.floats(0.05, 3.0))
def test_signatures_differ_as_the_angle_does(seed, step):
    """About 256·θ/π bits differ, within five standard deviations."""
    a = an_embedding(seed)
    b = vector(seed + 2000, near=a, step=step)
    expected = math.acos(1 - cosine_distance(unpack(a), b)) / math.pi

    bits = differing_bits(simhash(unpack(a)), simhash(b))

    spread = math.sqrt(256 * expected * (1 - expected))
    assert abs(bits - 256 * expected) < 5 * spread + 1


def test_a_signature_never_changes_between_releases():
    """Stored histories hold signatures, so this one is written down."""
    ramp = np.arange(1, DIM + 1, dtype=np.float32)

    assert simhash(ramp).hex() == SIGNATURE_OF_RAMP


SIGNATURE_OF_RAMP = "79ed591e98203096ac69d34dd22e21bec83c26aa05f7c855d230024a77dd7270"


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=5))
def test_the_mean_has_unit_length(seeds):
    """Whatever the texts, their mean direction is a unit vector."""
    texts = tuple(a_text_signal(seed=seed) for seed in seeds)

    assert np.linalg.norm(mean_embedding(signals(texts=texts))) == pytest.approx(1)


@pytest.mark.parametrize("bad", [b"", b"abc", b"\0\0\xc0\x7f" * DIM, b"\0" * 4 * DIM])
def test_what_is_no_embedding_does_not_count(bad):
    """Empty, torn, NaN and zero embeddings leave the mean as it is without them."""
    good = a_text_signal(seed=3)
    both = signals(texts=(good, a_text_signal(embedding=bad)))

    assert np.array_equal(mean_embedding(both), mean_embedding(signals(texts=(good,))))
    assert signature(signals(texts=(a_text_signal(embedding=bad),))) == b""
