"""What is remembered of an uploader, how it grows, and how duplicates are recognised.

After a decision was encoded, `remember` gives the next history. It never looks at a
clock: a history is a function of the partition's signals up to an offset, and replay
makes it again for any moment. The rule for what is not in order:

- Late: an upload counts at its own event time, whenever it comes. Counters, first and
  last seen are those of the set; the usual and the ring follow the order of arrival.
  Decisions that were made before it came stay.
- Repeated: the same (content_id, revision, stage) is known and changes nothing.
- Corrected: another revision is an upload of its own, at its own event time; it takes
  nothing back. Of one revision the final decision takes the provisional one's place.

tests/streams/test_history_oracle.py holds this against plain Python over whole lists.
"""

import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np

from schemas.records import (
    Action,
    ContentSignals,
    RecentUpload,
    RiskDecision,
    Stage,
    UploaderHistory,
)
from streams.active_days import KEPT_DAYS, day_of, unpack_days, with_upload
from streams.fingerprint import cosine_distance, mean_embedding, signature, unpack
from streams.upload_pattern import with_pattern

# Ours. Redeliveries come within seconds, so 32 decisions are ample; the ring bounds
# what scorers look at, and with the digests a history stays near 100 KB.
RECENT_UPLOADS = 128
KEPT_DECISIONS = 32
JUDGED_DIGESTS = 1024
DIGEST_BYTES = 8  # By chance, two of 1024 agree once in 10^13 histories.
# The mean and the spread move by at least 1/64 an upload: they follow slow change, and
# no single upload moves them far.
MEMORY_UPLOADS = 64
# The first ones of a UTC day move the usual content: with 64 remembered, a flood needs
# eight days to become most of it. Patterns have a bound of their own.
LESSONS_PER_DAY = 8

# Stages of an upload that was judged before, on what was found since.
AFTERWARDS = (Stage.SWEPT, Stage.CAMPAIGN)


@dataclass(frozen=True, slots=True)
class Recalled:
    """An upload that was judged before: its decision as sent, if still kept."""

    decision: bytes | None


def has_event_time(signals: ContentSignals) -> bool:
    """Say whether the event's time can be used for rates and windows."""
    return all(_head(missing.signal) != "event_time" for missing in signals.missing)


def distances_known(history: UploaderHistory) -> int:
    """Return how many distances the spread stands for; the first upload has none."""
    return max(0, min(history.centroid_uploads, MEMORY_UPLOADS) - 1)


def recall(history: UploaderHistory, signals: ContentSignals) -> Recalled | None:
    """Recognise an upload whose (content_id, revision, stage) was judged before.

    A provisional stage that comes after its final one counts as judged and gives no
    decision: sent now, it would become the content's latest word.
    """
    event = signals.event
    final = _known(history, _digest(signals, Stage.COMPLETE))
    if signals.stage is Stage.SCREENED and final:
        return Recalled(None)
    if not _known(history, _digest(signals, signals.stage)):
        return None
    for entry in reversed(history.recent):
        if (entry.content_id, entry.revision) == (event.content_id, event.revision):
            return Recalled(entry.decision or None)
    return Recalled(None)


def stage_key(signals: ContentSignals, stage: Stage) -> str:
    """Name a stage as ids and digests do.

    Of a sweep its entries are part of it, of a campaign its id too: but not what the
    campaign has grown to, so that two who found it name it alike.
    """
    if stage not in AFTERWARDS:
        return stage
    found: list[object] = [[entry.bank, entry.entry_id] for entry in signals.sweep]
    if stage is Stage.CAMPAIGN and signals.campaign is not None:
        found.insert(0, signals.campaign.campaign_id)
    return f"{stage} {json.dumps(found)}"  # Escapes line ends.


def remember(
    history: UploaderHistory,
    signals: ContentSignals,
    decision: RiskDecision,
    decision_bytes: bytes,
) -> UploaderHistory:
    """Return the next history; the same one if this upload is already in it.

    Every upload leaves its digest and its decision's bytes. Only a final one that was
    not blocked, nor would have been but for a brake, and whose time can be used is
    learned from: into rates, windows, habits, patterns and signatures, and, if it is
    one of the first `LESSONS_PER_DAY` of its day, into the usual content. The final
    decision takes the place of the provisional one.
    """
    if recall(history, signals) is not None:
        return history
    if signals.stage in AFTERWARDS:
        return _remember_again(history, signals, decision_bytes)
    learned = is_trusted(decision) and has_event_time(signals)
    entry = RecentUpload(
        content_id=signals.event.content_id,
        revision=signals.event.revision,
        event_time=signals.event.event_time,
        signature=signature(signals) if learned else b"",
        decision=decision_bytes,
        learned=learned,
    )
    history = replace(
        history,
        recent=_ring(history.recent, entry),
        judged=_digests(history.judged, _digest(signals, signals.stage)),
    )
    if not learned:
        return history
    if _may_move_the_usual(history, signals):
        history = _learn_content(history, signals)
    return _learn_time(history, signals)


def is_trusted(decision: RiskDecision) -> bool:
    """Say whether a decision lets its upload be learned from.

    What a brake held was to be blocked: in a flood that is most of it.
    """
    said = (decision.action, decision.instead_of)
    return Action.BLOCK not in said and not decision.provisional


def _may_move_the_usual(history: UploaderHistory, signals: ContentSignals) -> bool:
    """Say whether the uploader's day has room for another lesson.

    Of a day before all that are kept nobody knows, so it has none.
    """
    day = day_of(signals.event.event_time)
    days = unpack_days(history.active_days)
    if len(days) == KEPT_DAYS and day < days[0].day:
        return False
    return sum(d.uploads for d in days if d.day == day) < LESSONS_PER_DAY


def _remember_again(
    history: UploaderHistory, signals: ContentSignals, decision_bytes: bytes
) -> UploaderHistory:
    """Put the decision in the earlier one's place; the upload was learned when it came.

    One that fell out of the ring leaves its digest only.
    """
    event = signals.event
    recent = tuple(
        replace(entry, decision=decision_bytes)
        if _key(entry) == (event.content_id, event.revision)
        else entry
        for entry in history.recent
    )
    digest = _digest(signals, signals.stage)
    return replace(history, recent=recent, judged=_digests(history.judged, digest))


def _learn_time(history: UploaderHistory, signals: ContentSignals) -> UploaderHistory:
    """Count the upload; first and last seen only ever move apart."""
    time = signals.event.event_time
    return replace(
        history,
        uploads=history.uploads + 1,
        first_seen=min(history.first_seen or time, time),
        last_seen=max(history.last_seen or time, time),
        active_days=with_upload(history.active_days, time),
        patterns=with_pattern(history.patterns, signals),
    )


def _learn_content(
    history: UploaderHistory, signals: ContentSignals
) -> UploaderHistory:
    """Move the centroid and the spread one bounded step towards the upload."""
    embedding = mean_embedding(signals)
    if embedding is None:
        return history
    centroid = unpack(history.centroid)
    if centroid is None or len(centroid) != len(embedding):  # Another text model.
        return replace(
            history,
            centroid=embedding.astype("<f4").tobytes(),
            centroid_uploads=1,
            distance_mean=0.0,
            distance_m2=0.0,
        )
    weight = np.float32(min(history.centroid_uploads + 1, MEMORY_UPLOADS))
    moved = centroid + (embedding - centroid) / weight
    distance = cosine_distance(embedding, centroid)
    if distance is not None:
        history = _learn_distance(history, distance)
    return replace(
        history,
        centroid=moved.astype("<f4").tobytes(),
        centroid_uploads=history.centroid_uploads + 1,
    )


def _learn_distance(history: UploaderHistory, distance: float) -> UploaderHistory:
    """Take one Welford step, with the count capped so that old distances fade."""
    known = distances_known(history)
    count = min(known + 1, MEMORY_UPLOADS - 1)
    delta = distance - history.distance_mean
    mean = history.distance_mean + delta / count
    faded = history.distance_m2 * (count - 1) / known if known else 0.0
    return replace(
        history, distance_mean=mean, distance_m2=faded + delta * (distance - mean)
    )


def _ring(
    recent: tuple[RecentUpload, ...], entry: RecentUpload
) -> tuple[RecentUpload, ...]:
    """Append, drop what falls out, and drop the decisions of all but the last."""
    others = tuple(e for e in recent if _key(e) != _key(entry))
    ring = (*others, entry)[-RECENT_UPLOADS:]
    older = ring[:-KEPT_DECISIONS]
    bare = tuple(replace(e, decision=b"") if e.decision else e for e in older)
    return bare + ring[len(older) :]


def _digests(judged: bytes, digest: bytes) -> bytes:
    return (judged + digest)[-JUDGED_DIGESTS * DIGEST_BYTES :]


def _key(entry: RecentUpload) -> tuple[str, int]:
    return entry.content_id, entry.revision


def _digest(signals: ContentSignals, stage: Stage) -> bytes:
    event = signals.event
    # The id comes last, so that nothing in it can pass for another field.
    named = f"{stage_key(signals, stage)}\n{event.revision}\n{event.content_id}"
    return hashlib.blake2b(named.encode(), digest_size=DIGEST_BYTES).digest()


def _known(history: UploaderHistory, digest: bytes) -> bool:
    at = history.judged.find(digest)
    while at >= 0 and at % DIGEST_BYTES:  # Found across two digests.
        at = history.judged.find(digest, at + 1)
    return at >= 0


def _head(signal: str) -> str:
    return signal.partition(":")[0]
