"""Rows of the bench about known hashes: finding one among a million."""

from statistics import median
from time import perf_counter

import numpy as np

from encoders.bank_searches import PDQ_MAX_DISTANCE
from encoders.hash_index import HammingIndex, LinearIndex, MultiIndex
from tests.benchmarks.table import Aim, Row

KNOWN = 1_000_000
QUICK_KNOWN = 20_000
_TARGET = 20.0  # Single look-ups against brute force, by the project's brief.


def pdq_hashes(count: int) -> list[str]:
    """Make hashes as PDQ's are: half of the bits set, else random."""
    rng = np.random.default_rng(1)
    half = np.repeat(np.array([0, 1], dtype=np.uint8), 128)
    rows = np.packbits(rng.permuted(np.tile(half, (count, 1)), axis=1), axis=1)
    digits = rows.tobytes().hex()
    return [digits[start : start + 64] for start in range(0, len(digits), 64)]


def queries(known: list[str], count: int) -> list[str]:
    """Make look-ups: near copies of known hashes, 0 to 39 bits away."""
    rng = np.random.default_rng(2)
    made = []
    for n in range(count):
        number = int(known[int(rng.integers(len(known)))], 16)
        for place in rng.permutation(256)[: n % 40]:
            number ^= 1 << int(place)
        made.append(f"{number:064x}")
    return made


def rows(quick: bool) -> list[Row]:
    """PDQ look-ups a second among a million, against comparing with all in numpy.

    Raises:
        AssertionError: the two found different hashes.
    """
    known = pdq_hashes(QUICK_KNOWN if quick else KNOWN)
    ours, theirs = MultiIndex(known, PDQ_MAX_DISTANCE), LinearIndex(known)
    looked, ratios = queries(known, 40), []
    for _ in range(1 if quick else 5):
        ours_s, our_hits = _searched(ours, looked)
        theirs_s, their_hits = _searched(theirs, looked)
        assert our_hits == their_hits, "multi-index hashing missed or made up a match"
        ratios.append(theirs_s / ours_s)
    aim = Aim("PDQ matches a second among a million", "numpy, comparing all", _TARGET)
    return [aim.row(median(ratios), note="the same matches")]


def _searched(
    index: HammingIndex, looked: list[str]
) -> tuple[float, list[list[tuple[int, int]]]]:
    started_s = perf_counter()
    hits = [index.within(value, PDQ_MAX_DISTANCE) for value in looked]
    return perf_counter() - started_s, hits
