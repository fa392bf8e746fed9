import asyncio

import pytest

from streams.errors import PermanentError, TransientError
from streams.retries import (
    LONGEST_DELAY_S,
    RetriesExhaustedError,
    RetryBounds,
    backoff_s,
    keep_on,
    retried,
)


def work_that_fails(times, error):
    """Return work that fails so often, then succeeds."""
    left = [times]

    async def work():
        if left[0]:
            left[0] -= 1
            raise error
        return "done"

    return work


FOUR = RetryBounds(attempts=4, within_s=60)


async def no_sleep(seconds):
    """Don't wait."""


def test_a_transient_failure_is_tried_again():
    """Two failures and a success are three tries."""
    work = work_that_fails(2, TransientError("away"))

    assert asyncio.run(retried(work, FOUR, no_sleep)) == ("done", 3)


def test_tries_are_bounded():
    """What keeps failing is given up, with the number of tries and the last cause."""
    work = work_that_fails(9, TransientError("away"))

    with pytest.raises(RetriesExhaustedError, match=r"after 4 tries.*away") as caught:
        asyncio.run(retried(work, FOUR, no_sleep))
    assert (caught.value.code, caught.value.attempts) == ("retries_exhausted", 4)


def test_a_permanent_failure_is_not_tried_again():
    """What no retry mends fails at once."""
    work = work_that_fails(1, PermanentError("bad", "bad"))

    with pytest.raises(PermanentError):
        asyncio.run(retried(work, FOUR, no_sleep))


def test_pauses_grow_and_are_capped():
    """Without jitter the pause doubles up to the longest."""
    pauses = [backoff_s(attempt, jitter=lambda: 1.0) for attempt in range(1, 9)]

    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert max(pauses) == LONGEST_DELAY_S


def test_tries_end_in_time():
    """However many are left, none begins after the time given."""
    now_s = [0.0]

    async def work():
        now_s[0] += 4  # A store that is slow to fail.
        raise TransientError("slow")

    async def sleep(seconds):
        now_s[0] += seconds

    bounds = RetryBounds(attempts=1000, within_s=10)
    with pytest.raises(RetriesExhaustedError) as caught:
        asyncio.run(retried(work, bounds, sleep, lambda: now_s[0]))
    assert caught.value.attempts == 3  # Begun at 0, 4 and 8 s, and a jitter.
    assert now_s[0] <= 10 + 4


def test_what_must_not_be_lost_is_tried_without_end():
    """With no bounds only success ends it."""
    work = work_that_fails(500, TransientError("away"))

    assert asyncio.run(retried(work, None, no_sleep)) == ("done", 501)


def test_steps_go_on_after_a_failure_with_everything_let_go():
    """Two failures are told and let go of; so is what is open at the end."""
    work = work_that_fails(2, TransientError("away"))
    happened = []

    async def step():
        await work()
        happened.append("step")
        if happened.count("step") == 2:
            raise asyncio.CancelledError

    async def let_go():
        happened.append("let go")

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_on(step, let_go, happened.append))

    assert happened == ["away", "let go"] * 2 + ["step", "step", "let go"]
