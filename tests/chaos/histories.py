"""Compares the uploader histories with those of a run that nothing ever disturbed.

What lies on `uploader.history.v1` must equal, record for record, what judging
`content.signals.v1` in its own order gives; so must the decisions. This check may use
our code: it asks whether crashes changed the result, not whether the result is right.
"""

from collections import defaultdict
from collections.abc import Mapping

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.ids import CommittedIds
from schemas.topics import DECISION, HISTORY, SIGNALS, dead_letter_topic
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.kafka_tail import tail
from streams.messages import Record
from streams.retries import RetryBounds
from streams.settings import load_settings
from streams.telemetry import EventLog
from streams.wiring import build_judge
from tests.fakes import FakeGuard

Histories = dict[tuple[int, str], bytes]  # Partition and uploader id to bytes.
CHUNK = 64
NEVER = 10**9


def check_histories(bootstrap: str) -> dict[str, int]:
    """Return how many histories there are, and what differs from an undisturbed run."""
    records: dict[int, list[Record]] = defaultdict(list)
    buried = _buried(bootstrap)
    for record in tail(bootstrap, [SIGNALS.name], until_end=True):
        if (record.partition, record.offset) not in buried:
            records[record.partition].append(record)
    wanted, decisions = undisturbed(records)
    found: Histories = {}
    for record in tail(bootstrap, [HISTORY.name], until_end=True):
        place = (record.partition, (record.key or b"").decode())
        found[place] = record.value or b""
    said = {r.value for r in tail(bootstrap, [DECISION.name], until_end=True)}
    return {
        "histories": len(wanted),
        "histories_differ": differing(wanted, found),
        "decisions_differ": len(decisions ^ said),
    }


def _buried(bootstrap: str) -> set[tuple[int, int]]:
    """Return the signals that became dead letters instead: a crash loop's, say."""
    letters = tail(bootstrap, [dead_letter_topic(SIGNALS.name)], until_end=True)
    origins = [parse_dead_letter(letter.headers)[0] for letter in letters]
    return {(origin.partition, origin.offset) for origin in origins}


def undisturbed(
    records: Mapping[int, list[Record]],
) -> tuple[Histories, set[bytes | None]]:
    """Judge each partition in its order; return its histories and its decisions."""
    judging = BatchJudging(
        build_judge(load_settings(), None),
        Codec(CommittedIds()),
        DeadLetters("judge", "chaos-check", DeadLetterLimit(NEVER, 1)),
        FakeGuard(),
        RetryBounds(attempts=1, within_s=1),
        EventLog(),
    )
    histories: Histories = {}
    decisions: set[bytes | None] = set()
    for partition, those in records.items():
        state: dict[str, bytes] = {}
        for first in range(0, len(those), CHUNK):
            judged = judging(those[first : first + CHUNK], state)
            state.update(judged.histories)
            decisions |= {o.value for o in judged.outputs if o.topic == DECISION.name}
        histories |= {(partition, name): value for name, value in state.items()}
    return histories, decisions


def differing(wanted: Histories, found: Histories) -> int:
    """Return how many histories are missing, too many, or others."""
    both = wanted.keys() | found.keys()
    return sum(wanted.get(place) != found.get(place) for place in both)
