import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encoders.hashing import hamming
from schemas.records import MediaHash
from streams.seen_hashes import SeenHashes


def a_hash(bits: int, algorithm: str = "pdq") -> MediaHash:
    """Build a hash of 256 bits."""
    return MediaHash("cover", algorithm, f"{bits:064x}")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_it_finds_what_comparing_with_each_would(seed: int, distance: int) -> None:
    """Exactly the uploads with a hash that near, each once, in order."""
    draw = random.Random(seed)
    looked = draw.getrandbits(256)
    flips = [draw.sample(range(256), n) for n in range(60)]
    near = [looked ^ sum(1 << bit for bit in bits) for bits in flips]
    hashes = [a_hash(bits) for bits in draw.sample(near, len(near))]
    seen = SeenHashes(1000)
    for at, pair in enumerate(zip(hashes[::2], hashes[1::2], strict=True)):
        seen.add(at, 0, pair)

    found = seen.near("pdq", f"{looked:064x}", distance)

    assert list(found) == [
        at
        for at in range(30)
        if any(
            hamming(one.value, f"{looked:064x}") <= distance
            for one in hashes[2 * at : 2 * at + 2]
        )
    ]


def test_algorithms_are_kept_apart() -> None:
    """A sha256 that happens to equal a PDQ hash says nothing."""
    seen = SeenHashes(10)
    seen.add(1, 0, [a_hash(5, "sha256")])
    seen.add(2, 0, [a_hash(5, "pdq"), MediaHash("audio", "chromaprint", "AQAA")])

    assert seen.near("sha256", f"{5:064x}", 0) == (1,)
    assert len(seen) == 2


def test_what_is_old_is_forgotten() -> None:
    """What was written at the time itself is kept."""
    seen = SeenHashes(10)
    for at in range(5):
        seen.add(at, 1000 + at, [a_hash(at)])
    seen.expire(1003)

    assert seen.near("pdq", f"{0:064x}", 256) == (3, 4)


@pytest.mark.parametrize("most", [10, 3000])
def test_the_oldest_give_way_where_there_are_too_many(most: int) -> None:
    """Memory is bounded, the newest are there, and what was lost is told."""
    seen = SeenHashes(most)
    for at in range(5000):
        seen.add(at, at, [a_hash(at)])

    found = seen.near("pdq", f"{0:064x}", 256)

    assert most // 2 <= len(found) <= most
    assert found == tuple(range(5000 - len(found), 5000))
    assert seen.forgotten == 5000 - len(found)
