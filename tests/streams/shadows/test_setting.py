"""Facts about HEADGATE_SHADOW: what it says, and what is refused."""

from pathlib import Path

import pytest

from streams.errors import StartError
from streams.shadows.setting import Candidate, parse_candidates


def test_candidates_are_read_with_all_they_may_have():
    """A name and a path; a percentage and a head if wanted."""
    text = "a=p/one, b=p/two@12.5,c=p/three;head=w.st , d=p@home/4@1;head=w"

    assert parse_candidates(text) == (
        Candidate("a", Path("p/one")),
        Candidate("b", Path("p/two"), 12.5),
        Candidate("c", Path("p/three"), head=Path("w.st")),
        Candidate("d", Path("p@home/4"), 1.0, Path("w")),
    )


def test_a_folder_may_have_an_at_in_its_name():
    """What follows it has a slash, so it is no percentage."""
    (candidate,) = parse_candidates("a=p@home/strict")

    assert (candidate.policy, candidate.percent) == (Path("p@home/strict"), 100.0)


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_nothing_is_no_candidate(text):
    """The default runs the live policy alone."""
    assert parse_candidates(text) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strict", "begins with 'strict'"),
        ("=p", "begins with ''"),
        ("Strict=p", "begins with 'Strict'"),
        ("a b=p", "begins with 'a b'"),
        ("a=", "names no path"),
        ("a=@10", "names no path"),
        ("a=p@0", "percentage '0'"),
        ("a=p@101", "percentage '101'"),
        ("a=p@-1", "percentage '-1'"),
        ("a=p@nan", "percentage 'nan'"),
        ("a=p@ten", "percentage 'ten'"),
        ("a=p@", "percentage ''"),
        ("a=p;weights=f", "option 'weights=f'"),
        ("a=p;head=", "option 'head='"),
        ("a=p;head=f;head=g", "option 'head=f;head=g'"),
        ("a=p,a=q", "names 'a' 2 times"),
    ],
)
def test_what_is_no_candidate_is_refused_with_the_right_form(text, said):
    """The setting, what was found, what was expected and how to write it."""
    with pytest.raises(StartError) as refused:
        parse_candidates(text)

    assert said in str(refused.value)
    assert "HEADGATE_SHADOW" in str(refused.value)
    assert "NAME=PATH[@PERCENT]" in str(refused.value)
