"""Counts what came out of a run against what went in; knows nothing of the worker.

A program of its own: `python -m tests.chaos.checker --bootstrap HOST:PORT [--json]`.
It reads the topics with the plain client, decodes with the committed `.avsc` files, and
shares no code with the worker.
"""

import argparse
import json
import math
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.plain_topics import (
    DECISION,
    INGESTED,
    Content,
    Decoder,
    Read,
    read_topics,
)

# The name of a letter's origin starts so, as in Spring's DeadLetterPublishingRecoverer.
ORIGIN = "kafka_dlt-original-"
LISTED = 20  # Lost events that are named; the count says the rest.


@dataclass(slots=True)
class Report:
    """What was found; `lost`, `contradictory`, and what else must be zero."""

    events_in: int = 0
    decisions: int = 0
    final_ids: int = 0
    duplicates: int = 0  # Records that repeat a decision id.
    different_bytes: int = 0  # … and say something else: must be 0.
    several_ids: int = 0  # Content revisions with more than one final id: must be 0.
    contradictory: int = 0  # … and another action: must be 0.
    dead_letters: int = 0  # Distinct by what they stand for.
    altered_letters: int = 0  # Without the original's bytes or origin: must be 0.
    decided_and_buried: int = 0  # A crash between the two; told, not wrong.
    unknown_decisions: int = 0  # On something that was never sent: must be 0.
    lost: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    lost_events: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Say whether everything that must be zero is."""
        return not (
            self.lost
            or self.contradictory
            or self.several_ids
            or self.different_bytes
            or self.altered_letters
            or self.unknown_decisions
        )


def check(records: Iterable[Read], decoder: Decoder) -> Report:
    """Compare what went in with what came out."""
    came_in: list[Read] = []
    decisions: list[Read] = []
    letters: list[Read] = []
    for record in records:
        if record.topic.endswith(".dlq"):
            letters.append(record)
        elif record.topic == INGESTED:
            came_in.append(record)
        elif record.topic == DECISION:
            decisions.append(record)
    report = Report(events_in=len(came_in), decisions=len(decisions))
    finals = _finals(decisions, decoder, report)
    buried, places = _letters(letters, came_in, decoder, report)
    latencies, known = [], set()
    for record in came_in:
        event = decoder.decode("content_ingested", record.value)
        whose = (event["content_id"], event["revision"]) if event else None
        in_letters = (record.partition, record.offset) in places or whose in buried
        known.add(whose)
        if whose in finals:
            latencies.append(finals[whose].timestamp_ms - record.timestamp_ms)
            report.decided_and_buried += in_letters
        elif not in_letters:
            report.lost += 1
            name = f"{record.partition}:{record.offset} {whose or 'undecodable'}"
            report.lost_events += [name] if report.lost <= LISTED else []
    report.unknown_decisions = len(set(finals) - known)
    report.p50_ms, report.p99_ms = (
        _percentile(latencies, 50),
        _percentile(latencies, 99),
    )
    return report


def _finals(
    decisions: Sequence[Read], decoder: Decoder, report: Report
) -> dict[Content, Read]:
    """Return the first final decision on each content revision, counting the rest.

    One that another names as superseded, as a campaign's members' are, is no second.
    """
    by_id: dict[str, bytes | None] = {}
    actions: dict[Content, dict[str, str]] = {}  # By decision id.
    superseded: set[str | None] = set()
    first: dict[Content, Read] = {}
    for record in decisions:
        said = decoder.decode("risk_decision", record.value)
        if said is None:
            report.different_bytes += 1  # A decision that nobody can read.
            continue
        identity = said["decision_id"]
        if identity in by_id:
            report.duplicates += 1
            report.different_bytes += by_id[identity] != record.value
            continue
        by_id[identity] = record.value
        if said["provisional"]:
            continue
        whose = (said["content_id"], said["revision"])
        first.setdefault(whose, record)
        actions.setdefault(whose, {})[identity] = said["action"]
        superseded.add(said["supersedes"])
    standing = [
        [action for identity, action in found.items() if identity not in superseded]
        for found in actions.values()
    ]
    report.final_ids = sum(map(len, standing))
    report.several_ids = sum(len(found) > 1 for found in standing)
    report.contradictory = sum(len(set(found)) > 1 for found in standing)
    return first


def _letters(
    letters: Sequence[Read],
    came_in: Sequence[Read],
    decoder: Decoder,
    report: Report,
) -> tuple[set[Content], set[tuple[int, int]]]:
    """Return which contents, and which places of the input, have a dead letter."""
    originals = {(r.partition, r.offset): r for r in came_in}
    distinct: set[tuple[str, int, int]] = set()
    buried: set[Content] = set()
    places: set[tuple[int, int]] = set()
    for letter in letters:
        origin = _origin(letter)
        if origin is None or f"{origin[0]}.dlq" != letter.topic:
            report.altered_letters += 1
            continue
        distinct.add(origin)
        if origin[0] != INGESTED:
            whose = decoder.content(letter.value)
            report.altered_letters += whose is None
            buried |= {whose} if whose else set()
            continue
        original = originals.get(origin[1:])
        same = original and (original.key, original.value) == (letter.key, letter.value)
        report.altered_letters += not same
        places |= {origin[1:]} if same else set()
    report.dead_letters = len(distinct)
    return buried, places


def _origin(letter: Read) -> tuple[str, int, int] | None:
    named = dict(letter.headers)
    try:
        topic = named[f"{ORIGIN}topic"].decode()
        (partition,) = struct.unpack(">i", named[f"{ORIGIN}partition"])
        (offset,) = struct.unpack(">q", named[f"{ORIGIN}offset"])
    except (KeyError, ValueError, struct.error):
        return None
    return topic, partition, offset


def _percentile(values: list[int], percent: int) -> float | None:
    if not values:
        return None
    ranked = sorted(values)  # Nearest rank: no value that nobody measured.
    return float(ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)])


def summary(report: Report, kills: int, broker_restarts: int) -> dict[str, Any]:
    """Return the last line's object: the eight that everyone reads, then the rest."""
    found = {name: getattr(report, name) for name in Report.__dataclass_fields__}
    named = ("events_in", "final_ids", "duplicates", "contradictory", "dead_letters")
    head = {name: found.pop(name) for name in (*named, "lost")}
    return {**head, "kills": kills, "broker_restarts": broker_restarts, **found}


def main() -> int:
    """Check the topics of a broker; exit code 0 only if nothing is wrong."""
    parser = argparse.ArgumentParser(description="compare decisions with the input")
    parser.add_argument("--bootstrap", required=True, help="host:port of a broker")
    parser.add_argument("--json", action="store_true", help="the last line alone")
    parser.add_argument("--kills", type=int, default=0, help="passed on")
    parser.add_argument("--broker-restarts", type=int, default=0, help="passed on")
    options = parser.parse_args()
    report = check(read_topics(options.bootstrap), Decoder())
    found = summary(report, options.kills, options.broker_restarts)
    lines = [] if options.json else [f"{k:>20}  {v}" for k, v in found.items()]
    sys.stdout.write("\n".join([*lines, json.dumps(found)]) + "\n")
    return 0 if report.clean else 1


if __name__ == "__main__":
    sys.exit(main())
