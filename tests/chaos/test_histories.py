"""The histories check: equal for an undisturbed run, and it sees what is not."""

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.topics import SIGNALS
from streams.messages import Record
from tests.builders import a_text_signal, signals
from tests.chaos.histories import differing, undisturbed

CODEC = Codec(CommittedIds())


def judged(*contents):
    """Build one uploader's signals as records of a partition."""
    values = [
        CODEC.encode(signals(c, texts=(a_text_signal(seed=n),), at_s=60.0 * n))
        for n, c in enumerate(contents)
    ]
    return {0: [Record(SIGNALS.name, 0, n, 0, b"u1", v) for n, v in enumerate(values)]}


def test_a_repeated_upload_changes_no_history():
    """What a crash repeats on the topic leaves the same history and decisions."""
    once, decisions = undisturbed(judged("c0", "c1"))
    twice = judged("c0", "c1")
    twice[0].append(twice[0][0])

    assert undisturbed(twice) == (once, decisions)
    assert len(once) == 1
    assert len(decisions) == 2


def test_a_history_that_learned_otherwise_differs():
    """Another order, a missing history and one too many each count."""
    wanted, _ = undisturbed(judged("c0", "c1"))
    other, _ = undisturbed(judged("c1", "c0"))

    assert differing(wanted, wanted) == 0
    assert differing(wanted, other) == 1
    assert differing(wanted, {}) == 1
    assert differing(wanted, {**wanted, (0, "u2"): b"x"}) == 1
