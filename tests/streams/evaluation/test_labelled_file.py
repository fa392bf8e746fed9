"""Rows of labelled files: what is read, and what is said of a bad line."""

import math

import pytest

from streams.errors import StartError
from streams.evaluation import labelled_file
from streams.evaluation.labelled_file import LabelWords, Row, read_rows


def a_file(tmp_path, name, text):
    """Write a file."""
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_jsonl_and_csv_give_the_same_rows(tmp_path):
    """A byte order mark, blank lines and quoted line ends are no matter."""
    csv = a_file(tmp_path, "a.csv", '\ufefftext,hate\n"two\nlines",1\n\nplain,0\n')
    jsonl = a_file(
        tmp_path,
        "a.jsonl",
        '{"text": "two\\nlines", "hate": "1"}\n\n{"text": "plain", "hate": "0"}\n',
    )

    assert [r.values for r in read_rows(csv)] == [r.values for r in read_rows(jsonl)]


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "yes", "TRUE", "Hateful"])
def test_words_for_yes(value):
    """What spreadsheets and people write."""
    assert LabelWords(["hateful"]).label(Row({"x": value}, "f:1"), "x") == 1.0


@pytest.mark.parametrize("values", [{}, {"x": None}, {"x": ""}, {"x": float("nan")}])
def test_a_missing_label_is_unknown(values):
    """An absent key, null, an empty cell, NaN: never 0."""
    assert math.isnan(LabelWords().label(Row(values, "f:1"), "x"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.jsonl", '{"a": 1}\nnonsense\n', "a.jsonl:2: not JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl:1: list; expected a JSON object"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "a.csv:3: more than the header's 2 columns"),
        ("a.csv", b"a,b\n\xff\xfe,2\n", "not UTF-8"),
        ("a.csv", 'a,b\n"open,2\n', "not CSV"),
        ("none.csv", None, "can't be read: No such file"),
    ],
)
def test_a_bad_line_is_named(tmp_path, name, text, said):
    """File, line, what was found and what was expected."""
    path = tmp_path / name if text is None else a_file(tmp_path, name, text)

    with pytest.raises(StartError, match=said):
        list(read_rows(path))


def test_a_file_too_large_or_long_is_refused(tmp_path, monkeypatch):
    """Bytes of a file, bytes of a line, and rows have bounds."""
    path = a_file(tmp_path, "a.jsonl", '{"text": "words"}\n' * 3)
    for name, said in (
        ("MAX_FILE_BYTES", "split it"),
        ("MAX_LINE_BYTES", "a.jsonl:1: over 2 bytes"),
        ("MAX_ROWS", "over 2 rows"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(labelled_file, name, 2)
            with pytest.raises(StartError, match=said):
                list(read_rows(path))


def test_a_value_of_another_kind_is_named():
    """A missing column, a number for a text, a label and a score that are none."""
    row = Row({"text": 3, "hate": "maybe", "score": 1.5}, "f.csv:7")
    calls = {
        r"f.csv:7: no column 'body'; there are hate, score, text": lambda: row.need(
            "body"
        ),
        "f.csv:7: text is int; expected a text": lambda: row.text("text"),
        "f.csv:7: hate is 'maybe'": lambda: LabelWords().label(row, "hate"),
        r"f.csv:7: score is 1.5; expected a number in \[0, 1\]": lambda: row.number(
            "score"
        ),
    }
    for said, call in calls.items():
        with pytest.raises(StartError, match=said):
            call()
