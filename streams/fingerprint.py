"""What an upload is like, in few bytes: its mean embedding and its 256-bit signature.

Scorers compare these with the history's; `history` remembers them. Everything is
computed from the signals in a fixed order, so the same signals give the same bytes.
"""

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from schemas.records import ContentSignals

SIGNATURE_BITS = 256  # As many as PDQ has, so that both fit the same field.
PDQ_MIN_QUALITY = 50  # PDQ's own advice: discard hashes below (Meta, hashing.pdf).
MAX_DIMS = 4096  # The widest sentence embedding in common use (e5-mistral).
_PLANES_SEED = b"headgate simhash v1"  # Change it and every stored signature is void.


def unpack(vector: bytes) -> NDArray[np.float32] | None:
    """Read float32 little-endian, shape (dim,); None for what can't be a vector."""
    if not vector or len(vector) % 4 or len(vector) > 4 * MAX_DIMS:
        return None
    values = np.frombuffer(vector, dtype="<f4").astype(np.float32)
    return values if np.isfinite(values).all() else None


def mean_embedding(signals: ContentSignals) -> NDArray[np.float32] | None:
    """Return the mean of the texts' embeddings, float32, shape (dim,), unit length.

    Embeddings that are not numbers, or of another size than the first, don't count.
    None where no text has one. Read-only.
    """
    return _mean(tuple(text.embedding for text in signals.texts))


@lru_cache(maxsize=4)  # Scorers and learning ask for the same upload's in turn.
def _mean(embeddings: tuple[bytes, ...]) -> NDArray[np.float32] | None:
    vectors = [v for e in embeddings if (v := unpack(e)) is not None]
    if not vectors:
        return None
    alike = [vector for vector in vectors if len(vector) == len(vectors[0])]
    # Over the first axis numpy adds row by row, so the sum's order is the texts'.
    total: NDArray[np.float64] = np.stack(alike).astype(np.float64).sum(axis=0)
    length = math.sqrt(_exact_sum(total * total))
    if not length > 0:
        return None
    mean: NDArray[np.float32] = (total / length).astype(np.float32)
    mean.flags.writeable = False
    return mean


def cosine_distance(a: NDArray[np.float32], b: NDArray[np.float32]) -> float | None:
    """Return 1 - cosine in [0, 2]; None where sizes differ or a vector is zero.

    Rounded to 6 decimals, and summed exactly: low bits differ between processors
    and would otherwise creep into histories.
    """
    return _cosine_distance(a.astype("<f4").tobytes(), b.astype("<f4").tobytes())


@lru_cache(maxsize=4)  # A scorer and learning ask for the same upload's in turn.
def _cosine_distance(a: bytes, b: bytes) -> float | None:
    if len(a) != len(b):
        return None
    wide_a = np.frombuffer(a, "<f4").astype(np.float64)
    wide_b = np.frombuffer(b, "<f4").astype(np.float64)
    norm = math.sqrt(_exact_sum(wide_a * wide_a) * _exact_sum(wide_b * wide_b))
    if not norm > 0:
        return None
    cosine = _exact_sum(wide_a * wide_b) / norm
    return round(1.0 - max(-1.0, min(1.0, cosine)), 6)


def _exact_sum(values: NDArray[np.float64]) -> float:
    return math.fsum(values.tolist())


@lru_cache(maxsize=4)
def _planes(dim: int) -> NDArray[np.float64]:
    """Return 256 seeded hyperplanes of ±1, shape (256, dim).

    From SHAKE-256 and not from numpy's generators, whose streams may change between
    releases (NEP 19), which would void the signatures in every stored history.
    """
    stream = hashlib.shake_256(_PLANES_SEED).digest(SIGNATURE_BITS * dim // 8)
    bits = np.unpackbits(np.frombuffer(stream, dtype=np.uint8))
    return bits.reshape(SIGNATURE_BITS, dim).astype(np.float64) * 2 - 1


def simhash(embedding: NDArray[np.float32]) -> bytes:
    """Return 32 bytes, a bit for each hyperplane's side (Charikar, 2002).

    Two embeddings at angle θ differ in about 256·θ/π bits.
    """
    return _simhash(embedding.astype("<f4").tobytes())


@lru_cache(maxsize=4)
def _simhash(embedding: bytes) -> bytes:
    vector = np.frombuffer(embedding, "<f4").astype(np.float64)
    return np.packbits(_planes(len(vector)) @ vector > 0).tobytes()


def signature(signals: ContentSignals) -> bytes:
    """Return 32 bytes that near copies almost share; empty if there is nothing to use.

    The SimHash of the mean embedding, or the first usable PDQ hash for an upload that
    is only pictures. The two kinds are about 128 bits apart, so they never meet.
    """
    embedding = mean_embedding(signals)
    if embedding is not None:
        return simhash(embedding)
    for found in signals.hashes:
        poor = found.quality is not None and found.quality < PDQ_MIN_QUALITY
        if found.algorithm == "pdq" and not poor and len(found.value) == 64:
            try:
                return bytes.fromhex(found.value)
            except ValueError:
                continue
    return b""


def differing_bits(a: bytes, b: bytes) -> int:
    """Return how many bits differ between two signatures of equal length."""
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()
