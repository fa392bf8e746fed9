import pytest

from streams import text_reading
from streams.text_reading import TextReading
from tests.fakes import FakeTextEncoder


@pytest.fixture
def cuts(monkeypatch):
    """Count the texts whose language is looked for, which a known one's is not."""
    looked = []
    whose = text_reading.language_of
    monkeypatch.setattr(
        text_reading, "language_of", lambda text: looked.append(text) or whose(text)
    )
    return looked


def test_a_copy_is_read_once_and_alike(cuts):
    """Under another name too: the parts are those of the first reading."""
    reading, text = TextReading(FakeTextEncoder()), "Win a prize today, my friend"

    first, second = reading.parts("title", text), reading.parts("lyrics", text)

    assert len(cuts) == len(first)
    assert [part.source for part in second] == ["lyrics"] * len(first)
    assert [(p.text, p.start_char, p.language, p.evasion) for p in first] == [
        (p.text, p.start_char, p.language, p.evasion) for p in second
    ]


def test_a_text_in_disguise_is_not_kept(cuts):
    """What it says undone is its uploader's words, which no cache may hold."""
    reading, text = (
        TextReading(FakeTextEncoder()),
        "fr\u200bee pr\u200bize f\u200bor you",
    )

    first, second = reading.parts("title", text), reading.parts("title", text)

    assert first == second
    assert first[0].normalised == "free prize for you"
    assert len(cuts) == 2


def test_a_text_no_utf8_can_hold_is_read(cuts):
    """Half a surrogate pair, as a JSON line may have it."""
    (part,) = TextReading(FakeTextEncoder()).parts("title", "broken \ud83d emoji")

    assert part.text == "broken \ud83d emoji"
