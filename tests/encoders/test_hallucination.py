import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.hallucination import believed, is_loop
from encoders.signals import GatedSpeech, SpeechResult, SpeechSegment


def a_segment(start_s=0.0, end_s=2.0, text="hello there", **measures):
    """Build a segment that anyone would believe."""
    usual = {"avg_logprob": -0.2, "no_speech_prob": 0.01, "compression_ratio": 1.1}
    return SpeechSegment(start_s, end_s, text, **(usual | measures))


def judged(*segments, voice=((0.0, 1000.0),)):
    """Return the texts that are left and the reasons of those that are not."""
    result = believed(SpeechResult("en", segments), voice)
    return [s.text for s in result.segments], [g.reason for g in result.gated]


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({}, []),
        ({"no_speech_prob": 0.9, "avg_logprob": -0.3}, []),
        ({"no_speech_prob": 0.1, "avg_logprob": -2.0}, []),
        ({"no_speech_prob": 0.9, "avg_logprob": -1.1}, ["no_speech"]),
        ({"compression_ratio": 2.5}, ["repetitive"]),
        ({"text": "la " * 7}, ["repetitive"]),
        ({"text": "no no no no"}, []),
        ({"text": ""}, ["empty"]),
        ({"text": " ... ♪"}, ["empty"]),
        ({"end_s": 0.0}, ["empty"]),
        ({"avg_logprob": None, "no_speech_prob": None}, []),
    ],
)
def test_what_a_model_makes_up_is_gated(fields, reasons):
    """Unsure words in likely silence, loops and empty segments are not speech."""
    assert judged(a_segment(**fields))[1] == reasons


@pytest.mark.parametrize(
    ("voice", "logprob", "reasons"),
    [
        ((), -0.2, ["no_voice"]),
        (((5.0, 9.0),), -0.2, ["no_voice"]),
        (((0.0, 0.2),), -0.2, ["no_voice"]),
        (((0.0, 0.3),), -0.2, []),
        (((0.0, 0.3),), -1.5, ["unsure"]),
        (((0.0, 0.6), (0.9, 1.5)), -1.5, []),
        (None, -1.5, []),
    ],
)
def test_words_need_a_voice_under_them(voice, logprob, reasons):
    """The less a model is sure, the more; where nobody listened, it is believed."""
    assert judged(a_segment(avg_logprob=logprob), voice=voice)[1] == reasons


def test_a_short_word_needs_less_voice():
    """Half of a word of 0.3 s is enough."""
    assert judged(a_segment(end_s=0.3), voice=((0.1, 0.3),))[1] == []


def test_the_same_line_is_believed_four_times():
    """A chorus repeats, a loop goes on; other words start the count again."""
    lines = [a_segment(n, n + 1, "Thank you.") for n in range(6)]
    texts, reasons = judged(
        *lines, a_segment(6, 7, "Bye"), a_segment(7, 8, "thank you")
    )

    assert texts == ["Thank you."] * 4 + ["Bye", "thank you"]
    assert reasons == ["repetitive"] * 2


def test_what_is_gated_has_its_place_and_no_words():
    """A policy sees where; what an engine gated before stays."""
    before = GatedSpeech(1.0, 2.0, "unsure")
    result = believed(SpeechResult("en", (a_segment(3, 4, ""),), (before,)), None)

    assert result.gated == (before, GatedSpeech(3, 4, "empty"))
    assert (result.segments, result.language) == ((), None)


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_loops_are_found_whatever_their_length(words):
    """Anything said six times is a loop, with any words before and behind it."""
    phrase = words[:8] or ["a"]

    assert is_loop([*words, *phrase * 6, *words])


def test_no_word_is_no_loop():
    """Distinct words, however many, are speech."""
    assert not is_loop([])
    assert not is_loop([str(n) for n in range(1000)])
