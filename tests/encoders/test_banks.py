"""Facts about banks of known hashes."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.bank_entries import BankError, BankHit, ContentHash, KnownHash
from encoders.bank_file import load_bank
from encoders.banks import HashBank
from encoders.hash_index import LinearIndex

HEADER = "entry_id,algorithm,value,category\n"
SHA = hashlib.sha256(b"known").hexdigest()
PDQ = "ab" * 32


def flipped(value: str, bits: int) -> str:
    """Flip that many bits of a hash, spread over its words."""
    places = np.random.default_rng(bits).permutation(256)[:bits]
    number = int(value, 16)
    for place in places:
        number ^= 1 << int(place)
    return f"{number:064x}"


def looked_for(value: str, quality: int | None = 100) -> tuple[ContentHash, ...]:
    """Build a search for one PDQ hash."""
    return (ContentHash("pdq", value, quality),)


def test_a_known_file_is_found() -> None:
    """A SHA-256 matches exactly, whatever case the bank is written in."""
    bank = load_bank(HEADER + f"e1,SHA256,{SHA.upper()},fraud_spam\n", "b.csv")

    hits = bank.match((ContentHash("sha256", SHA),))

    assert hits == (BankHit("b.csv", "e1", "FRAUD_SPAM", "sha256", 0, 0),)
    assert bank.match((ContentHash("sha256", flipped(SHA, 1)),)) == ()


@pytest.mark.parametrize("bits", [0, 1, 30, 31, 32, 33, 256])
def test_a_near_copy_is_found_up_to_31_bits(bits: int) -> None:
    """The distance is told; the 32nd bit ends the match."""
    bank = load_bank(HEADER + f"e1,pdq,{PDQ},HATE\n", "b.csv")

    hits = bank.match(looked_for(flipped(PDQ, bits)))

    assert [hit.distance for hit in hits] == ([bits] if bits <= 31 else [])


@pytest.mark.parametrize(("quality", "found"), [(None, 0), (0, 0), (49, 0), (50, 1)])
def test_hashes_of_low_quality_match_nothing(quality: int | None, found: int) -> None:
    """Below quality 50, a hash says too little to accuse anyone."""
    bank = load_bank(HEADER + f"e1,pdq,{PDQ},HATE\n", "b.csv")

    assert len(bank.match(looked_for(PDQ, quality))) == found


def test_a_value_is_only_looked_for_under_its_algorithm() -> None:
    """A SHA-256 never matches a PDQ hash of the same digits."""
    bank = load_bank(HEADER + f"e1,pdq,{SHA},HATE\n", "b.csv")

    assert bank.match((ContentHash("sha256", SHA),)) == ()
    assert bank.match((ContentHash("md5", SHA),)) == ()


def test_hits_come_in_one_order() -> None:
    """By the hash looked for, then nearest first, then by entry."""
    lines = [
        f"{entry},pdq,{flipped(PDQ, bits)},HATE\n"
        for entry, bits in (("z", 0), ("b", 9), ("a", 9), ("far", 200))
    ]
    looked = looked_for(flipped(PDQ, 256)) + looked_for(PDQ) * 2

    for text in ("".join(lines), "".join(reversed(lines))):
        hits = load_bank(HEADER + text, "b.csv").match(looked)

        assert [(hit.hash_index, hit.entry_id, hit.distance) for hit in hits] == [
            (index, entry, bits)
            for index in (1, 2)
            for entry, bits in (("z", 0), ("a", 9), ("b", 9))
        ]


def test_search_agrees_with_counting_bit_by_bit(
    shared_data: Callable[[str], Path],
) -> None:
    """Vectorised search gives what Python's integers give, on real hashes."""
    needles = (shared_data("pdq_images") / "needles.txt").read_text().split()
    index = LinearIndex(needles)

    for query in needles[:10]:
        expected = [
            (place, bits)
            for place, value in enumerate(needles)
            if (bits := (int(query, 16) ^ int(value, 16)).bit_count()) <= 125
        ]
        assert index.within(query, 125) == expected
        assert len(expected) > 1


def test_comments_notes_and_byte_order_marks_are_allowed() -> None:
    """A bank may be a spreadsheet's export, with remarks."""
    text = (
        "\ufeff# Known bad covers\r\n"
        "category,note,value,algorithm,entry_id\r\n"
        f'HATE,"seen, twice",{PDQ},pdq,e1\r\n\r\n'
    )

    assert [entry.entry_id for entry in load_bank(text, "b.csv").entries] == ["e1"]


def test_a_bank_is_known_by_its_bytes() -> None:
    """`sha256` is what `sha256sum` says of the file."""
    text = HEADER + f"e1,sha256,{SHA},HATE\n"

    assert load_bank(text, "b").sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_an_empty_bank_finds_nothing() -> None:
    """A header alone is a bank."""
    bank = load_bank(HEADER, "b.csv")

    assert bank.match((*looked_for(PDQ), ContentHash("sha256", SHA))) == ()


def frames(*values: str, quality: int = 100) -> list[ContentHash]:
    """Build the key frames of one video."""
    return [ContentHash("pdq", value, quality, "video") for value in values]


def a_video_bank(*values: str) -> HashBank:
    """Build a bank of one video."""
    return HashBank.of("b", "", [KnownHash("v1", "vpdq", "".join(values), "HATE")])


@pytest.mark.parametrize(("theirs", "found"), [(5, True), (4, True), (3, False)])
def test_a_video_is_known_by_four_fifths_of_its_frames(
    theirs: int, found: bool
) -> None:
    """The rule of vPDQ: of the frames of the upload, so that a part is known too."""
    known = [flipped(PDQ, 100 + n) for n in range(12)]
    other = [flipped(PDQ, 60 + n) for n in range(5 - theirs)]
    looked = frames(*(flipped(value, 2) for value in known[:theirs]), *other)

    hits = a_video_bank(*known).match(looked)

    assert hits == ((BankHit("b", "v1", "HATE", "vpdq", 2, 0),) if found else ())


def test_frames_that_say_little_or_repeat_do_not_count() -> None:
    """A black frame and a still picture's copies change no share."""
    known, other = flipped(PDQ, 100), flipped(PDQ, 60)
    bank = a_video_bank(known)

    assert bank.match(frames(known) + frames(other, quality=49)) != ()
    assert bank.match(frames(*[known] * 9, other)) == ()
    assert bank.match([]) == bank.match(frames(known, quality=49)) == ()


def test_each_video_of_an_upload_is_looked_for_by_itself() -> None:
    """And pictures that are no frames are no video."""
    known, other = flipped(PDQ, 100), flipped(PDQ, 60)
    second = ContentHash("pdq", known, 100, "trailer")

    hits = a_video_bank(known).match([*frames(other), second, *looked_for(known)])

    assert [hit.hash_index for hit in hits] == [1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"b\.csv:1: empty; expected the header entry_id,algorithm"),
        ("a,b\n", r"b\.csv:1: columns are 'a,b'; expected entry_id"),
        (HEADER + "e1,md5,00,HATE\n", r"b\.csv:2: algorithm is 'md5'; expected sha256"),
        (HEADER + "\ne1,pdq,abc,HATE\n", r"b\.csv:3: value is 'abc'; expected 64 hex"),
        (HEADER + f"e1,pdq,{'g' * 64},HATE\n", r"b\.csv:2: value is 'g+'"),
        (HEADER + f",pdq,{PDQ},HATE\n", r"b\.csv:2: entry_id is ''"),
        (HEADER + f"e1,pdq,{PDQ},to hate\n", r"b\.csv:2: category is 'to hate'"),
        (HEADER + f"e1,pdq,{PDQ},HATRED\n", r"b\.csv:2: category is 'HATRED'; .* HATE"),
        (HEADER + f"e1,pdq,{PDQ}\n", r"b\.csv:2: 3 columns; expected 4"),
        (HEADER + 'e1,"pdq\n', r"b\.csv:\d: not CSV"),
    ],
)
def test_a_bad_bank_is_refused(text: str, message: str) -> None:
    """The error names file, line, what was found and what was expected."""
    with pytest.raises(BankError, match=message):
        load_bank(text, "b.csv", categories={"HATE", "FRAUD_SPAM"})
