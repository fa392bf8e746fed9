from dataclasses import replace
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import ContentSignals, MediaHash, Missing, UploaderHistory
from streams.fingerprint import signature
from streams.scorers.near_duplicate import NearDuplicate
from tests.builders import (
    a_history,
    a_recent,
    a_text_signal,
    an_embedding,
    signals,
)

SPAM = an_embedding(1)


def an_upload(content_id: str = "now", seed: int = 0, **fields: object):
    """Build a near copy of SPAM, a different one for each seed."""
    text = a_text_signal(embedding=an_embedding(100 + seed, near=SPAM, step=0.2))
    return signals(content_id, texts=(text,), **fields)


def remembered(*uploads: ContentSignals) -> UploaderHistory:
    """Build a history of these uploads."""
    return a_history(
        [
            a_recent(
                u.event.content_id,
                event_time=u.event.event_time,
                signature=signature(u),
                revision=u.event.revision,
            )
            for u in uploads
        ]
    )


def value(history: UploaderHistory, upload: ContentSignals | None = None) -> float:
    """Score an upload; a near copy of SPAM unless said otherwise."""
    (score,) = NearDuplicate().score(upload or an_upload(), history)
    return score.value


def copies(count: int, **fields: object) -> list[ContentSignals]:
    """Build near copies of SPAM."""
    return [an_upload(f"c{i}", seed=i + 1, **fields) for i in range(count)]


@cache
def thirty_copies() -> UploaderHistory:
    """Build the history of a flood, once."""
    return remembered(*copies(30))


def test_thirty_near_copies_are_a_flood_and_two_are_not():
    """The thirtieth near copy scores above 0.9, the third below one half."""
    assert value(remembered(*copies(29))) > 0.9
    assert 0 < value(remembered(*copies(2))) < 0.5


@settings(deadline=None)
@given(st.integers(0, 29), st.integers(0, 29))
def test_more_copies_are_never_less_risky(few, more):
    """The value grows with the number of copies."""
    few, more = sorted((few, more))
    flood = thirty_copies().recent

    assert value(a_history(flood[:few])) <= value(a_history(flood[:more]))


def test_a_flood_is_not_watered_down_by_other_uploads():
    """Different uploads between the copies change the reason, not the value."""
    others = [
        signals(f"o{i}", texts=(a_text_signal(seed=1000 + i),)) for i in range(60)
    ]
    mixed = remembered(*copies(29), *others)

    (score,) = NearDuplicate().score(an_upload(), mixed)

    assert score.value == value(remembered(*copies(29)))
    assert score.reason == "near copy of 29 of 89 other uploads in a day"


def test_different_uploads_are_no_copies():
    """Unrelated texts are far outside the bound."""
    others = [
        signals(f"o{i}", texts=(a_text_signal(seed=1000 + i),)) for i in range(60)
    ]

    assert value(remembered(*others)) == 0


def test_revisions_of_the_same_content_are_no_copies():
    """Uploading the same content anew, however often, is no flood."""
    own = [an_upload("now", revision=i) for i in range(30)]
    another = [an_upload("other", revision=i) for i in range(30)]

    assert value(remembered(*own)) == 0
    assert value(remembered(*another)) == value(remembered(another[0]))


def test_what_was_not_learned_is_no_copy():
    """Entries kept for their decision alone are passed by."""
    flood = [replace(e, learned=False) for e in thirty_copies().recent]

    assert value(a_history(flood)) == 0


def test_only_the_last_day_counts():
    """Copies from another day are no flood today, unless today is not known."""
    long_ago = remembered(*copies(29, at_s=-2 * 86_400))
    untimed = an_upload(missing=(Missing("event_time", "in_future"),))

    assert value(long_ago) == 0
    assert value(long_ago, untimed) > 0.9


def test_pictures_without_text_are_compared_by_their_pdq_hash():
    """A picture is its hash; one of low quality says nothing and is left out."""
    near = signals("now", hashes=(MediaHash("cover", "pdq", "0f" * 32, 90),))
    poor = signals("now", hashes=(MediaHash("cover", "pdq", "0f" * 32, 10),))
    history = a_history(
        [a_recent(f"c{i}", signature=b"\x0f" * 31 + b"\xf0") for i in range(29)]
    )

    assert value(history, near) > 0.9
    assert NearDuplicate().score(poor, history) == ()
