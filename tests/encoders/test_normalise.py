import csv
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoders.normalise import normalise
from encoders.signals import Span

KNOWN = """the you i a we to will hate kill all of them now sell cheap drugs see me
shit bitch pink asap spaced out titles"""
WORDS = {word: rank for rank, word in enumerate(KNOWN.split())}
# What evaders write with, and what they hide it among.
ALPHABET = (
    "hatekilyou 014537@$!|.-_*·/ \n#"
    "аеорсухкт\u0261\u03bf"
    "\u200b\u200d\u00ad\u202e\u202c\u2066\ufe0f\u0336\u0301\u20dd\u0308"
    "𝐡ｈⓗᴋ🅷ﬁ½…！ªéßİıअक्ष\u094dعربي한\u1112\u1161가東ー🎉👩"
)


def undone(text):
    """Return what the models read."""
    return normalise(text, WORDS).text


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("h4te y0u", "hate you"),
        ("we k1ll 7hem", "we kill them"),
        ("$hit, b!tch!", "shit, bitch!"),
        ("f4gg0t", "faggot"),
        ("i  h a t e  you", "i  hate  you"),
        ("i h a t e y o u", "i hate you"),
        ("k.i.l.l them", "kill them"),
        ("h a t e  z o r g  y o u  .", "hate zorg you ."),
        (
            "d15gu575 m3: k1ll 7h3m, h4t3 y0u 50 much",
            "disgusts me: kill them, hate you so much",
        ),
        ("h4te: 45 people at 7 in 50 cities", "hate: 45 people at 7 in 50 cities"),
        ("1 d0n'7 h4t3 17, y0u k1ll 7h3m", "i don't hate it, you kill them"),
        ("k-1-l-l them", "kill them"),
        ("h\u200ba\u200bt\u200be", "hate"),
        ("hаtе уоu", "hate you"),
        ("you аrе", "you are"),
        ("\u202eetah\u202c you", "hate you"),
        ("h\u0336a\u0336t\u0336e\u0336", "hate"),
        ("h\u0301\u0302\u0303\u0304ate", "hate"),
        ("𝐡𝐚𝐭𝐞 ｙｏｕ", "hate you"),
        ("ᴋɪʟʟ 🅺🅸🅻🅻", "kill kill"),
        ("h\u200b 4\u200b t\u200b e", "hate"),
    ],
)
def test_what_hides_words_is_undone(disguised, plain):
    """Each trick, and tricks on top of each other, give the words that are meant."""
    found = normalise(disguised, WORDS)

    assert found.text == plain
    assert 0 < found.evasion <= 1


@pytest.mark.parametrize(
    "text",
    [
        "Win a £1000 prize! Call 09061743386 now!",
        "mp3 90s covid19 4x4 1st 3am b4 gr8 US$ 100 50k 2nite",
        "a@b.example https://t.example/h4te #h4te x=k1ll",
        "café naïve Ångström Ελλάδα Москва TNF-α 5 kΩ",
        "Я люблю Queen",
        "नमस्ते क्\u200dष می\u200cخواهم 東京！ 👨\u200d👩\u200d👧 한국어",
        "1 2 3 4, x y z, plan B",
        "1 2 3 4  5 6 7 8  9 0 1 2",
        "",
        "\u200b\u200b",
    ],
)
def test_ordinary_writing_stays_itself(text):
    """Accents, emoji, scripts, numbers, prices and addresses are no disguise."""
    found = normalise(text, WORDS)

    assert (found.text, found.evasion) == (text, 0.0)


def test_letters_in_another_form_are_no_evasion():
    """NFKC changes what is merely written otherwise, and says nothing against it."""
    for text in (
        "cafe\u0301",
        "ﬁn",
        "№ 5",
        "東京ＮＨＫ",
        "™",
        "x²",
        "I\u2764\ufe0fyou",
    ):
        found = normalise(text, WORDS)
        assert found.text != text
        assert found.evasion == 0, text


def test_fashion_counts_half_of_deceit():
    """A font or spaced letters may be taste; look-alike letters are not."""
    assert normalise("hаtе уоu kіll thеm", WORDS).evasion == 1
    assert normalise("𝐡𝐚𝐭𝐞 𝐲𝐨𝐮 𝐤𝐢𝐥𝐥 𝐭𝐡𝐞𝐦", WORDS).evasion == 0.5
    assert normalise("P!nk", WORDS).evasion == 0.125


def test_a_span_leads_back_to_the_raw_text():
    """Evidence points at what was written, invisible characters and all."""
    raw = "so: h\u200ba\u200bt\u200be уоu!"
    found = normalise(raw, WORDS)
    start = found.text.index("hate")

    span = found.raw_span(Span(start, start + 4))
    assert raw[span.start_char : span.end_char] == "h\u200ba\u200bt\u200be"


@given(st.text(ALPHABET, max_size=40) | st.text(max_size=20))
def test_once_is_enough(text):
    """What it gives it leaves as it is, whatever it was given."""
    assert undone(undone(text)) == undone(text)


@given(st.text(ALPHABET, max_size=40), st.data())
def test_every_span_lies_in_the_raw_text(text, data):
    """Ranges come back in order and within bounds, and the score is a share."""
    found = normalise(text, WORDS)
    assert 0 <= found.evasion <= 1
    if found.text:
        start = data.draw(st.integers(0, len(found.text) - 1))
        end = data.draw(st.integers(start + 1, len(found.text)))
        span = found.raw_span(Span(start, end))
        assert 0 <= span.start_char < span.end_char <= len(text)


@pytest.mark.parametrize(
    "unit",
    ["h a t e ", "a ", "h4", "h4te ", "\u202e", "\u202ea", "e\u0301", "аb ", "\u200bа",
     "$", "a\u0336\u0301", "h.a-", "|!1", "\u0301", "ﷺ", "\u0301\u0316"],
)  # fmt: skip
def test_time_is_linear(unit):
    """Ten times the text takes about ten times as long, whatever it is made of."""
    short, long = unit * (4_000 // len(unit)), unit * (40_000 // len(unit))
    undone(long)
    took_s = [least_s(short), least_s(long)]

    assert took_s[1] < 40 * max(took_s[0], 0.001)


def least_s(text):
    """Return the least of three times of our own thread."""
    times = []
    for _ in range(3):
        started_s = thread_time()
        undone(text)
        times.append(thread_time() - started_s)
    return min(times)


def test_clean_texts_are_almost_never_called_disguised(shared_data):
    """Of real messages and test sentences in four languages, one in a thousand."""
    hate = shared_data("multilingual_hatecheck")
    texts = [
        row["test_case"]
        for name in ("french", "german", "spanish")
        for row in rows(hate / f"{name}.csv")
        if not row["functionality"].startswith("spell")
    ]
    messages = rows(shared_data("sms_smishing") / "train.csv")
    texts += [row["text"] for row in messages if row["label"] == "ham"]

    alarms = [text for text in texts if normalise(text, WORDS).evasion > 0]
    assert len(alarms) < 0.001 * len(texts)


def rows(path):
    """Read a table."""
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))
