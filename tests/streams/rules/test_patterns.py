from time import process_time

import pytest

from streams.rules.patterns import PatternError, PatternSet, compile_pattern


def test_a_pattern_that_ruins_backtrackers_takes_no_time():
    """`(a+)+$` over thirty thousand letters, within 10 ms."""
    search = compile_pattern("(a+)+$")
    started_s = process_time()

    assert not search("a" * 30_000 + "!")

    assert process_time() - started_s < 0.010


@pytest.mark.parametrize("pattern", ["(", "(?=a)", r"(a)\1", "(a{1000}){1000}"])
def test_what_can_not_be_linear_is_no_pattern(pattern):
    """Look-around, back-references and explosive repetition are refused."""
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)

    assert "RE2" in caught.value.expected


def test_a_long_pattern_is_refused():
    """What is listed belongs into a bank."""
    with pytest.raises(PatternError, match="501 characters"):
        compile_pattern("a" * 501)


@pytest.mark.parametrize("text", ["", "free gift", "a\ud800b", "GIFT gift", "ñandú"])
def test_a_set_finds_what_its_patterns_find_one_by_one(text):
    """In one pass, whatever the text holds."""
    patterns = ["gift", "(?i)FREE", "^$", "ñ", "zzz", "."]

    found = set(PatternSet(patterns).found_in(text))

    assert found == {i for i, p in enumerate(patterns) if compile_pattern(p)(text)}


def test_a_set_that_runs_out_of_memory_leaves_no_pattern_out():
    """RE2 then says that nothing matched; the rules are looked at one by one."""
    patterns = [f"(?i)\\w{{30,60}}{n}\\pL{{10,40}}" for n in range(400)]
    assert compile_pattern(patterns[7])  # Each of them fits by itself.

    assert list(PatternSet(patterns).found_in("nothing")) == list(range(400))
