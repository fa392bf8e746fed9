import re

import numpy as np
import pytest

from encoders.signals import Waveform
from encoders.speech import load_speech, transcribe_whole
from tests.speech_builders import noise, part, recording, silence

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def sphinx():
    """Load PocketSphinx, or skip where the extra is not installed."""
    pytest.importorskip("pocketsphinx")
    return load_speech("sphinx", device="cpu", allow_download=False)


@pytest.fixture(scope="module")
def cards(shared_data):
    """Read a man who says "eight of spades four of clubs seven of hearts"."""
    return recording(shared_data("sphinx_cards") / "005.wav")


def words(result):
    """Join what was heard."""
    return " ".join(segment.text for segment in result.segments)


@pytest.mark.slow
def test_a_famous_sentence_is_recognisable(sphinx, shared_data):
    """Of "ask not what your country can do for you", eight words of nine are heard."""
    speech = recording(shared_data("speech_jfk") / "jfk.flac")
    (result,) = transcribe_whole(sphinx, [speech])

    assert "not what your country can do for you" in words(result)
    assert result.language == "en"
    starts = [segment.start_s for segment in result.segments]
    assert starts[0] == pytest.approx(0.3, abs=0.3)  # "And so, my fellow Americans" …
    assert any(start == pytest.approx(3.3, abs=0.4) for start in starts)  # … "ask not".


def test_words_are_plain(sphinx, cards):
    """No fillers, no numbers of pronunciations: words that a text model knows."""
    (result,) = transcribe_whole(sphinx, [cards])

    assert words(result) == "eight of spades four of clubs seven of hearts"
    assert re.fullmatch(r"[a-z' ]+", words(result))


def test_the_past_does_not_matter(sphinx, cards, shared_data):
    """What was decoded before leaves no trace: A, B, A gives the same A."""
    card = part(cards, 0, 1.5)
    other = part(recording(shared_data("ljspeech") / "LJ001-0001.flac"), 0, 2)
    loud = Waveform((other.samples * 3).clip(-1, 1))
    first = transcribe_whole(sphinx, [card])
    transcribe_whole(sphinx, [loud])

    assert transcribe_whole(sphinx, [card]) == first
    assert first[0].segments


def test_times_are_of_the_whole_recording(sphinx, cards):
    """Speech behind ten seconds of silence is placed behind them."""
    later = Waveform(np.concatenate([silence(10).samples, cards.samples]))
    (result,) = transcribe_whole(sphinx, [later])

    assert 10 <= result.segments[0].start_s < 11
    assert "of hearts" in words(result)


def test_noise_says_nothing(sphinx):
    """White noise is loud and is no speech."""
    assert transcribe_whole(sphinx, [noise(3)])[0].segments == ()


def test_birdsong_says_nothing(sphinx, shared_data):
    """PocketSphinx hears "what are you in the sun" in a robin; we don't believe it."""
    robin = recording(shared_data("music_nonspeech") / "robin.ogg")

    assert transcribe_whole(sphinx, [robin])[0].segments == ()


def test_the_model_is_named_with_its_hash(sphinx):
    """The identity hashes the acoustic model, the dictionary and the language model."""
    assert (sphinx.model.role, sphinx.model.name) == ("speech", "pocketsphinx:en-us")
    assert len(sphinx.model.sha256) == 64
