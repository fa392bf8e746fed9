"""Facts about searching many hashes by distance."""

import numpy as np
import pytest

from encoders.hash_index import (
    LinearIndex,
    MultiIndex,
    as_words,
    hash_index,
    in_steps,
)


def hashes(count: int, seed: int = 0) -> list[str]:
    """Make hashes, spread evenly."""
    rows = np.random.default_rng(seed).integers(0, 256, (count, 32), dtype=np.uint8)
    return [row.tobytes().hex() for row in rows]


def near(value: str, bits: int, seed: int = 0) -> str:
    """Flip that many bits of a hash, anywhere."""
    number = int(value, 16)
    for place in np.random.default_rng(seed).permutation(256)[:bits]:
        number ^= 1 << int(place)
    return f"{number:064x}"


def spread(value: str, bits: int) -> str:
    """Flip bits of a hash, as evenly over its words of 16 as can be."""
    number = int(value, 16)
    for n in range(bits):
        number ^= 1 << (n % 16 * 16 + n // 16)
    return f"{number:064x}"


@pytest.mark.parametrize("distance", [0, 1, 14, 15, 16, 17, 30, 31, 32, 125])
def test_it_finds_what_comparing_with_all_finds(distance: int) -> None:
    """The same places and distances, at every distance that changes the way."""
    values = hashes(3_000)
    values += [near(values[n % 50], n % 40, n) for n in range(1_000)]
    ours, all_of_them = MultiIndex(values, 31), LinearIndex(values)

    found = [ours.within(value, distance) for value in values[:100]]

    assert found == [all_of_them.within(value, distance) for value in values[:100]]
    assert sum(map(len, found)) > (100 if distance else 99)


@pytest.mark.parametrize("bits", [15, 16, 17, 30, 31])
def test_bits_spread_over_every_word_hide_nothing(bits: int) -> None:
    """The worst case of the pigeonhole: 31 bits leave one word with one bit."""
    known = hashes(1)[0]

    assert MultiIndex([known], 31).within(spread(known, bits), 31) == [(0, bits)]


@pytest.mark.parametrize("bit", range(16))
@pytest.mark.parametrize("lone", [0, 9, 15])
def test_whichever_bit_is_the_only_one_of_its_word(lone: int, bit: int) -> None:
    """Every other word differs in two: only this one leads to the hash."""
    known = hashes(1)[0]
    differing = 1 << lone * 16 + bit
    for word in range(16):
        differing |= 0 if word == lone else 0b101 << word * 16 + word % 13

    looked = f"{int(known, 16) ^ differing:064x}"

    assert MultiIndex([known], 31).within(looked, 31) == [(0, 31)]


def test_many_hashes_that_share_a_word_are_found() -> None:
    """Copies of one picture do not make a search slower than comparing with all."""
    values = [near(hashes(1)[0], n % 5, n) for n in range(3_000)]

    found = MultiIndex(values, 31).within(values[0], 31)

    assert [place for place, _ in found] == list(range(3_000))


def test_a_search_beyond_what_it_was_made_for_is_still_right() -> None:
    """An index for exact search gives near ones too, by comparing with all."""
    values = hashes(2_500)

    index = MultiIndex(values, 0)

    assert index.within(values[7], 0) == [(7, 0)]
    assert index.within(near(values[7], 9), 31) == [(7, 9)]


def test_state_is_bounded() -> None:
    """96 bytes a hash beside the tables; 36 for exact search."""
    values = hashes(2_000)

    assert MultiIndex(values, 31).state_bytes == 2_000 * 96 + (16 * 65_536 + 1) * 8
    assert MultiIndex(values, 0).state_bytes == 2_000 * 36 + (65_536 + 1) * 8


@pytest.mark.parametrize(("count", "kind"), [(0, LinearIndex), (2_000, MultiIndex)])
def test_the_faster_index_is_chosen(count: int, kind: type) -> None:
    """Tables pay from some thousand hashes on."""
    index = hash_index(hashes(count), 31)

    assert type(index) is kind
    assert index.within("0" * 64, 31) == []


def test_steps_lose_nothing() -> None:
    """What is built in steps is built of everything, in order."""
    values = hashes(10_000)

    assert [v for step in in_steps(values) for v in step] == values
    assert as_words(values).tobytes().hex() == "".join(values)
