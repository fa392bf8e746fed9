import os
import stat
import time

import numpy as np
import pytest

from encoders.signals import (
    GatedSpeech,
    ModelIdentity,
    SpeechResult,
    SpeechSegment,
    SpokenWord,
    Waveform,
)
from encoders.speech import Window
from streams import transcript_journal
from streams.transcript_journal import TranscriptJournals

MODEL = ModelIdentity("speech", "m", "1" * 64)
WORD = SpokenWord(1.0, 1.5, "née", 0.9)
RESULT = SpeechResult(
    "en",
    (SpeechSegment(1.0, 2.0, "née en été", -0.5, 0.1, 1.2, (WORD,)),),
    (GatedSpeech(3.0, 4.0, "unsure"),),
)


class Told:
    """Keeps what was told."""

    def __init__(self):
        self.notes = []

    def __call__(self, event, **facts):
        """Keep it."""
        self.notes.append((event, facts))


@pytest.fixture
def told():
    """What the journals told."""
    return Told()


@pytest.fixture
def journals(tmp_path, told):
    """The journals of one model in a folder that is not there yet."""
    return TranscriptJournals(tmp_path / "state" / "transcripts", MODEL, told)


def a_window(start_s=0.0, n_samples=160):
    """Build a window."""
    return Window(Waveform(np.zeros(n_samples, np.float32)), start_s)


def the_file(tmp_path):
    """Return the only journal's file."""
    (file,) = (tmp_path / "state" / "transcripts").iterdir()
    return file


def test_what_was_noted_is_recalled_after_a_restart(journals):
    """Every word, number and gate of it; by the window's very place."""
    first = journals.open(b"sound")
    first.note(a_window(30.0), RESULT)
    first.close()
    again = journals.open(b"sound")

    assert again.recall(a_window(30.0)) == RESULT
    assert again.recall(a_window(30.0, n_samples=161)) is None
    assert again.recall(a_window(0.0)) is None
    assert again.recalled == 1
    again.close()


def test_another_sound_model_or_wish_for_words_knows_nothing(journals, tmp_path, told):
    """A transcript is of these bytes by this model, with words or without."""
    first = journals.open(b"sound")
    first.note(a_window(), RESULT)
    first.close()
    folder = tmp_path / "state" / "transcripts"
    other = ModelIdentity("speech", "m", "2" * 64)
    strangers = [
        journals.open(b"other sound"),
        TranscriptJournals(folder, other, told).open(b"sound"),
        TranscriptJournals(folder, MODEL, told, words=True).open(b"sound"),
    ]

    assert [journal.recall(a_window()) for journal in strangers] == [None] * 3
    for journal in strangers:
        journal.close()


@pytest.mark.parametrize("torn", [b'{"start": 480000, "sam', b'[1]\n{"start": 1}\n'])
def test_a_torn_line_costs_only_its_window(journals, tmp_path, torn):
    """What is written after it is whole again."""
    first = journals.open(b"sound")
    first.note(a_window(0.0), RESULT)
    first.close()
    with the_file(tmp_path).open("ab") as file:
        file.write(torn)
    second = journals.open(b"sound")
    second.note(a_window(30.0), RESULT)
    second.close()
    third = journals.open(b"sound")

    assert third.recall(a_window(0.0)) == RESULT
    assert third.recall(a_window(30.0)) == RESULT
    third.close()


def test_only_this_user_reads_what_people_said(journals, tmp_path):
    """The folder too, whatever the umask."""
    before = os.umask(0)
    try:
        journals.open(b"sound").close()
    finally:
        os.umask(before)
    file = the_file(tmp_path)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_sound_in_work_elsewhere_has_no_second_journal(journals):
    """Two that write one file would spoil it; the second hears all by itself."""
    first = journals.open(b"sound")

    assert journals.open(b"sound") is None
    first.close()
    again = journals.open(b"sound")
    assert again is not None
    again.close()


def test_a_removed_journal_is_gone(journals, tmp_path):
    """Its words are in the signals, and nowhere else."""
    journal = journals.open(b"sound")
    journal.note(a_window(), RESULT)
    journal.close()
    journal.remove()
    journal.remove()

    assert not list((tmp_path / "state" / "transcripts").iterdir())


def test_old_journals_are_removed_and_counted(journals, tmp_path, told):
    """What nobody asked for again within days is not kept; what is open stays."""
    for name in (b"old", b"old and open"):
        journals.open(name).close()
    old = time.time() - transcript_journal.MOST_AGE_S - 1
    for file in (tmp_path / "state" / "transcripts").iterdir():
        os.utime(file, (old, old))
    held = journals.open(b"old and open")
    fresh = journals.open(b"fresh")

    assert told.notes == [
        ("transcript_journals_removed", {"removed": 1, "left": 1})
    ] or told.notes == [("transcript_journals_removed", {"removed": 1, "left": 2})]
    assert len(list((tmp_path / "state" / "transcripts").iterdir())) == 2
    held.close()
    fresh.close()


@pytest.mark.parametrize("bound", ["MOST_FILES", "MOST_BYTES"])
def test_the_oldest_goes_where_there_are_too_many(
    journals, tmp_path, told, monkeypatch, bound
):
    """By number, and by bytes in all."""
    for number in range(4):
        journal = journals.open(f"sound {number}".encode())
        journal.note(a_window(), RESULT)
        journal.close()
        file = max(tmp_path.rglob("*.jsonl"), key=lambda f: f.stat().st_mtime_ns)
        os.utime(file, (time.time() - 100 + number,) * 2)
    size = file.stat().st_size
    monkeypatch.setattr(
        transcript_journal, bound, 3 if bound == "MOST_FILES" else 3 * size
    )
    journals.open(b"sound 3").close()
    oldest = journals.open(b"sound 0")

    assert oldest.recall(a_window()) is None
    assert told.notes[0][1]["removed"] == 1
    oldest.close()


def test_a_journal_that_is_full_says_so_and_hearing_goes_on(
    journals, told, monkeypatch
):
    """No sound fills the disk."""
    monkeypatch.setattr(transcript_journal, "MOST_FILE_BYTES", 600)
    journal = journals.open(b"sound")
    for number in range(9):
        journal.note(a_window(30.0 * number), RESULT)
    journal.close()

    assert [event for event, _ in told.notes] == ["transcript_journal_ended"]
    assert "full" in told.notes[0][1]["reason"]


def test_a_folder_that_can_not_be_used_is_told(tmp_path, told):
    """Nothing is kept then; that is no reason not to listen."""
    (tmp_path / "file").write_text("in the way")
    journals = TranscriptJournals(tmp_path / "file", MODEL, told)

    assert journals.open(b"sound") is None
    assert told.notes == [("transcript_journal_ended", {"reason": "File exists"})]
