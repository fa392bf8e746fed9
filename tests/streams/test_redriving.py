"""Facts about sending dead letters round again: each once, whatever happens."""

import pytest

from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.place import Place
from schemas.redrive import RedriveNote, note_headers, parse_note, redrive_of
from schemas.topics import INGESTED, TOPICS, dead_letter_topic
from streams.dead_letter_desk import Wanted, read_desk
from streams.embedded_broker import EmbeddedBroker
from streams.errors import TransientError
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.redriving import Redriver

DLQ = dead_letter_topic(INGESTED.name)
TIME_MS = 1_700_000_000_000


def a_letter(offset, reason="undecodable", stage="screen", partition=1, **more):
    """Build the dead letter of an original at `offset`."""
    origin = Origin(INGESTED.name, partition, offset, TIME_MS + offset)
    headers = dead_letter_headers(
        origin, Failure(stage, "E", reason), more.get("headers", [("trace", b"t")])
    )
    value = more.get("value", b"bytes %d" % offset)
    return Output(DLQ, b"k%d" % offset, value, tuple(headers), partition)


class Sendings:
    """A producer that counts, and that can break off before its n-th sending."""

    def __init__(self, kafka, break_at=None):
        self._producer = DeliveringProducer(kafka)
        self._left = break_at

    def send_all(self, outputs):
        """Send, or break off as a killed process does."""
        outputs = list(outputs)
        if outputs and self._left is not None:
            if self._left == 0:
                raise TransientError("killed")
            self._left -= 1
        return self._producer.send_all(outputs)

    def close(self):
        """Stop."""
        self._producer.close()


@pytest.fixture
def kafka():
    """The address of an embedded broker with our topics."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        yield broker.bootstrap_servers


def write(kafka, *outputs):
    """Write records."""
    producer = DeliveringProducer(kafka)
    producer.send_all(outputs)
    producer.close()


def redrive(kafka, wanted=Wanted(), break_at=None, again=False):  # noqa: B008 (frozen)
    """Run a redrive as the command does."""
    desk = read_desk(tail(kafka, [DLQ], until_end=True))
    producer = Sendings(kafka, break_at)
    try:
        return Redriver(kafka, producer).run(desk, desk.choose(wanted), again=again)
    finally:
        producer.close()


def sent(kafka):
    """Return what is on the source topic."""
    return list(tail(kafka, [INGESTED.name], until_end=True))


def test_the_original_goes_back_to_where_it_came_from(kafka):
    """Same partition, key, value, headers and time; one header says whose it is."""
    write(kafka, a_letter(7))

    assert redrive(kafka).sent == 1

    (record,) = sent(kafka)
    assert (record.partition, record.key, record.value) == (1, b"k7", b"bytes 7")
    assert record.timestamp_ms == TIME_MS + 7
    assert record.headers == (
        ("trace", b"t"),
        ("x-redrive-of", b"content.ingested.v1/1/7"),
    )


def test_a_second_run_sends_nothing(kafka):
    """What was sent is noted beside the letter; `again` sends it all the same."""
    write(kafka, a_letter(7), a_letter(8))
    redrive(kafka)

    assert redrive(kafka).sent == 0
    assert len(sent(kafka)) == 2
    assert redrive(kafka, again=True).sent == 2
    assert redrive(kafka).sent == 0


def test_copies_of_a_letter_are_sent_once(kafka):
    """A crash may write a dead letter twice; the original was one."""
    write(kafka, a_letter(7), a_letter(7), a_letter(8))

    assert read_desk(tail(kafka, [DLQ], until_end=True)).copies == 1
    assert redrive(kafka).sent == 2
    assert len(sent(kafka)) == 2


@pytest.mark.parametrize("break_at", [0, 1, 2])
def test_an_interrupted_run_is_finished_by_the_next(kafka, break_at):
    """Killed before the note, before the sending, or before the note of its end."""
    write(kafka, *(a_letter(offset) for offset in range(3)))
    with pytest.raises(TransientError):
        redrive(kafka, break_at=break_at)

    done = redrive(kafka)

    assert done.sent + done.found_sent == 3
    assert sorted(r.value for r in sent(kafka)) == [b"bytes %d" % n for n in range(3)]
    assert redrive(kafka).sent == 0


def test_only_what_was_asked_for_is_sent(kafka):
    """Reason and stage choose; the rest waits."""
    write(kafka, a_letter(1), a_letter(2, reason="too_large"), a_letter(3, stage="x"))

    assert redrive(kafka, Wanted(reason="too_large")).sent == 1
    assert redrive(kafka, Wanted(stage="x")).sent == 1
    assert [r.value for r in sent(kafka)] == [b"bytes 2", b"bytes 3"]


def test_a_letter_can_not_choose_another_topic(kafka):
    """Headers are data: a letter about another topic than its own is passed over."""
    origin = Origin("risk.decision.v1", 0, 1)
    headers = dead_letter_headers(origin, Failure("screen", "E", "undecodable"))
    write(kafka, Output(DLQ, b"k", b"forged", tuple(headers), 1))

    desk = read_desk(tail(kafka, [DLQ], until_end=True))

    assert (desk.letters, desk.unreadable) == ({}, 1)


def test_many_letters_go_in_chunks_with_their_own_bytes(kafka):
    """More than one chunk, over partitions: each value under its own coordinates."""
    letters = [a_letter(n, partition=n % 3) for n in range(250)]
    write(kafka, *letters)

    assert redrive(kafka).sent == 250

    for record in sent(kafka):
        of = redrive_of(record.headers)
        assert (record.value, record.partition) == (
            b"bytes %d" % of.offset,
            of.partition,
        )


def test_what_fails_again_is_another_letter(kafka):
    """Its origin is the redriven record, and the header is replaced, not repeated."""
    first = ("x-redrive-of", b"content.ingested.v1/1/7")
    write(kafka, a_letter(99, headers=[first]))

    redrive(kafka)

    (record,) = sent(kafka)
    assert record.headers == (("x-redrive-of", b"content.ingested.v1/1/99"),)


def test_notes_are_read_as_written_and_nothing_else_is():
    """A dead letter is no note; a note with a bad place is none either."""
    note = RedriveNote(Place("t", 3, 5), "begun", 17)

    assert parse_note(note_headers(note)) == note
    assert parse_note(a_letter(1).headers) is None
    assert (
        parse_note([("x-dlq-redrive", b"done"), ("x-dlq-redrive-of", b"t/x/5")]) is None
    )
