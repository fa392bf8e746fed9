from datetime import timedelta

import pytest

from schemas.records import BankMatch, Category, MediaHash, Stage, SweptEntry
from streams.sweep import Sweep
from tests.builders import NOON, signals

COVER = MediaHash("cover", "sha256", "aa" * 32)
WINDOW = timedelta(days=90)


def a_match(entry_id: str, bank: str = "terror") -> BankMatch:
    """Build a match of the cover."""
    return BankMatch("cover", bank, entry_id, Category.VIOLENT_EXTREMISM, "sha256", 0)


class Banks:
    """Banks that know the cover by the entries they were told."""

    def __init__(self, *entry_ids: str) -> None:
        self.entry_ids = list(entry_ids)

    def __call__(self, hashes):
        """Find the cover."""
        known = self.entry_ids if COVER in hashes else []
        return [a_match(entry_id) for entry_id in known]


def an_upload(**fields):
    """Build the signals of an upload with the cover."""
    return signals("c1", hashes=(COVER,), **fields)


def test_an_entry_that_came_later_is_found():
    """The upload's signals come back with the match and its name."""
    banks = Banks()
    sweep, upload = Sweep(banks, WINDOW), an_upload()
    sweep.note(upload)
    assert sweep.missed(upload, NOON) is None

    banks.entry_ids.append("e1")
    swept = sweep.missed(upload, NOON)

    assert swept.stage is Stage.SWEPT
    assert swept.sweep == (SweptEntry("terror", "e1"),)
    assert swept.matches == (a_match("e1"),)
    assert swept.event == upload.event


def test_only_what_is_new_is_swept():
    """What the upload's own signals named was decided on when it came."""
    sweep = Sweep(Banks("e1", "e2"), WINDOW)
    upload = an_upload(matches=(a_match("e1"),))
    sweep.note(upload)

    swept = sweep.missed(upload, NOON)

    assert swept.sweep == (SweptEntry("terror", "e2"),)
    assert swept.matches == (a_match("e1"), a_match("e2"))


def test_nothing_is_swept_twice():
    """SWEPT signals on the topic say what was done, whoever did it."""
    sweep, upload = Sweep(Banks("e1"), WINDOW), an_upload()
    swept = sweep.missed(upload, NOON)
    again = Sweep(Banks("e1"), WINDOW)
    again.note(upload)
    again.note(swept)

    assert again.missed(upload, NOON) is None
    assert again.missed(swept, NOON) is None


def test_another_revision_is_another_upload():
    """Its media may have changed."""
    sweep = Sweep(Banks("e1"), WINDOW)
    sweep.note(sweep.missed(an_upload(), NOON))

    assert sweep.missed(an_upload(revision=1), NOON) is not None


@pytest.mark.parametrize(
    "upload",
    [an_upload(stage=Stage.SCREENED), an_upload(at_s=-91 * 86_400)],
    ids=["provisional", "too old"],
)
def test_what_is_not_final_or_too_old_is_left_alone(upload):
    """Provisional signals have their final ones behind them."""
    assert Sweep(Banks("e1"), WINDOW).missed(upload, NOON) is None


def test_what_is_known_of_old_uploads_is_forgotten():
    """Memory is bounded by the window."""
    sweep = Sweep(Banks("e1"), WINDOW)
    sweep.note(an_upload(matches=(a_match("e1"),)))

    sweep.expire(NOON + timedelta(days=89))
    assert sweep.uploads == 1
    sweep.expire(NOON + timedelta(days=91))
    assert sweep.uploads == 0
