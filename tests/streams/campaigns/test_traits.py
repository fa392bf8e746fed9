"""Facts about what of an upload is compared."""

import numpy as np
import pytest

from schemas.records import MediaFact, MediaHash
from streams.campaigns import traits_of
from streams.campaigns.traits import SOUND_ITEMS, sound_items, word_pairs, words_of
from tests.builders import a_text_signal, signals


def test_each_kind_of_text_is_its_own():
    """Title, speech, and all else that is written."""
    upload = signals(
        texts=(
            a_text_signal("A Title Here"),
            a_text_signal("one two three", source="lyrics", seed=1),
            a_text_signal("four five", source="transcript:audio", seed=2),
        )
    )

    traits = traits_of(upload, 5)

    assert traits.title.pairs == word_pairs(["a", "title", "here"])
    assert traits.body.pairs == word_pairs(["one", "two", "three"])
    assert traits.speech.pairs == word_pairs(["four", "five"])
    assert len({traits.title.signature, traits.body.signature}) == 2
    assert traits.at_ms == 5


def test_numbers_and_case_make_no_difference():
    """Episode 12 says what episode 7 does."""
    assert words_of("Episode 12: GO") == words_of("episode 7 go")


def test_disguises_are_compared_undone():
    """What the models read counts, where a text was normalised."""
    upload = signals(
        texts=(a_text_signal("fr€€ c0ins now", normalised="free coins now"),)
    )

    assert traits_of(upload, 0).title.pairs == word_pairs(["free", "coins", "now"])


def test_a_sounds_items_are_found_wherever_it_begins():
    """What is left of a cut copy gives mostly the same."""
    items = np.random.default_rng(3).integers(0, 1 << 32, 300, np.uint32)
    whole = set(np.frombuffer(sound_items(items), "<u4").tolist())
    cut = set(np.frombuffer(sound_items(items[40:]), "<u4").tolist())

    assert len(whole) == SOUND_ITEMS
    assert len(whole & cut) > 20


def test_pictures_are_no_files():
    """A default cover is one file for thousands."""
    media = (
        MediaFact("cover", "image/png", 9, "aa" * 32),
        MediaFact("audio", "audio/mpeg", 9, "bb" * 32),
    )

    assert traits_of(signals(media=media), 0).files == ("bb" * 32,)


@pytest.mark.parametrize(
    "odd",
    [
        {"texts": (a_text_signal("", embedding=b"abc"),)},
        {
            "texts": (
                a_text_signal("nan", embedding=np.full(8, np.nan, "<f4").tobytes()),
            )
        },
        {"texts": (a_text_signal("zero", embedding=bytes(32)),)},
        {"hashes": (MediaHash("cover", "pdq", "not hex", 100),)},
        {"hashes": (MediaHash("cover", "pdq", "ab" * 32, 10),)},
        {"hashes": (MediaHash("audio", "chromaprint", "abcdef"),)},
    ],
)
def test_odd_signals_are_left_out(odd):
    """Nothing raises, and nothing is compared."""
    traits = traits_of(signals(**odd), 0)

    assert not traits.title.signature
    assert not traits.cover
    assert not traits.sound


def test_embeddings_of_two_models_do_not_mix():
    """A text whose size is not the first's is left out."""
    one = a_text_signal(seed=1)
    other = a_text_signal(embedding=np.ones(8, "<f4").tobytes())

    assert traits_of(signals(texts=(one, other)), 0).title.signature == (
        traits_of(signals(texts=(one,)), 0).title.signature
    )
