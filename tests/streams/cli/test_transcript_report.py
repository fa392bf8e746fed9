import json
from pathlib import Path

from encoders.signals import GatedSpeech, SpeechResult, SpeechSegment, SpokenWord
from streams.cli.transcript_report import as_line, show, summary
from streams.hearing import Heard

WORDS = (SpokenWord(0.5, 0.8, "ask", 0.91234),)
SAID = SpeechResult(
    "en",
    (SpeechSegment(0.5, 1.25, "ask not", words=WORDS), SpeechSegment(2, 3, "what")),
    (
        GatedSpeech(5, 7.5, "no_voice"),
        GatedSpeech(9, 10, "repetitive"),
        GatedSpeech(11, 12, "no_voice"),
    ),
)


def a_line(result=SAID, truncated=None, recalled=0):
    """Build the line of a file of 20 s."""
    return as_line(Path("a.flac"), "m", Heard(result, 20.0004, truncated), recalled)


def test_the_json_has_every_second_word_and_gate():
    """It is what other programs read."""
    line = json.loads(json.dumps(a_line(truncated="broken_off", recalled=3)))

    assert (line["duration_s"], line["truncated"]) == (20.0, "broken_off")
    assert line["recalled_windows"] == 3
    first, second = line["segments"]
    assert first["words"] == [
        {"start_s": 0.5, "end_s": 0.8, "text": "ask", "probability": 0.912}
    ]
    assert "words" not in second
    assert line["gated"][0] == {"start_s": 5, "end_s": 7.5, "reason": "no_voice"}


def test_the_summary_says_what_was_not_believed_and_why():
    """Most frequent reason first, with the seconds in all."""
    assert summary(a_line()) == (
        "2 segments; 3 stretches not believed, 4.5 s (2 no_voice, 1 repetitive)"
    )
    assert summary(a_line(SpeechResult(None, ()))) == "nothing was said"
    assert summary(a_line(SpeechResult(None, ()), "too_short", 2)) == (
        "nothing was said; not whole: too_short; 2 windows kept from before"
    )


def test_a_person_reads_the_words_below_their_segment(capsys):
    """And names with brackets as they are."""
    show(a_line() | {"file": "[bold]a.flac"})

    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "[bold]a.flac (m, 20.0 s)"
    assert shown[1].split() == ["0.50", "–", "1.25", "ask", "not"]
    assert shown[2].split() == ["0.50", "–", "0.80", "ask"]
    assert shown[2].startswith("      ")
