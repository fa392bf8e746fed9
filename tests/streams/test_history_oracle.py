"""An oracle for histories: plain Python over the whole list, none of our code.

It keeps every upload that was ever judged, and answers what is known at any moment by
going through all of them again. It shares no code with streams/history.py.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Action, Missing, Stage
from streams.history import remember
from streams.scorers.velocity import Velocity
from tests.builders import a_decision, a_history, a_text_signal, signals

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
# As streams/history.py states them.
RING, KEPT, KNOWN, MEMORY, LESSONS = 128, 32, 1024, 64, 8


@dataclass(frozen=True)
class Judged:
    """One judged upload, as the oracle notes it."""

    content_id: str
    revision: int
    stage: str
    at_s: int
    in_future: bool  # Its time can't be used.
    action: str  # HELD: a brake turned a block into a review.
    vector: tuple[float, ...]
    bytes_: bytes


class Oracle:
    """Everything that was judged, oldest first; repeats are left out."""

    def __init__(self):
        self.all: list[Judged] = []
        self.told: list[tuple[str, int, str]] = []

    def knows(self, upload):
        """Say whether (content, revision, stage) was judged among the last 1,024."""
        told = self.told[-KNOWN:]
        name = (upload.content_id, upload.revision, upload.stage)
        whole = (upload.content_id, upload.revision, "COMPLETE")
        return name in told or (upload.stage == "SCREENED" and whole in told)

    def add(self, upload):
        """Note an upload unless it is a repeat."""
        if not self.knows(upload):
            self.told.append((upload.content_id, upload.revision, upload.stage))
            self.all.append(upload)

    def trusted(self):
        """Return what was learned from: final, not blocked and not held from it."""
        kept_out = ("BLOCK", "HELD")
        final = [u for u in self.all if u.stage == "COMPLETE"]
        return [u for u in final if u.action not in kept_out]

    def counted(self):
        """Return what counts by event time."""
        return [u for u in self.trusted() if not u.in_future]

    def remembered(self):
        """Return the last word on each revision, the latest said last, 128 at most."""
        last = {}
        for upload in self.all:
            last.pop((upload.content_id, upload.revision), None)
            last[upload.content_id, upload.revision] = upload
        return list(last.values())[-RING:]

    def lessons(self):
        """Return what moved the usual content: the first eight of each UTC day."""
        by_day = {}
        for upload in self.counted():
            day = (NOON + timedelta(seconds=upload.at_s)).date()
            by_day.setdefault(day, []).append(upload)
        first = [upload for day in by_day.values() for upload in day[:LESSONS]]
        return [upload for upload in self.counted() if upload in first]

    def usual(self):
        """Return centroid, how many it is of, mean and squares of the distances."""
        vectors = [np.array(u.vector, np.float32) for u in self.lessons()]
        centroid, mean, squares = None, 0.0, 0.0
        for n, vector in enumerate(vectors):
            if centroid is None:
                centroid = vector
                continue
            distance = cosine(vector, centroid)
            known = max(0, min(n, MEMORY) - 1)
            count = min(known + 1, MEMORY - 1)
            faded = squares * (count - 1) / known if known else 0.0
            delta = distance - mean
            mean += delta / count
            squares = faded + delta * (distance - mean)
            centroid = centroid + (vector - centroid) / np.float32(min(n + 1, MEMORY))
        return centroid, len(vectors), mean, squares

    def within(self, at_s, window_s):
        """Count remembered uploads nearer to a moment than a window, this one too."""
        near = [
            u
            for u in self.remembered()
            if u in self.counted() and abs(u.at_s - at_s) < window_s
        ]
        return 1 + len(near)


def cosine(a, b):
    """Return 1 - cosine, as the definition says, to six digits."""
    a, b = [float(x) for x in a], [float(x) for x in b]
    dot = math.fsum(x * y for x, y in zip(a, b, strict=True))
    norm = math.sqrt(math.fsum(x * x for x in a) * math.fsum(y * y for y in b))
    return round(1.0 - max(-1.0, min(1.0, dot / norm)), 6)


@st.composite
def streams_of_uploads(draw):
    """Draw uploads: late, repeated, provisional, corrected, blocked, of the future."""
    count = draw(st.integers(1, 60))
    made = []
    for n in range(count):
        if made and draw(st.integers(0, 4)) == 0:
            made.append(draw(st.sampled_from(made)))  # Delivered again.
            continue
        made.append(
            Judged(
                content_id=f"c{draw(st.integers(0, 20))}",
                revision=draw(st.integers(0, 2)),
                stage=draw(st.sampled_from(("COMPLETE", "COMPLETE", "SCREENED"))),
                at_s=draw(st.integers(-90_000, 90_000)),
                in_future=draw(st.integers(0, 9)) == 0,
                action=draw(
                    st.sampled_from(("ALLOW", "ALLOW", "REVIEW", "BLOCK", "HELD"))
                ),
                vector=VECTORS[draw(st.integers(0, 4))],
                bytes_=b"said %d" % n,
            )
        )
    return made


def _vector(seed):
    values = np.random.RandomState(seed).standard_normal(8)
    unit = (values / np.linalg.norm(values)).astype(np.float32)
    return tuple(float(x) for x in unit)


VECTORS = [_vector(seed) for seed in range(5)]


def as_signals(upload):
    """Return what our code is given of an upload."""
    embedding = np.array(upload.vector, "<f4").tobytes()
    lost = (Missing("event_time", "in_future: 1 day"),) if upload.in_future else ()
    return signals(
        upload.content_id,
        revision=upload.revision,
        event_time=NOON + timedelta(seconds=upload.at_s),
        stage=Stage(upload.stage),
        texts=(a_text_signal(embedding=embedding),),
        missing=lost,
    )


def remembered(history, upload):
    """Return our next history."""
    made = as_signals(upload)
    held = upload.action == "HELD"
    decision = a_decision(
        made,
        action=Action.REVIEW if held else Action(upload.action),
        instead_of=Action.BLOCK if held else None,
    )
    return remember(history, made, decision, upload.bytes_)


@settings(deadline=None, max_examples=150)
@given(streams_of_uploads())
def test_histories_agree_with_an_oracle_at_every_moment(stream):
    """Counters, times, the usual and what is remembered, after each upload."""
    oracle, history = Oracle(), a_history()
    for upload in stream:
        if not upload.in_future:
            (score,) = Velocity().score(as_signals(upload), history)
            hour = oracle.within(upload.at_s, 3600)
            day = oracle.within(upload.at_s, 86_400)
            assert int(score.reason.split()[0]) in (hour, day)
        oracle.add(upload)
        history = remembered(history, upload)

        times = [NOON + timedelta(seconds=u.at_s) for u in oracle.counted()]
        assert history.uploads == len(times)
        assert history.first_seen == min(times, default=None)
        assert history.last_seen == max(times, default=None)
        entries = [
            (e.content_id, e.revision, e.decision, e.learned) for e in history.recent
        ]
        assert entries == expected(oracle)
    assert_usual(history, oracle)


def expected(oracle):
    """Return the ring: bytes of the last 32 only."""
    ring = oracle.remembered()
    counted = oracle.counted()
    return [
        (
            u.content_id,
            u.revision,
            u.bytes_ if n >= len(ring) - KEPT else b"",
            u in counted,
        )
        for n, u in enumerate(ring)
    ]


def assert_usual(history, oracle):
    """Compare centroid and spread; floats, so to six digits."""
    centroid, count, mean, squares = oracle.usual()
    assert history.centroid_uploads == count
    if centroid is not None:
        ours = np.frombuffer(history.centroid, "<f4")
        np.testing.assert_allclose(ours, centroid, atol=1e-5)
    assert math.isclose(history.distance_mean, mean, abs_tol=1e-5)
    assert math.isclose(history.distance_m2, squares, abs_tol=1e-4)


def test_the_oracle_agrees_past_every_bound():
    """After 1,200 uploads rings and digests have turned over, and both forget alike."""
    oracle, history = Oracle(), a_history()
    for n in range(1200):
        content_id = f"c{n % 1100}"
        upload = Judged(
            content_id, 0, "COMPLETE", n, False, "ALLOW", VECTORS[n % 5], b"%d" % n
        )
        oracle.add(upload)
        history = remembered(history, upload)

    entries = [
        (e.content_id, e.revision, e.decision, e.learned) for e in history.recent
    ]
    assert entries == expected(oracle)
    assert history.uploads == len(oracle.counted()) == 1200


def test_a_correction_is_an_upload_of_its_own_and_takes_nothing_back():
    """Revision 1 counts beside revision 0, at its own time, late or not."""
    first = Judged("c", 0, "COMPLETE", 0, False, "ALLOW", VECTORS[0], b"0")
    late = Judged("c", 1, "COMPLETE", -7200, False, "ALLOW", VECTORS[1], b"1")

    history = remembered(remembered(a_history(), first), late)

    assert history.uploads == 2
    assert history.first_seen == NOON - timedelta(hours=2)
    assert [entry.revision for entry in history.recent] == [0, 1]
