import pytest

from encoders.language import language_of
from tests.languages import LATIN_SCRIPT, OTHER_SCRIPTS, codes

SCRIPTS = {
    **{"am": "Ethi", "ar": "Arab", "bg": "Cyrl", "bn": "Beng", "el": "Grek"},
    **{"fa": "Arab", "gu": "Gujr", "he": "Hebr", "hi": "Deva", "hy": "Armn"},
    **{"ja": "Jpan", "ka": "Geor", "km": "Khmr", "kn": "Knda", "ko": "Kore"},
    **{"lo": "Laoo", "ml": "Mlym", "mr": "Deva", "my": "Mymr", "ne": "Deva"},
    **{"pa": "Guru", "ru": "Cyrl", "si": "Sinh", "ta": "Taml", "te": "Telu"},
    **{"th": "Thai", "uk": "Cyrl", "ur": "Arab", "zh": "Hani"},
}


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


@pytest.mark.parametrize(
    ("language", "sentence", "title"), OTHER_SCRIPTS, ids=codes(OTHER_SCRIPTS)
)
def test_another_script_is_never_unsure(language, sentence, title):
    """Where the language of a word is not sure, its script is: it is not read."""
    assert language_of(sentence) in (language, f"und-{SCRIPTS[language]}")
    assert language_of(title).startswith("und-")


@pytest.mark.parametrize(
    ("language", "sentence", "title"), LATIN_SCRIPT, ids=codes(LATIN_SCRIPT)
)
def test_a_sentence_in_latin_letters_is_told(language, sentence, title):
    """A sentence is told rightly; a word is no sign of anything."""
    assert language_of(sentence) == language
    assert language_of(title) is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("朝の歌", "und-Jpan"),
        ("早安", "und-Hani"),
        ("Ω", "und-Grek"),
        ("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "und-Cher"),
        ("ꦲꦏ꧀ꦱꦫꦗꦮ", "und-Zzzz"),
        ("Live 東京 2024", None),
        ("Spring Day (봄날)", None),
        ("봄날 BTS", None),
        ("Beyoncé – Café", None),
    ],
)
def test_half_the_letters_say_the_script(text, language):
    """A name in brackets leaves an English title English."""
    assert language_of(text) == language


@pytest.mark.parametrize(
    "sentence", [s for _, s, _ in OTHER_SCRIPTS], ids=codes(OTHER_SCRIPTS)
)
def test_a_script_is_told_beside_as_many_latin_letters(sentence):
    """Text that can't be read is not hidden by a little that can."""
    letters = sum(map(str.isalpha, sentence))

    assert language_of(f"{sentence} {'kiss me ' * (letters // 7)}"[:900]) != "en"


def test_any_string_is_taken():
    """Half surrogates, NUL and a novel raise nothing."""
    for text in ("\ud800 half of a pair", "a\x00b" * 9, "word " * 100_000):
        language_of(text)
