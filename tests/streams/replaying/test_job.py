"""Facts about replaying one partition: its order, its checkpoints, its lines."""

import json
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest

from schemas.codec import Codec
from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.ids import CommittedIds
from schemas.records import Action, Stage, SweptEntry
from schemas.topics import DECISION, SIGNALS
from streams.judge import Judge
from streams.messages import Record
from streams.pipeline import decide
from streams.policy import Rule
from streams.replay.compensation import promoted
from streams.replay.rejudge import Rejudging
from streams.replay.versions import Version, Versions
from streams.replaying import job
from streams.replaying.files import Files
from streams.replaying.job import PartitionReplay
from streams.replaying.ranges import Range
from streams.replaying.request import Part, Plan
from streams.replaying.said import Said
from streams.replaying.state import Facts, PartitionState
from streams.replaying.unmet import ALWAYS, Unmet, gather_met, unmet
from streams.scorers import DEFAULT_SCORERS
from tests.builders import a_history, a_policy, a_text_signal, signals

CODEC = Codec(CommittedIds())
POLICY = a_policy(rules=(Rule("anomaly", "near_duplicate", Action.REVIEW, 0.1),))
TODAYS = a_policy(sha256="aa" * 32)
VERSIONS = Versions((TODAYS, POLICY), {"cc" * 32: DEFAULT_SCORERS})
BROKEN, BURIED = 7, 13  # Offsets of what is no signals, and of what was buried.


@dataclass
class Listed:
    """Records and dead letters from lists."""

    records: list[Record]
    dead: list[Record] = field(default_factory=list)

    def signals(self, part, uploader):
        """Yield those in the range."""
        for record in self.records:
            if part.start <= record.offset < part.end:
                yield record

    def letters(self, partition):
        """Yield all."""
        yield from self.dead


def a_stream(count=40):
    """Return signals of six uploaders, two of which can't be used, and their letter."""
    uploads = [
        signals(f"c{n}", uploader_id=f"u{n % 6}", at_s=n, texts=(a_text_signal(),))
        for n in range(count)
    ]
    values = [CODEC.encode(upload) for upload in uploads]
    values[BROKEN] = values[BURIED] = b"broken"
    records = [
        Record(SIGNALS.name, 0, n, 1000 + n, b"u", value)
        for n, value in enumerate(values)
    ]
    origin, failure = Origin(SIGNALS.name, 0, BURIED), Failure("judge", "E", "bad")
    headers = tuple(dead_letter_headers(origin, failure))
    return uploads, Listed(records, [Record("dlq", 0, 0, 0, b"u", b"broken", headers)])


@pytest.fixture
def said(tmp_path):
    """Index what a live judge says of the stream."""
    index, histories, records = (
        Said(tmp_path / "said.sqlite", CODEC, to_write=True),
        {},
        [],
    )
    judge = Judge(DEFAULT_SCORERS, POLICY)
    for n, upload in enumerate(a_stream()[0]):
        if n not in (BROKEN, BURIED):
            word = decide(judge, upload, histories, CODEC.encode)
            value = CODEC.encode(word)
            records.append(Record(DECISION.name, 0, n, 1000 + n, key_of(word), value))
    index.index(records, 40, stop=lambda: False, tell=lambda _: None)
    return index


class Bench:
    """A partition's replay in a folder; may be run again and again."""

    def __init__(self, folder, said, reading=None, start=0, end=40):
        self.folder, self.said, self.start, self.end = folder, said, start, end
        self.reading = reading or a_stream()[1]
        folder.mkdir(exist_ok=True)
        (folder / "state").mkdir(exist_ok=True)
        self.files = Files(folder, 0)
        self.published = []

    def run(self, stop=lambda: False):
        """Replay from the last checkpoint; return whether it came to its end."""
        part = Part(Range(SIGNALS.name, 0, 0, self.end), self.start)
        plan = Plan("r1", "beginning", (part,), ())
        state = PartitionState(self.files.state, CODEC, Facts(0))
        try:
            replay = PartitionReplay(
                plan,
                part,
                self.files,
                reading=self.reading,
                said=self.said,
                codec=CODEC,
                rejudging=Rejudging(CODEC, VERSIONS, Version(TODAYS.sha256, None)),
                state=state,
                publish=self.published.extend,
            )
            return replay.run(stop, lambda _: None)
        finally:
            self.facts = state.facts
            state.close()

    def lines(self):
        """Return the lines of the results."""
        return [json.loads(x) for x in self.files.lines.read_text().splitlines()]


def test_a_line_for_every_record_in_order(tmp_path, said):
    """What was judged, what was buried, and what is no signals at all."""
    bench = Bench(tmp_path / "run", said)

    assert bench.run()
    lines = bench.lines()
    assert [line["offset"] for line in lines] == list(range(40))
    assert bench.facts.tally.results == {"same": 38, "unknown": 1, "buried": 1}
    assert lines[BURIED]["reason"] == "dead letter: bad"
    assert lines[BROKEN]["reason"].startswith("no signals: ")
    assert bench.facts.tally.first_difference["offset"] == BROKEN


def test_a_line_says_how_many_uploads_were_known(tmp_path, said):
    """Of its uploader, before it: for the breakdown by how large uploaders are."""
    bench, known = Bench(tmp_path / "run", said), Counter()
    bench.run()

    for line in bench.lines():
        if line["result"] == "same":
            assert line["uploads"] == known[line["uploader_id"]]
            known[line["uploader_id"]] += 1
    assert sum(known.values()) == 38


@pytest.mark.parametrize("every", [1, 3])
def test_stopped_anywhere_it_ends_with_the_same_bytes(
    tmp_path, said, every, monkeypatch
):
    """Every stop leaves a checkpoint; the next run begins there."""
    whole = Bench(tmp_path / "whole", said)
    whole.run()
    monkeypatch.setattr(job, "LOOK_RECORDS", every)
    parts, runs = Bench(tmp_path / "parts", said), 1
    while not parts.run(stop=lambda: True):
        runs += 1

    assert runs >= 40 // every
    assert parts.files.lines.read_bytes() == whole.files.lines.read_bytes()
    assert parts.facts.tally == whole.facts.tally
    assert parts.published == whole.published


def test_a_crash_does_again_what_was_not_checkpointed(tmp_path, said, monkeypatch):
    """Lines behind the checkpoint are cut off and written again, once."""
    whole = Bench(tmp_path / "whole", said)
    whole.run()
    monkeypatch.setattr(job, "LOOK_RECORDS", 1)
    monkeypatch.setattr(job, "CHECKPOINT_RECORDS", 10)
    crashing = Bench(tmp_path / "crash", said)
    records = crashing.reading.records
    crashing.reading = Listed([*records[:25], None], crashing.reading.dead)
    with pytest.raises(AttributeError):
        crashing.run()
    assert crashing.facts.next_offset < 25 <= len(crashing.lines())

    crashing.reading = whole.reading
    assert not crashing.run(stop=lambda: True)
    assert len(crashing.lines()) == crashing.facts.next_offset

    assert crashing.run()
    assert crashing.files.lines.read_bytes() == whole.files.lines.read_bytes()
    assert crashing.facts.tally == whole.facts.tally


def test_what_nobody_recorded_is_judged_by_who_spoke_last(tmp_path, said, monkeypatch):
    """Also right after a stop: who spoke last is part of the checkpoint."""
    monkeypatch.setattr(job, "LOOK_RECORDS", 40)
    bench = Bench(tmp_path / "run", said, a_stream(41)[1], end=41)
    assert not bench.run(stop=lambda: True)

    assert bench.run()

    last = bench.lines()[-1]
    assert (last["offset"], last["result"]) == (40, "unknown")
    assert last["now"]["policy_sha256"] == POLICY.sha256


def test_what_lies_before_the_window_is_learned_without_a_line(tmp_path, said):
    """And the window is as equal as the whole."""
    bench = Bench(tmp_path / "run", said, start=30)

    bench.run()

    assert [line["offset"] for line in bench.lines()] == list(range(30, 40))
    assert bench.facts.tally.results == {"same": 10}
    assert bench.facts.tally.warmed == 28


def test_histories_beyond_what_memory_keeps_are_right_too(tmp_path, said, monkeypatch):
    """Two are kept, six uploaders take turns."""
    monkeypatch.setattr("streams.replaying.state.KEPT_HISTORIES", 2)
    bench = Bench(tmp_path / "run", said)

    bench.run()

    assert bench.facts.tally.results["same"] == 38


def test_an_index_keeps_each_word_once_and_goes_on(said):
    """Repeats are one row; what is no decision is kept; a stop loses nothing."""
    (one,) = said.of("c3")
    records = [
        Record(DECISION.name, 0, 40, 5, b"c3", one.value),
        Record(DECISION.name, 0, 41, 6, b"c3", b"no decision"),
        Record(DECISION.name, 0, 42, 7, None, None),
    ]

    said.index(records, 50, stop=lambda: True, tell=lambda _: None)

    first, second = said.of("c3")
    assert (first, second.value, second.decision) == (one, b"no decision", None)
    assert said.next_offset == 50


def met_by(folder, *benches):
    """Join what partitions met; may be asked again."""
    gather_met(folder / "met.sqlite", [bench.files.state for bench in benches])
    return folder / "met.sqlite"


def test_decisions_whose_signals_were_not_met_are_counted(tmp_path, said):
    """Of a span of time; those of all partitions count as met."""
    bench = Bench(tmp_path / "run", said, end=20)
    bench.run()
    empty = Bench(tmp_path / "empty", said, Listed([]), end=0)
    empty.run()

    for _ in range(2):  # One that was begun goes on.
        met = met_by(tmp_path, bench, empty)
        for span_ms, lacking in (((1000, 1020), 0), ((1015, 1025), 5), (ALWAYS, 20)):
            found = unmet(tmp_path / "said.sqlite", met, CODEC, span_ms)
            assert found == Unmet(decisions=lacking)


@pytest.mark.parametrize("start", [0, 30])
def test_every_word_on_signals_that_were_met_is_theirs(tmp_path, said, start):
    """Another policy's too, that of a sweep, and what was only learned from."""
    stream, listed = a_stream()
    swept = replace(stream[3], stage=Stage.SWEPT, sweep=(SweptEntry("bank", "e1"),))
    listed.records.append(Record(SIGNALS.name, 0, 40, 2000, b"u", CODEC.encode(swept)))
    words = [
        judged(stream[5], TODAYS),
        judged(swept, TODAYS),
        judged(swept, POLICY),
        promoted(judged(stream[6], POLICY), judged(stream[6], TODAYS)),
    ]
    strange = judged(replace(stream[3], stage=Stage.SCREENED), TODAYS)
    records = [
        Record(DECISION.name, 0, 50 + n, 3000, key_of(one), CODEC.encode(one))
        for n, one in enumerate([*words, strange])
    ]
    records.append(Record(DECISION.name, 0, 60, 3000, b"c5", b"no decision"))
    said.index(records, 61, stop=lambda: False, tell=lambda _: None)
    bench = Bench(tmp_path / "run", said, listed, start=start, end=41)
    bench.run()

    found = unmet(tmp_path / "said.sqlite", met_by(tmp_path, bench), CODEC)

    assert found == Unmet(decisions=1, unreadable=1)


def judged(upload, policy):
    """Judge signals with no history."""
    history = a_history((), upload.event.uploader_id)
    return Judge(DEFAULT_SCORERS, policy).judge(upload, history).decision


def key_of(decision):
    """Return the key that a decision is written with."""
    return decision.content_id.encode()
