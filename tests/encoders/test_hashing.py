"""Facts about hashes of media."""

import csv
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from encoders.hashing import PdqHash, hamming, pdq, sha256_hex
from encoders.image import decode_image
from encoders.signals import Pixels
from tests.media_builders import LIMITS, a_picture, encoded

Find = Callable[[str], Path]


def pdq_of(file: Path) -> PdqHash:
    """Hash a picture file the way an upload is hashed."""
    return pdq(decode_image(file.read_bytes(), LIMITS))


def rows(folder: Path, group: str) -> list[dict[str, str]]:
    """Read one group of the reference pictures."""
    with (folder / "images.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["group"] == group]


def test_hashes_agree_with_the_reference(shared_data: Find) -> None:
    """At most 8 bits from C++'s hashes, and 4 from Python's, which rescales too."""
    folder = shared_data("pdq_images")
    bridges = rows(folder, "bridge")
    assert len(bridges) == 12
    for row in bridges:
        ours = pdq_of(folder / row["file"])
        assert hamming(ours.hex, row["pdq_reference"]) <= 8, row["file"]
        assert hamming(ours.hex, row["pdq_python_reference"]) <= 4, row["file"]
        assert ours.quality >= 50


def test_edits_of_a_picture_match_and_others_do_not(shared_data: Find) -> None:
    """31 bits tell edits of the bridge from turned ones and from other photos."""
    folder = shared_data("pdq_images")
    original = pdq_of(folder / "bridge-mods" / "aaa-orig.jpg").hex
    distances = {
        group: [hamming(original, pdq_of(folder / r["file"]).hex) for r in found]
        for group in ("bridge", "bridge_dihedral", "distinct")
        if (found := rows(folder, group))
    }

    assert max(distances["bridge"]) <= 31
    assert min(distances["distinct"]) > 80
    assert sorted(distances["bridge_dihedral"])[1] > 80  # Its first is not turned.


def test_pictures_survive_a_change_of_format_and_size() -> None:
    """The same picture as small JPEG and as large PNG is within the match distance."""
    large, small = a_picture(1600, 1200), a_picture(1600, 1200).resize((200, 150))

    a = pdq(decode_image(encoded(large), LIMITS))
    b = pdq(decode_image(encoded(small, "JPEG", quality=60), LIMITS))

    assert hamming(a.hex, b.hex) <= 31
    assert min(a.quality, b.quality) >= 50


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (1, 1024), (1024, 1), (90, 90)])
def test_pictures_with_nothing_to_see_have_no_quality(shape: tuple[int, int]) -> None:
    """A few pixels, or one colour, give quality 0 and no crash."""
    hashed = pdq(Pixels(np.full((*shape, 3), 90, np.uint8)))

    assert (len(hashed.hex), hashed.quality) == (64, 0)


def test_sha256_is_lower_case_hex() -> None:
    """It is the standard's value for `abc`."""
    assert sha256_hex(b"abc").startswith("ba7816bf8f01cfea")
    assert sha256_hex(b"") == hashlib.sha256().hexdigest()


def test_hamming_counts_bits() -> None:
    """From none to all 256; unlike lengths are a mistake."""
    assert hamming("0" * 64, "0" * 64) == 0
    assert hamming("0" * 64, "f" * 64) == 256
    assert hamming("0" * 63 + "1", "0" * 63 + "2") == 2
    with pytest.raises(ValueError, match="63"):
        hamming("0" * 64, "0" * 63)
