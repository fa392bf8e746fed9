"""The checker sees each kind of failure, in records made for it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.codec import Codec
from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.ids import CommittedIds
from schemas.records import Action, RiskDecision, Stage
from tests.builders import a_decision, an_event, signals
from tests.chaos.checker import check, summary
from tests.chaos.plain_topics import DECISION, INGESTED, Decoder, Read

CODEC = Codec(CommittedIds())
ROOT = Path(__file__).resolve().parents[2]


def came_in(offset, value=None, at_ms=1000, **event):
    """Build an upload's record; its content is named for its offset."""
    value = value or CODEC.encode(an_event(f"c{offset}", **event))
    return Read(INGESTED, 0, offset, at_ms, b"k", value)


def decided(offset, at_ms=1500, stage=Stage.COMPLETE, **fields):
    """Build the decision on the upload of an offset."""
    decision = a_decision(signals(f"c{offset}", stage=stage), **fields)
    return Read(DECISION, 0, offset, at_ms, b"k", CODEC.encode(decision))


def letter(original, topic=INGESTED, **changed):
    """Build the dead letter of a record."""
    origin = Origin(topic, original.partition, original.offset, 0)
    headers = dead_letter_headers(origin, Failure("screen", "E", "undecodable"))
    moved = replace(original, topic=f"{topic}.dlq", headers=tuple(headers))
    return replace(moved, **changed)


def found(*records):
    """Check records."""
    return check(records, Decoder())


def test_events_with_a_decision_or_a_letter_are_all_there():
    """Nothing is lost where each has its end; latency runs from record to record."""
    broken = came_in(2, b"no event")
    report = found(
        came_in(0), came_in(1), broken, decided(0), decided(1), letter(broken)
    )

    assert report.clean
    assert (report.events_in, report.final_ids, report.dead_letters) == (3, 2, 1)
    assert (report.p50_ms, report.p99_ms) == (500, 500)


def test_an_event_without_an_end_is_lost_and_named():
    """An event that left no trace fails the check, by partition and offset."""
    report = found(came_in(0), came_in(1), decided(0))

    assert not report.clean
    assert report.lost == 1
    assert report.lost_events == ["0:1 ('c1', 0)"]


def test_a_provisional_decision_is_no_end():
    """Only a final decision counts."""
    assert found(came_in(0), decided(0, stage=Stage.SCREENED)).lost == 1


def test_an_earlier_revision_does_not_stand_for_a_later_one():
    """Each revision needs a decision of its own."""
    assert found(came_in(0), came_in(0, revision=1), decided(0)).lost == 1


def test_the_same_decision_twice_is_a_duplicate_and_no_fault():
    """Repeats are counted; with the same bytes they harm nobody."""
    report = found(came_in(0), decided(0), decided(0))

    assert report.clean
    assert (report.duplicates, report.final_ids) == (1, 1)


def test_the_same_id_with_other_bytes_is_a_fault():
    """A repeat that says something else fails the check."""
    report = found(came_in(0), decided(0), decided(0, clause="another"))

    assert report.different_bytes == 1
    assert not report.clean


def test_two_finals_that_disagree_contradict():
    """Another id for the same revision is a fault; another action a contradiction."""
    again = decided(0, decision_id="another", action=Action.BLOCK)
    report = found(came_in(0), decided(0), again)

    assert (report.several_ids, report.contradictory) == (1, 1)
    assert not report.clean


def test_a_word_that_supersedes_another_does_not_contradict_it():
    """A campaign found later decides its members again; only one word stands."""
    first, second = (decided(0, action=a) for a in (Action.ALLOW, Action.REVIEW))
    said = CODEC.decode(first.value, RiskDecision)
    later = CODEC.decode(second.value, RiskDecision)
    later = replace(later, decision_id="d2", supersedes=said.decision_id)

    report = found(came_in(0), first, replace(second, value=CODEC.encode(later)))
    assert (report.clean, report.final_ids, report.contradictory) == (True, 1, 0)

    apart = replace(later, supersedes=None)
    report = found(came_in(0), first, replace(second, value=CODEC.encode(apart)))
    assert (report.clean, report.contradictory) == (False, 1)


def test_a_letter_of_a_later_stage_is_found_by_its_content():
    """A letter of `judge` names no place of the input; its value names the content."""
    value = CODEC.encode(signals("c0"))
    judged = Read("content.signals.v1", 3, 9, 1000, b"u", value)
    report = found(came_in(0), letter(judged, judged.topic))

    assert report.clean
    assert report.dead_letters == 1


@pytest.mark.parametrize(
    "changed", [{"value": b"other"}, {"key": b"other"}, {"headers": ()}, {"offset": 5}]
)
def test_a_letter_with_other_bytes_or_origin_is_none(changed):
    """A dead letter keeps key, value and origin; its own offset says nothing."""
    broken = came_in(2, b"no event")
    report = found(broken, letter(broken, **changed))

    assert report.lost == ("offset" not in changed)
    assert report.clean == ("offset" in changed)


def test_a_repeated_letter_counts_once():
    """A crash may write a letter again."""
    broken = came_in(2, b"no event")

    assert found(broken, letter(broken), letter(broken)).dead_letters == 1


def test_bytes_that_follow_a_record_make_it_undecodable():
    """The checker decodes to the last byte, as the worker must."""
    longer = came_in(0, CODEC.encode(an_event("c0")) + b"\0")

    assert found(longer, decided(0)).lost == 1


def test_the_last_line_starts_with_what_everyone_reads():
    """The names of the run's last line, in order."""
    assert list(summary(found(), 1, 2))[:8] == [
        "events_in",
        "final_ids",
        "duplicates",
        "contradictory",
        "dead_letters",
        "lost",
        "kills",
        "broker_restarts",
    ]


def test_the_checker_shares_no_code_with_the_worker():
    """Importing it brings in nothing of ours but itself."""
    code = (
        "import sys, tests.chaos.checker; "
        "print({m.split('.')[0] for m in sys.modules} & "
        "{'streams', 'schemas', 'encoders', 'faust', 'aiokafka'})"
    )
    command = [sys.executable, "-c", code]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)

    assert said.stdout.strip() == "set()"
