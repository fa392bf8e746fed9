"""Facts about banks on their topic, and about following it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from encoders.bank_entries import ContentHash, KnownHash
from encoders.live_bank import version_of
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import BankEntry, Category
from schemas.topics import BANK_ENTRY
from streams import bank_follower
from streams.bank_follower import BankFollower
from streams.bank_topic import (
    changes_by_bank,
    entry_output,
    read_entry,
    removal_output,
    version_of_bank,
)
from streams.embedded_broker import EmbeddedBroker
from streams.errors import EventError, StartError, TransientError
from streams.messages import Output, Record
from streams.producer import DeliveringProducer
from tests.fakes import FakeLog

CODEC = Codec(CommittedIds())
PDQ = "ab" * 32


def an_entry(entry_id: str = "e1", **fields: object) -> BankEntry:
    """Build an entry of the bank `covers`."""
    entry = BankEntry("covers", entry_id, "pdq", PDQ, Category.HATE)
    return replace(entry, **fields)  # type: ignore[arg-type]


def as_record(output: Output, **fields: object) -> Record:
    """Build the record that an output becomes."""
    record = Record(output.topic, 0, 7, 0, output.key, output.value)
    return replace(record, **fields)  # type: ignore[arg-type]


@pytest.fixture
def broker() -> Iterator[str]:
    """Return an embedded broker that has the topic."""
    with EmbeddedBroker() as running:
        running.ensure_topics([BANK_ENTRY.name])
        yield running.bootstrap_servers


def send(broker: str, *outputs: Output) -> None:
    """Write records and wait until they are there."""
    producer = DeliveringProducer(broker)
    producer.send_all(outputs)
    producer.close()


def wait_until(seen: Callable[[], bool]) -> None:
    """Wait for what has to come, for a minute at most."""
    deadline_s = time.monotonic() + 60
    while not seen():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def hits(follower: BankFollower, value: str = PDQ) -> list[tuple[str, str]]:
    """Search all banks; return bank and entry of what was found."""
    looked = [ContentHash("pdq", value, 100), ContentHash("sha256", value)]
    return [(h.bank, h.entry_id) for b in follower.banks() for h in b.match(looked)]


def test_an_entry_comes_back_as_it_was_written() -> None:
    """Key, value and tombstone; an id may have slashes, a bank may not."""
    entry = an_entry("a/b", note="seen twice")
    written = as_record(entry_output(CODEC, entry))

    assert written.key == b"covers/a/b"
    assert read_entry(CODEC, written) == ("covers", "a/b", entry)
    removed = as_record(removal_output("covers", "a/b"))
    assert read_entry(CODEC, removed) == ("covers", "a/b", None)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"bank": "a/b"}, "bank is 'a/b'; expected 1 to 64 letters"),
        ({"entry_id": ""}, "entry_id is ''; expected a name"),
        ({"value": "abc"}, "value is 'abc'; expected 64 hex digits"),
        ({"algorithm": "md5"}, "algorithm is 'md5'; expected sha256 or pdq"),
        ({"category": Category.UNKNOWN}, "category is 'UNKNOWN'; expected one of"),
    ],
)
def test_an_entry_that_no_search_could_use_is_not_written(
    fields: dict[str, object], message: str
) -> None:
    """The error names the field and what was expected."""
    with pytest.raises(EventError, match=message):
        entry_output(CODEC, an_entry(**fields))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"key": None}, "wrong_key"),
        ({"key": b"covers/other"}, "wrong_key"),
        ({"value": b"no Avro"}, "not_avro_framed"),
        ({"value": CODEC.encode(an_entry(value="g" * 64))}, "invalid_entry"),
    ],
)
def test_what_is_no_entry_is_refused(fields: dict[str, object], code: str) -> None:
    """By code, so that it can be told without showing it."""
    with pytest.raises(EventError) as refusal:
        read_entry(CODEC, as_record(entry_output(CODEC, an_entry()), **fields))

    assert refusal.value.code == code


def test_changes_keep_their_order_within_a_bank() -> None:
    """Of an entry that came, went and came again, all three are told."""
    first, last = an_entry(), an_entry(value="cd" * 32)

    changes = changes_by_bank(
        [("covers", "e1", first), ("covers", "e1", None), ("covers", "e1", last)]
    )

    known = [KnownHash("e1", "pdq", v, "HATE") for v in (PDQ, "cd" * 32)]
    assert changes == {"covers": [("e1", known[0]), ("e1", None), ("e1", known[1])]}
    assert version_of_bank([last]) == version_of([known[1]])


def test_a_worker_starts_with_every_entry_and_follows_each_change(broker: str) -> None:
    """What was there is found at once; what comes and goes, without a restart."""
    gone = an_entry("gone", value="cd" * 32)
    send(
        broker,
        *(entry_output(CODEC, e) for e in (gone, an_entry(), an_entry("e2"))),
        removal_output("covers", "gone"),
        entry_output(CODEC, an_entry("s1", bank="scams", algorithm="sha256")),
    )

    follower = BankFollower(broker, CODEC, FakeLog().note)

    whole = [("covers", "e1"), ("covers", "e2"), ("scams", "s1")]
    assert hits(follower) == whole
    assert hits(follower, "cd" * 32) == []
    send(broker, entry_output(CODEC, gone), removal_output("covers", "e1"))
    wait_until(lambda: hits(follower) == [("covers", "e2"), ("scams", "s1")])
    assert hits(follower, "cd" * 32) == [("covers", "gone")]
    send(broker, removal_output("scams", "s1"))
    wait_until(lambda: [b.name for b in follower.banks()] == ["covers"])
    entries = [an_entry("e2"), gone]
    assert follower.banks()[0].sha256 == version_of_bank(entries)
    assert follower.problems() == []
    follower.close()


def test_a_record_that_is_no_entry_stops_nothing(broker: str) -> None:
    """It is told by place and reason; the rest is followed."""
    log = FakeLog()
    send(broker, Output(BANK_ENTRY.name, b"k", b"no Avro"))
    follower = BankFollower(broker, CODEC, log.note)

    send(broker, entry_output(CODEC, an_entry()))

    wait_until(lambda: hits(follower) == [("covers", "e1")])
    assert log.notes["bank_entry_refused"] == 1
    follower.close()


@pytest.mark.parametrize("error", [TransientError("away"), MemoryError()])
def test_a_follower_that_falls_behind_says_so_and_recovers(
    broker: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Nothing that was written meanwhile is missed."""
    failing, tail = [True], bank_follower.tail
    follow = monkeypatch.setattr

    def unreliable(*arguments: object, **options: object) -> Iterator[Record]:
        for record in tail(*arguments, **options):  # type: ignore[arg-type]
            yield record
            if failing[0] and "start" in options:
                raise error

    follow(bank_follower, "tail", unreliable)
    log = FakeLog()
    follower = BankFollower(broker, CODEC, log.note)
    entries = [an_entry(f"e{n}") for n in range(3)]
    send(broker, *(entry_output(CODEC, entry) for entry in entries))
    wait_until(lambda: log.notes["banks_behind"] > 0)
    assert "can't be followed" in follower.problems()[0]
    failing[0] = False

    wait_until(lambda: len(hits(follower)) == 3 and not follower.problems())
    follower.close()


def test_a_topic_that_is_not_there_is_one_sentence() -> None:
    """A worker that is to follow it does not start."""
    with EmbeddedBroker() as running, pytest.raises(StartError, match=r"bank\.entry"):
        BankFollower(running.bootstrap_servers, CODEC, FakeLog().note)
