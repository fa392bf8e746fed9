import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import (
    Action,
    ContentSignals,
    Missing,
    Stage,
    UploaderHistory,
)
from streams.active_days import KEPT_DAYS, unpack_days
from streams.fingerprint import cosine_distance, unpack
from streams.history import (
    DIGEST_BYTES,
    JUDGED_DIGESTS,
    KEPT_DECISIONS,
    LESSONS_PER_DAY,
    RECENT_UPLOADS,
    recall,
    remember,
)
from streams.scorers import DEFAULT_SCORERS
from streams.upload_pattern import unpack_patterns
from tests.builders import (
    NOON,
    a_decision,
    a_history,
    a_text_signal,
    an_embedding,
    an_event,
    signals,
)

DAY_S = 86_400
IN_FUTURE = (Missing("event_time", "in_future: 3 days"),)


def an_upload(content_id: str = "c1", seed: int = 0, **fields: object):
    """Build signals with one text."""
    return signals(content_id, texts=(a_text_signal(seed=seed),), **fields)


def after(
    history: UploaderHistory, *uploads: ContentSignals, action: Action = Action.ALLOW
) -> UploaderHistory:
    """Remember uploads in turn; a decision's id stands for its bytes."""
    for upload in uploads:
        decision = a_decision(upload, action=action)
        history = remember(history, upload, decision, decision.decision_id.encode())
    return history


def test_an_allowed_upload_is_learned():
    """It counts, dates the history, moves the centroid and leaves its signature."""
    history = after(a_history(), an_upload())

    assert (history.uploads, history.centroid_uploads) == (1, 1)
    assert history.first_seen == history.last_seen == NOON
    (entry,) = history.recent
    assert (len(entry.signature), entry.learned) == (32, True)


def test_a_duplicate_gives_the_recorded_decision_and_is_not_learned_twice():
    """The same upload again is recognised, and leaves the history as it is."""
    history = after(a_history(), an_upload())

    assert recall(history, an_upload()).decision == b"id-c1-0-COMPLETE"
    assert after(history, an_upload()) is history


@pytest.mark.parametrize(
    "other",
    [an_upload("c2"), an_upload(revision=1), an_upload("1"), an_upload("")],
)
def test_another_content_or_revision_is_no_duplicate(other):
    """Only content id, revision and stage together make a duplicate."""
    assert recall(after(a_history(), an_upload()), other) is None


def test_a_duplicate_is_known_longer_than_its_decision_is_kept():
    """After 32 more uploads the duplicate is known, but its decision is gone."""
    history = after(a_history(), *(an_upload(f"c{i}") for i in range(33)))

    assert recall(history, an_upload("c0")).decision is None
    assert recall(history, an_upload("c1")).decision == b"id-c1-0-COMPLETE"


def test_a_digest_found_across_two_others_is_no_duplicate():
    """Digests are compared at their own bounds only."""
    known = after(a_history(), an_upload())
    shifted = replace(known, judged=b"x" + known.judged + b"x" * 7)

    assert recall(shifted, an_upload()) is None


def test_a_provisional_decision_is_kept_but_not_learned():
    """Its redelivery gives the same bytes; nothing else is remembered of it."""
    early = an_upload(stage=Stage.SCREENED)

    history = after(a_history(), early)

    assert recall(history, early).decision == b"id-c1-0-SCREENED"
    assert (history.uploads, history.centroid) == (0, b"")
    assert [entry.learned for entry in history.recent] == [False]


def test_the_final_decision_takes_the_place_of_the_provisional_one():
    """A provisional stage after its final one is known, and must not be sent."""
    early, full = an_upload(stage=Stage.SCREENED), an_upload()

    history = after(a_history(), early, full)

    assert [entry.decision for entry in history.recent] == [b"id-c1-0-COMPLETE"]
    assert recall(history, full).decision == b"id-c1-0-COMPLETE"
    assert recall(history, early).decision is None
    assert recall(after(a_history(), full), early).decision is None


def test_what_was_blocked_is_recognised_but_not_learned():
    """No scorer sees a difference after a thousand blocked uploads."""
    known = after(a_history(), *(an_upload(f"k{i}", seed=i) for i in range(12)))
    blocked = [an_upload(f"b{i}", seed=7) for i in range(100)]

    history = after(known, *blocked, action=Action.BLOCK)

    probe = an_upload("probe", seed=7)
    for scorer in DEFAULT_SCORERS:
        assert scorer.score(probe, history) == scorer.score(probe, known)
    assert recall(history, blocked[-1]).decision is not None


def test_what_a_brake_held_is_not_learned():
    """A flood that a brake turned from blocked to held teaches nothing either."""
    upload = an_upload()
    held = a_decision(upload, action=Action.REVIEW, instead_of=Action.BLOCK)

    history = remember(a_history(), upload, held, b"held")

    assert (history.uploads, history.centroid_uploads) == (0, 0)
    assert [entry.learned for entry in history.recent] == [False]


def test_a_review_that_no_brake_made_is_learned():
    """Only what was, or would have been, blocked is kept out."""
    history = after(a_history(), an_upload(), action=Action.REVIEW)

    assert (history.uploads, history.centroid_uploads) == (1, 1)


def test_a_flood_moves_the_usual_content_no_further_than_its_first_uploads():
    """A thousand in a day teach as much of content as eight; the next day goes on."""
    known = after(a_history(), *(an_upload(f"k{i}", at_s=i * DAY_S) for i in range(20)))
    flood = [an_upload(f"f{i}", seed=7, at_s=20 * DAY_S + i) for i in range(1000)]

    few = after(known, *flood[:LESSONS_PER_DAY])
    many = after(known, *flood)
    later = after(many, an_upload("l", seed=7, at_s=21 * DAY_S))

    assert many.uploads == 1020
    assert (many.centroid, many.distance_m2) == (few.centroid, few.distance_m2)
    assert later.centroid_uploads == few.centroid_uploads + 1 == 29


def test_a_day_before_all_that_are_kept_teaches_no_content():
    """How much came on it is not known any more."""
    known = after(
        a_history(), *(an_upload(f"k{i}", at_s=i * DAY_S) for i in range(KEPT_DAYS))
    )

    history = after(known, an_upload("late", seed=7, at_s=-5 * DAY_S))

    assert history.uploads == known.uploads + 1
    assert history.centroid == known.centroid


def test_an_unusable_time_is_not_learned():
    """An event from the future teaches nothing: its day's lessons can't be counted."""
    history = after(a_history(), an_upload(at_s=1e6, missing=IN_FUTURE))

    assert (history.uploads, history.last_seen) == (0, None)
    assert history.recent[0].learned is False
    assert history.centroid_uploads == 0


def a_titled(content_id: str = "c1", at_s: float = 0.0, **fields: object):
    """Build signals with a title, which have a pattern."""
    event = an_event(content_id, at_s=at_s, texts=(("title", "Artist - Song"),))
    return signals(event=event, **fields)


def test_habits_and_patterns_are_learned_with_the_upload():
    """Its day, its hour and its title's form; once, however often it comes."""
    history = after(a_history(), a_titled(), a_titled())

    (day,) = unpack_days(history.active_days)
    assert (day.hours, day.uploads) == (1 << 12, 1)
    assert len(unpack_patterns(history.patterns)) == 1


@pytest.mark.parametrize(
    ("upload", "action"),
    [
        (a_titled(), Action.BLOCK),
        (a_titled(stage=Stage.SCREENED), Action.ALLOW),
        (a_titled(stage=Stage.SWEPT), Action.ALLOW),
        (a_titled(missing=IN_FUTURE), Action.ALLOW),
    ],
    ids=["blocked", "provisional", "swept", "undated"],
)
def test_habits_and_patterns_are_not_learned_from(upload, action):
    """What was blocked, is not final, was learned before, or has no time."""
    history = after(a_history(), upload, action=action)

    assert (history.active_days, history.patterns) == (b"", b"")


def test_what_is_remembered_survives_the_wire():
    """A grown history scores the same after it was encoded and decoded."""
    uploads = [a_titled(f"c{i}", at_s=i * 86_400 * 7) for i in range(100)]
    history, codec = after(a_history(), *uploads), Codec(CommittedIds())
    again = codec.decode(codec.encode(history), UploaderHistory)

    assert (len(history.active_days), len(history.patterns)) == (90 * 12, 64 * 19)
    probe = a_titled("probe", at_s=86_400 * 702 + 30_000)
    for scorer in DEFAULT_SCORERS:
        assert scorer.score(probe, again) == scorer.score(probe, history)


@settings(deadline=None, max_examples=30)
@given(st.randoms(use_true_random=False))
def test_late_events_do_not_take_a_history_backwards(rng: random.Random):
    """First, last and how many are the same in any order of arrival."""
    uploads = [an_upload(f"c{i}", at_s=i * 60) for i in range(8)]
    in_order = after(a_history(), *uploads)
    rng.shuffle(uploads)

    shuffled = after(a_history(), *uploads)

    assert shuffled.uploads == in_order.uploads
    assert shuffled.first_seen == in_order.first_seen
    assert shuffled.last_seen == in_order.last_seen
    assert shuffled.active_days == in_order.active_days


@settings(deadline=None, max_examples=3)
@given(st.integers(0, 2**32 - 1))
def test_a_history_is_bounded(seed):
    """However many uploads come, of any kind, it stays within its rings."""
    rng = random.Random(seed)
    history = a_history()
    for i in range(1100):
        early = an_upload(f"c{i}", stage=Stage.SCREENED, revision=rng.randrange(2))
        upload = rng.choice((an_upload(f"c{rng.randrange(900)}", seed=i % 3), early))
        history = after(history, upload, action=rng.choice(list(Action)[:-1]))

    assert len(history.recent) <= RECENT_UPLOADS
    kept = [bool(entry.decision) for entry in history.recent]
    assert sum(kept) == KEPT_DECISIONS
    assert all(kept[-KEPT_DECISIONS:])


def test_digests_are_bounded_oldest_first_out():
    """The 1025th digest pushes the first one out."""
    full = replace(a_history(), judged=bytes(JUDGED_DIGESTS * DIGEST_BYTES))
    one_more = after(full, an_upload())

    assert len(one_more.judged) == JUDGED_DIGESTS * DIGEST_BYTES
    assert one_more.judged[-DIGEST_BYTES:] == after(a_history(), an_upload()).judged


def test_no_single_upload_moves_the_usual_far():
    """After many uploads a stranger moves the centroid by 1/64, not less nor more."""
    usual = [an_upload(f"c{i}", seed=1, at_s=i * DAY_S) for i in range(80)]
    history = after(a_history(), *usual)

    moved = after(history, an_upload("stranger", seed=2, at_s=80 * DAY_S))

    step = unpack(moved.centroid) - unpack(history.centroid)
    full = unpack(an_embedding(2)) - unpack(history.centroid)
    assert step == pytest.approx(full / 64, abs=1e-6)


def test_the_spread_follows_what_is_usual_now():
    """Old distances fade: two hundred varied uploads outweigh as many alike."""
    days = [i * DAY_S for i in range(400)]
    alike = after(
        a_history(), *(an_upload(f"a{i}", seed=1, at_s=days[i]) for i in range(200))
    )
    varied = after(
        alike, *(an_upload(f"v{i}", seed=i, at_s=days[i]) for i in range(200, 400))
    )

    assert alike.distance_mean == pytest.approx(0, abs=1e-5)
    assert varied.distance_mean > 0.8


def test_an_old_spread_fades():
    """Uploads that are alike bring a wide spread down, though never at once."""
    wide = a_history(centroid=an_embedding(1), centroid_uploads=100, distance_m2=30.0)
    usual = (an_upload(f"c{i}", seed=1, at_s=i * DAY_S) for i in range(200))
    history = after(wide, *usual)

    assert after(wide, an_upload(seed=1)).distance_m2 == pytest.approx(30 * 62 / 63)
    assert 0 < history.distance_m2 < 30 / 20


def test_the_spread_is_the_distances_own():
    """Up to the cap, mean and spread are those of the distances seen."""
    history, distances = a_history(), []
    for i in range(20):
        upload = an_upload(f"c{i}", seed=i, at_s=i * DAY_S)
        if history.centroid:
            known = unpack(history.centroid)
            distances.append(cosine_distance(unpack(an_embedding(i)), known))
        history = after(history, upload)

    mean = sum(distances) / len(distances)
    assert history.distance_mean == pytest.approx(mean)
    assert history.distance_m2 == pytest.approx(sum((d - mean) ** 2 for d in distances))


def test_another_text_model_starts_the_usual_anew():
    """A centroid of another size is replaced, not mixed."""
    other = replace(a_text_signal(), embedding=b"\0\0\x80\x3f" * 8)
    history = after(a_history(), *(an_upload(f"c{i}", seed=i) for i in range(5)))

    history = after(history, signals("new", texts=(other,)))

    assert len(unpack(history.centroid)) == 8
    assert (history.centroid_uploads, history.distance_m2) == (1, 0.0)
