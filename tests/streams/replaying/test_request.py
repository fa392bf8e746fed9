"""Facts about what is asked of a replay, and what stands in its folder."""

from datetime import UTC, datetime

import pytest

from schemas.topics import SIGNALS
from streams.embedded_broker import EmbeddedBroker
from streams.errors import StartError
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.replaying.captured import plan_capture
from streams.replaying.ranges import Offsets, Range, partition_of, read_range
from streams.replaying.request import (
    Part,
    Plan,
    Request,
    read_run,
    span_of,
    window_bound,
    write_run,
)
from streams.settings import load_settings

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)


def a_plan(low=0, warmth="beginning"):
    """Build a plan of one partition."""
    part = Part(Range(SIGNALS.name, 0, low, 90, low), 50)
    return Plan("r1", warmth, (part,), (Range("d", 0, 0, 9),), contents=("c1",))


def test_a_window_is_bounds_offsets_or_times():
    """Times have a zone; offsets count in every partition."""
    assert window_bound("beginning", "--from") == "beginning"
    assert window_bound("17", "--from") == 17
    assert window_bound("2026-11-02T09:00:00Z", "--to") == NINE
    assert span_of(NINE, "end")[0] == int(NINE.timestamp() * 1000)
    assert span_of(17, NINE) is None


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11-02T09:00:00", "-1"])
def test_another_bound_is_one_sentence(text):
    """It names the option and what would do."""
    with pytest.raises(StartError, match=r"--from is .*expected beginning, end"):
        window_bound(text, "--from")


def test_a_run_reads_back_as_it_was_written(tmp_path):
    """Request and plan are equal, tuples and all."""
    request = Request(known_policies=("a", "b"), topic=True)
    write_run(tmp_path, request, a_plan())

    assert read_run(tmp_path) == (request, a_plan())
    assert read_run(tmp_path / "none") is None


def test_another_format_is_refused(tmp_path):
    """A folder of another version is not gone on with."""
    (tmp_path / "run.json").write_text('{"format": "headgate-replay/0"}')

    with pytest.raises(StartError, match="not a run of this version"):
        read_run(tmp_path)


def test_what_retention_cut_is_said():
    """Histories are exact only from a topic's very beginning."""
    assert "exact, from the beginning" in a_plan().told()
    assert "NOT exact" in a_plan(low=10, warmth="cut").told()


def test_a_torn_capture_is_refused(tmp_path):
    """Its last line says that it is whole."""
    torn = tmp_path / "torn.jsonl"
    torn.write_text('{"topic": "content.signals.v1"}\n')

    with pytest.raises(StartError, match="no whole capture"):
        plan_capture(Request(capture=str(torn)))


def test_keys_lie_where_producers_put_them():
    """A topic's records are found by the partition that murmur2 gives."""
    with EmbeddedBroker() as broker:
        producer = DeliveringProducer(broker.bootstrap_servers)
        producer.send_all(Output("t", b"key-%d" % n, b"v") for n in range(50))
        producer.close()
        access = load_settings(bootstrap_servers=broker.bootstrap_servers).kafka
        with Offsets(access) as offsets:
            numbers = offsets.partitions("t")
            ranges = [Range("t", n, *offsets.ends("t", n)) for n in numbers]
        found = {
            r.key.decode(): r.partition for x in ranges for r in read_range(access, x)
        }

        assert found == {
            f"key-{n}": partition_of(f"key-{n}", len(numbers)) for n in range(50)
        }
        part = ranges[found["key-7"]]
        (one,) = read_range(access, part, {b"key-7"})
        short = Range("t", part.partition, one.offset, one.offset + 1)
        assert [r.key for r in read_range(access, short)] == [b"key-7"]
        with (
            Offsets(access) as offsets,
            pytest.raises(StartError, match="look up times"),
        ):
            offsets.offset("t", part.partition, NINE)
