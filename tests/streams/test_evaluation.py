"""Facts about the made traffic, and a floor under what is found in it."""

import zlib
from collections import Counter
from functools import cache

import numpy as np

from streams.campaigns import Campaigns
from streams.evaluation.campaign_figures import Outcome, figures, watch
from streams.evaluation.campaign_traffic import COVER_EDITS, as_signals
from streams.evaluation.made_campaigns import traffic

DIM = 64


@cache
def _of_word(word: str) -> np.ndarray:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIM)


def by_words(texts):
    """Embed a text as the sum of its words: no model is loaded."""
    rows = np.array([sum(map(_of_word, text.lower().split())) for text in texts])
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_campaigns_are_found_in_made_traffic():
    """A small stream of the tuning messages: well above the targets."""
    made = traffic(7, 4000, "tuning")
    finder = Campaigns(window_ms=30 * 86_400_000, most_uploads=5000, most_members=1000)

    outcome = watch(finder, as_signals(made, by_words))
    found = figures(outcome, [u.campaign for u in made], [u.kind for u in made])

    assert found["precision"].value >= 0.95
    assert found["recall"].value >= 0.7  # Two campaigns; the first 1,000 only warm up.


def test_two_streams_are_reported_as_one():
    """Their campaigns stay apart, and times count within each."""
    whole, labels = Outcome(), [0, 0, None, 7, 7, None]
    for _ in range(2):
        whole.extend(Outcome(["id", "id", None], [1, 1, None], 0.5))

    found = figures(whole, labels, ["cover", "cover", "plain"] * 2)

    assert (found["uploads"], found["campaigns"], found["ids_a_campaign"]) == (6, 2, 1)
    assert (found["precision"].value, found["recall"].value) == (1.0, 1.0)
    assert found["uploads_until_found"].value == 2
    assert len(set(whole.found)) == 3
    assert found["uploads_per_s"] == 6


def test_the_same_seed_makes_the_same_traffic():
    """And another seed another."""
    assert traffic(3, 1000, "tuning") == traffic(3, 1000, "tuning")
    assert traffic(3, 1000, "tuning") != traffic(4, 1000, "tuning")


def test_two_percent_are_in_campaigns_among_every_look_alike():
    """In order of time, as many as were asked for."""
    made = traffic(1, 6000, "report")
    kinds = Counter(upload.kind for upload in made)

    assert len(made) == 6000
    assert [u.at_s for u in made] == sorted(u.at_s for u in made)
    assert 0.019 < sum(u.campaign is not None for u in made) / len(made) < 0.021
    assert len({u.campaign for u in made} - {None}) == 2
    assert kinds.keys() >= {"series", "remix", "intro", "season", "fan", "collab"}


def test_what_is_reported_on_was_not_tuned_on():
    """No title or sentence of the campaigns is in both halves."""
    words = {
        half: {u.title for u in traffic(1, 2000, half) if u.kind == "paraphrase"}
        for half in ("tuning", "report")
    }

    assert words["tuning"]
    assert words["tuning"].isdisjoint(words["report"])


def test_cover_edits_are_of_eight_photos_each():
    """Five edits of eight photos; see campaign_traffic."""
    assert len(COVER_EDITS) == 40
