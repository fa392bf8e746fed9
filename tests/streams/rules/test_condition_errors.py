import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.rules.parser import parse_condition
from streams.rules.tokens import ConditionError
from tests.streams.rules.condition_strategies import VOCABULARY

# The condition, with ^ before the character that the error is at; then its words.
WRONG = [
    ("^score.hat >= 0.9", "'score.hat'", "a known name", "did you mean 'score.hate'?"),
    ("kind == ^trak", "'trak'", "what kind can be", "did you mean 'track'?"),
    ("score.hate >= ^1.2", "'1.2'", "a number in [0, 1]", "score.hate >= 0.9"),
    ("score.hate >= ^high", "'high'", "a known name", "use one of"),
    ('score.hate >= ^"0.9"', "'0.9'", "a number for score.hate", "score.hate >= 0.9"),
    ("score.hate ^in [track]", "score.hate, which is a number", "a text beside in", ""),
    ("kind ^>= 3", "'>='", "==, !=, in or matches", "kind == track"),
    ("territories ^== DE", "'=='", "has after territories", "territories has DE"),
    ("territories has ^Germany", "'Germany'", "ISO 3166-1", "two capitals"),
    ("^", "the end", "a condition", "score.hate >= 0.9"),
    ("score.hate >= 0.9 ^score.hate < 1", "'score.hate'", "and, or", "join them"),
    ("score.hate >= 0.9 and^", "the end", "a name such as", "NAME >= NUMBER"),
    ("(score.hate >= 0.9^", "the end", "')'", "add )"),
    ("score.hate ^= 0.9", "'='", "a comparison", "write == for equal"),
    ("score.hate >= 0.9 ^&& kind == track", "'&'", "a word or a sign", "write and"),
    ('uploader_id == ^"u1', "a text without its end", "one", 'add "'),
    ("kind in [track ^video]", "'video'", "']'", "add ]"),
    ("kind in ^track", "'track'", "'['", "add ["),
    ("score.hate >= ^.9", "'.'", "a name, a number", "remove it"),
    ("score.hate >= ^9e1", "'9e1'", "a number", "write it as 0.92"),
    ('text.title matches ^"(a"', "missing ): (a", "a pattern of RE2", "simplify"),
    ('text.title matches ^"(?=a)b"', "(?=", "no look-around", "simplify"),
    (r'text.title matches ^"(a)\1"', r"\1", "no back-references", "simplify"),
    ("text.title matches ^gift", "'gift'", "a pattern in quotes", "free gift"),
    ("text.title ^has gift", "a text", "a list beside has", "text.title =="),
    ('text.title ^match "a"', "'match'", "in or matches", "did you mean 'matches'?"),
    ("bank[^takedowns] > 0.5", "'takedowns'", "a name in quotes", "NAME"),
    ("^__import__('os')", "'__import__'", "a known name", "use one of"),
]


@pytest.mark.parametrize(
    ("text", "found", "expected", "remedy"), WRONG, ids=[case[0] for case in WRONG]
)
def test_a_bad_condition_is_refused_at_its_place(text, found, expected, remedy):
    """What was found there, what was expected, and what to do."""
    offset = text.index("^")

    with pytest.raises(ConditionError) as caught:
        parse_condition(text[:offset] + text[offset + 1 :], VOCABULARY)

    error = caught.value
    assert error.offset == offset
    assert found in error.found
    assert expected in error.expected
    assert remedy in error.remedy


def test_depth_and_length_are_bounded():
    """Brackets without end, and conditions nobody reads, are refused and not run."""
    for text in ("(" * 5_000 + "always", "not " * 400 + "kind == track", "x" * 9_999):
        with pytest.raises(ConditionError):
            parse_condition(text, VOCABULARY)


WORDS = st.sampled_from(
    [
        *("score.hate", ">=", "0.9", "and", "or", "not", "(", ")", "[", "]", ",", "in"),
        *("kind", "track", "has", "matches", '"a+"', "==", "territories", "DE", "bank"),
    ]
)


@settings(deadline=None, max_examples=100)
@given(st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_any_text_is_a_condition_or_refused_with_its_place(text):
    """Nothing else is raised, and the place is within the text."""
    error = refusal(text)

    assert error is None or 0 <= error.offset <= len(text)
    assert error is None or (error.found and error.expected and error.remedy)


def refusal(text: str) -> ConditionError | None:
    """Return why a text is refused; None where it is a condition."""
    try:
        parse_condition(text, VOCABULARY)
    except ConditionError as error:
        return error
    return None
