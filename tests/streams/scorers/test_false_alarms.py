import random
from datetime import timedelta

import pytest

from schemas.records import UploaderHistory
from tests.streams.scorers.ordinary_uploaders import (
    KINDS,
    SCORERS,
    after,
    alarms,
    an_upload,
    uploads_of,
)

# Of uploads, at the shipped policy's mildest threshold: some times what a hundred
# uploaders of each kind gave (see the scorers), since a few give less exact shares.
MOST = {"habits": 0.01, "dormancy": 0.001, "pattern": 0.006}
FEW = {"batch_label": 1, "nightly_poster": 4}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_ordinary_uploaders_seldom_reach_a_threshold(kind):
    """A show, a nightly poster, a label, a hobbyist and an artist with albums."""
    counts = alarms(kind, FEW.get(kind.__name__, 10), seed=7000)

    for scorer in SCORERS:
        assert counts[scorer.name] <= MOST[scorer.name] * counts["uploads"], scorer.name


def test_a_taken_over_show_is_seen():
    """A shouted title with a link, short, at night: the pattern shows it every time."""
    podcast, seen, tries = KINDS[0], 0, 0
    for seed in range(5):
        history = UploaderHistory("u1")
        for upload in uploads_of(podcast, 7000 + seed):
            history = after(history, upload)
        event, rng = upload.event, random.Random(seed)
        for _ in range(10):
            at = event.event_time + timedelta(days=1, hours=rng.uniform(0, 24))
            title = "FREE GIVEAWAY!! www.example.com"
            odd = an_upload("odd", at, event.kind, title, 20.0)
            seen += SCORERS[2].score(odd, history)[0].value >= 0.98
            tries += 1
    assert seen == tries
