"""`headgate dlq` as people run it: list, show, redrive."""

import pytest

from schemas.codec import Codec
from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.ids import CommittedIds
from schemas.topics import INGESTED, TOPICS, dead_letter_topic
from streams.embedded_broker import EmbeddedBroker
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from tests.builders import an_event
from tests.streams.cli.test_commands import headgate, lines

DLQ = dead_letter_topic(INGESTED.name)
SECRET = b"words of an upload"
READABLE = Codec(CommittedIds()).encode(an_event("c-77"))


def a_letter(offset, reason, value, **more):
    """Build a dead letter."""
    origin = Origin(INGESTED.name, 1, offset, 1_700_000_000_000)
    headers = dead_letter_headers(origin, Failure("screen", "E", reason))
    headers += more.get("headers", [])
    return Output(DLQ, b"k", value, tuple(headers), 1, more.get("time_ms"))


@pytest.fixture
def kafka():
    """An embedded broker with three letters: two times one, and another."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics(topic.name for topic in TOPICS)
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(
            [
                a_letter(4, "undecodable", SECRET, time_ms=1_762_000_000_000),
                a_letter(4, "undecodable", SECRET, time_ms=1_762_000_000_000),
                a_letter(5, "retries_exhausted", READABLE, time_ms=1_763_000_000_000),
            ]
        )
        producer.close()
        yield broker.bootstrap_servers


@pytest.mark.parametrize("command", ["list", "show", "redrive"])
def test_each_has_help_with_an_example(command):
    """Nobody has to read the source."""
    result = headgate("dlq", command, "--help")

    assert result.returncode == 0
    assert f"headgate dlq {command}" in result.stdout.replace("Usage: ", "", 1)


def test_letters_are_counted_then_listed(kafka):
    """Groups first; a copy of a letter counts once; nothing of the payload shows."""
    result = headgate("dlq", "list", "--json", bootstrap_servers=kafka)

    rows = lines(result)
    groups = {row["reason"]: row["letters"] for row in rows if "group" in row}
    letters = [row for row in rows if "letter" in row]
    assert groups == {"undecodable": 1, "retries_exhausted": 1}
    assert [row["origin"]["offset"] for row in letters] == [4, 5]
    assert {row["state"] for row in letters} == {"waiting"}
    assert SECRET.decode() not in result.stdout


@pytest.mark.parametrize(
    ("options", "offsets"),
    [
        (["--reason", "undecodable"], [4]),
        (["--stage", "judge"], []),
        (["--from", "2025-11-10T00:00:00Z"], [5]),
        (["--until", "2025-11-10T00:00:00Z"], [4]),
        (["--topic", "content.signals.v1"], []),
        (["--count", "1"], [5]),
    ],
)
def test_filters_choose(kafka, options, offsets):
    """By reason, stage, time and topic; the newest of so many."""
    rows = lines(headgate("dlq", "list", "--json", *options, bootstrap_servers=kafka))

    assert [row["origin"]["offset"] for row in rows if "letter" in row] == offsets


def test_a_person_sees_tables(kafka):
    """Counts by reason, and each letter as `show` wants it."""
    result = headgate("dlq", "list", bootstrap_servers=kafka)

    assert result.returncode == 0
    assert "retries_exhausted" in result.stdout
    assert f"{DLQ} 1 2" in result.stdout


def test_a_letter_is_shown_without_its_bytes(kafka):
    """Headers, size, and whose it is when it decodes."""
    bad = headgate("dlq", "show", DLQ, 1, 0, bootstrap_servers=kafka)
    good = headgate("dlq", "show", DLQ, 1, 2, "--json", bootstrap_servers=kafka)

    assert "decodes: False" in bad.stdout
    assert f"value_bytes: {len(SECRET)}" in bad.stdout
    assert SECRET.decode() not in bad.stdout
    (told,) = lines(good)
    assert (told["decodes"], told["content_id"]) == (True, "c-77")
    assert told["failure"]["reason"] == "retries_exhausted"


def test_raw_writes_the_originals_bytes(kafka, tmp_path):
    """To a file, and nothing but them."""
    file = tmp_path / "letter"
    headgate("dlq", "show", DLQ, 1, 0, "--raw", file, bootstrap_servers=kafka)

    assert file.read_bytes() == SECRET


def test_no_letter_there_is_said(kafka):
    """Exit code 1."""
    result = headgate("dlq", "show", DLQ, 1, 99, bootstrap_servers=kafka)

    assert (result.returncode, "no dead letter at" in result.stderr) == (1, True)


def test_redrive_sends_nothing_until_told_and_then_once(kafka):
    """Dry run first; with --yes each original once; a second run finds none left."""

    def on_the_source():
        return [r.value for r in tail(kafka, [INGESTED.name], until_end=True)]

    def redrive(*options):
        result = headgate("dlq", "redrive", "--json", *options, bootstrap_servers=kafka)
        assert result.returncode == 0
        (summary,) = lines(result)
        return summary["to_send"], summary["sent"]

    assert redrive() == (2, 0)
    assert on_the_source() == []
    assert redrive("--yes") == (2, 2)
    assert redrive("--yes") == (0, 0)
    assert on_the_source() == [SECRET, READABLE]
    assert redrive("--yes", "--again", "--reason", "undecodable") == (1, 1)


def test_a_time_without_zone_is_refused(kafka):
    """Nobody's clock is guessed."""
    result = headgate("dlq", "list", "--from", "2026-11-02", bootstrap_servers=kafka)

    assert result.returncode == 2
    assert "--from is '2026-11-02'; expected a time with its zone" in result.stderr


def test_notes_show_as_such_in_tail(kafka):
    """The dead letter topic stays readable after a redrive."""
    headgate("dlq", "redrive", "--yes", bootstrap_servers=kafka)

    result = headgate(
        "tail", DLQ, "--from", "beginning", "--until-end", bootstrap_servers=kafka
    )
    told = [row.get("redrive", "letter") for row in lines(result)]
    assert sorted(told) == ["begun"] * 2 + ["done"] * 2 + ["letter"] * 3
