"""`headgate explain` as people run it."""

import pytest

from tests.streams.cli.test_commands import headgate, lines

pytestmark = pytest.mark.models
SCAM = (  # Of the texts that the shipped head must find.
    "Hello, this is your bank calling. Your account has been locked. Please read me "
    "your card number and the PIN."
)


def test_the_sentence_that_carries_comes_first_with_its_place():
    """One JSON object for each category; places are of the text as given."""
    result = headgate("explain", SCAM, "--json")

    assert result.returncode == 0, result.stderr
    fraud = next(one for one in lines(result) if one["category"] == "FRAUD_SPAM")
    for part in (*fraud["sentences"], *fraud["words"]):
        assert SCAM[part["start_char"] : part["end_char"]] == part["text"]
    drops = [sentence["drop"] for sentence in fraud["sentences"]]
    assert len(drops) == 3
    assert drops == sorted(drops, reverse=True)


def test_a_file_is_read_and_controls_do_not_reach_the_terminal(tmp_path):
    """What is shown is text for a person, whatever the uploader wrote."""
    file = tmp_path / "lyrics.txt"
    file.write_text(f"[bold]{SCAM}\x1b[2J", encoding="utf-8")

    result = headgate("explain", file)

    assert result.returncode == 0, result.stderr
    assert "\x1b" not in result.stdout
    assert "read me your card" in result.stdout
    assert "[bold]" in result.stdout


def test_what_is_not_read_is_said():
    """Exit code 1, and which language it is."""
    result = headgate("explain", "-", stdin="静かな海辺の町で録音した、小さな曲です。")

    assert result.returncode == 1
    assert "language ja" in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_no_text_is_one_sentence(tmp_path):
    """What was expected, and what to do with sound; exit code 2."""
    file = tmp_path / "song.flac"
    file.write_bytes(b"fLaC\xff\xfe\x00\x80")

    result = headgate("explain", file)

    assert result.returncode == 2
    assert "expected UTF-8" in result.stderr
    assert "Traceback" not in result.stderr
