import pytest

from encoders.language import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the time in London?", "en"),
        ("Fruta fresca, pan caliente y las voces del barrio.", "es"),
        ("Une chanson douce sur la pluie et les trains de banlieue.", "fr"),
        ("Wir hören den Vögeln zu und reden über alte Bäume.", "de"),
        ("静かな海辺の町で録音した、ピアノの小さな曲です。", "ja"),
    ],
)
def test_a_sentence_is_told(text, language):
    """A sentence is enough."""
    assert language_of(text) == language


@pytest.mark.parametrize("text", ["", "Despacito"[:5], "🙂🙂🙂", "12345 67890", "ok"])
def test_too_little_is_not_guessed(text):
    """Nothing, a word or two, digits and emoji have no language."""
    assert language_of(text) is None


@pytest.mark.parametrize(
    "title",
    ["Midnight Train", "Kill the Lights", "Summer Vibes", "The Garden Hour: tomatoes",
     "Blue", "lofi beats", "You have WON £1000!", "Intro", "Ok lar... Joking"],
)  # fmt: skip
def test_a_short_english_title_is_not_taken_for_another(title):
    """English or not sure, never surely something else."""
    assert language_of(title) in (None, "en")


def test_any_string_is_taken():
    """Half surrogates, NUL and a novel raise nothing."""
    for text in ("\ud800 half of a pair", "a\x00b" * 9, "word " * 100_000):
        language_of(text)
