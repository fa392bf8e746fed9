import pytest

from schemas.place import Place
from streams.errors import StartError
from streams.journal import REWRITE_BYTES, Journal, open_journal

A, B, C = (Place("content.ingested.v1", 0, offset) for offset in (7, 8, 9))


@pytest.fixture
def path(tmp_path):
    """Where the journal lies."""
    return tmp_path / "worker-0.journal"


def test_what_was_in_work_at_an_unclean_end_is_suspected(path):
    """A process that dies leaves its begun events behind; ended ones are free."""
    journal = Journal(path)
    journal.begin(A)
    journal.begin(B)
    journal.end(A)

    after = Journal(path)  # The first one was never closed.
    assert (after.strikes(A), after.strikes(B)) == (0, 1)


def test_a_clean_end_blames_nobody(path):
    """Work given up at a stop is done by the next owner, without suspicion."""
    journal = Journal(path)
    journal.begin(A)
    journal.close()

    assert Journal(path).suspects == 0


def test_strikes_add_up_over_unclean_ends(path):
    """Two deaths at the same event are two strikes."""
    for _ in range(2):
        Journal(path).begin(A)

    assert Journal(path).strikes(A) == 2


def test_who_was_alone_takes_the_blame_alone(path):
    """Others in work at that time keep what they had."""
    journal = Journal(path)
    for place in (A, B, C):
        journal.begin(place)
    journal = Journal(path)
    journal.begin(A)
    journal.set_alone(A, True)
    journal.begin(B)

    after = Journal(path)
    assert [after.strikes(place) for place in (A, B, C)] == [2, 1, 1]


def test_who_survived_being_alone_shares_the_blame_again(path):
    """After its turn a suspect counts as one of all."""
    journal = Journal(path)
    journal.begin(A)
    journal.set_alone(A, True)
    journal.set_alone(A, False)
    journal.begin(B)

    after = Journal(path)
    assert (after.strikes(A), after.strikes(B)) == (1, 1)


def test_an_event_that_ended_is_cleared_of_its_strikes(path):
    """A dead letter or a decision settles it for good."""
    Journal(path).begin(A)
    journal = Journal(path)
    journal.begin(A)
    journal.end(A)

    assert Journal(path).strikes(A) == 0


def test_an_event_that_got_further_is_no_crash_loop(path):
    """Each death is its first again, however often the process is killed."""
    for _ in range(3):
        journal = Journal(path)
        journal.begin(A)
        assert journal.strikes(A) <= 1
        journal.clear(A)
        assert journal.strikes(A) == 0

    assert Journal(path).strikes(A) == 1


def test_a_torn_line_is_left_out(path):
    """The process died in the middle of a write, or somebody edited the file."""
    Journal(path).begin(A)
    with path.open("a") as file:
        file.write("begin\tx\nnothing\nbegin\tcontent.ingested.v1\t0\t8")

    after = Journal(path)
    assert (after.strikes(A), after.suspects) == (1, 1)


def test_the_file_stays_small(path):
    """A worker that runs for a year does not fill the disk."""
    journal = Journal(path)
    journal.begin(A)
    for offset in range(100, 20_100):
        journal.begin(Place("content.ingested.v1", 1, offset))
        journal.end(Place("content.ingested.v1", 1, offset))

    assert path.stat().st_size <= REWRITE_BYTES + 100
    assert Journal(path).strikes(A) == 1


def test_a_rewritten_file_says_the_same(path):
    """Who is alone stays alone, who was cleared stays cleared."""
    for place in (A, B, C):
        Journal(path).begin(place)
    journal = Journal(path)
    journal.end(B)
    journal.begin(C)
    journal.begin(A)
    journal.set_alone(A, True)
    for offset in range(100, 20_100):
        journal.begin(Place("content.ingested.v1", 1, offset))
        journal.end(Place("content.ingested.v1", 1, offset))

    after = Journal(path)
    assert [after.strikes(place) for place in (A, B, C)] == [2, 0, 1]


def test_an_event_that_ended_alone_is_not_blamed_again(path):
    """Its place in the file goes with it, also when the file is rewritten."""
    Journal(path).begin(A)
    journal = Journal(path)
    journal.begin(A)
    journal.set_alone(A, True)
    journal.end(A)
    for offset in range(100, 20_100):
        journal.begin(Place("content.ingested.v1", 1, offset))
        journal.end(Place("content.ingested.v1", 1, offset))
    journal.begin(B)

    after = Journal(path)
    assert (after.strikes(A), after.strikes(B)) == (0, 1)


def test_workers_side_by_side_have_journals_of_their_own(tmp_path):
    """The second finds the first one locked."""
    first, _lock = open_journal(tmp_path)
    second, _other = open_journal(tmp_path)
    first.begin(A)

    assert sorted(p.name for p in tmp_path.glob("*.journal")) == [
        "worker-0.journal",
        "worker-1.journal",
    ]
    assert second.suspects == 0


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """Without a journal a crash loop would never end: refuse to start."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StartError, match=r"HEADGATE_STATE_DIR: .*can't be written"):
        open_journal(tmp_path / "file")
