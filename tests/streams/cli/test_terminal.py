"""Facts about what reaches a terminal: words, and no commands of anybody's."""

import json
import re
from pathlib import Path

import pytest

from schemas.dead_letter import Failure, Origin, dead_letter_headers
from schemas.records import (
    Action,
    AnomalyScore,
    BankEntry,
    Category,
    CategoryScore,
    Evidence,
    Missing,
    ModelUse,
)
from streams.cli.bank_report import print_banks, print_entries
from streams.cli.corrections import print_corrections
from streams.cli.decision_table import decision_table
from streams.cli.replay_report import print_summary
from streams.cli.terminal import as_text, complain, output_console, write_json
from streams.cli.transcript_report import show
from streams.messages import Record
from tests.builders import a_decision, signals

# A closing tag that rich would fail at, a colour, "clear the screen" in both of its
# forms, a new line that could pass for ours, and a mark that turns the line around.
NASTY = "[/x] [red]no\x1b[2J\x9b2J\x07\r\nallow\u202eevil"
SHOWN = r"[/x] [red]no\x1b[2J\x9b2J\x07\r\nallow\u202eevil"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def said(capsys):
    """Return what a person sees; nothing of it may be obeyed."""
    out = capsys.readouterr()
    assert not OBEYED.search(out.out + out.err)
    return re.sub(r"[\s│]+", "", out.out + out.err)


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Give tables room: where one folds is not the point here."""
    monkeypatch.setenv("COLUMNS", "2000")


def test_words_are_shown_as_they_are_written(capsys):
    """Markup and controls too; other scripts are left alone."""
    output_console().print(as_text(NASTY))
    assert capsys.readouterr().out == f"{SHOWN}\n"

    output_console().print(as_text("Ｈé 音楽 עברית 👩‍🚀"))
    assert capsys.readouterr().out == "Ｈé 音楽 עברית 👩‍🚀\n"


def test_json_says_the_same_and_commands_nothing(capsys):
    """C1 controls too, which JSON itself would let through."""
    write_json({"title": NASTY})

    out = capsys.readouterr().out
    assert json.loads(out) == {"title": NASTY}
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


def test_a_complaint_commands_nothing(capsys):
    """It may have lines, and quote what was wrong."""
    complain(f"two\nlines {NASTY}")

    assert "two\nlines" in capsys.readouterr().err
    complain(NASTY.replace("\n", ""))
    assert SHOWN.replace(r"\n", "").replace(" ", "") in said(capsys)


def a_record(headers=()):
    """Build a record of a decision or of a dead letter."""
    return Record("t", 0, 1, 1000, b"k", b"v", tuple(headers))


@pytest.mark.parametrize("clause", ["missing.text", "velocity.review>=0.9", NASTY])
def test_a_decision_in_a_table_commands_nothing(clause, capsys):
    """Its content's id, clause, evidence, anomalies, models and what is missing."""
    span = Evidence(NASTY, NASTY, score=0.9)
    decision = a_decision(
        signals(f"c {NASTY}"),
        action=Action.REVIEW,
        clause=clause,
        categories=(CategoryScore(Category.HATE, 0.9, (span,)),),
        anomalies=(AnomalyScore("velocity", 0.9, NASTY),),
        missing=(Missing(NASTY, "not_found"),),
        models=(ModelUse("text", NASTY, "aa" * 32),),
    )
    origin, failure = Origin(NASTY, 0, 1), Failure("judge", "E", NASTY)
    letter = a_record(dead_letter_headers(origin, failure))

    output_console().print(decision_table([(decision, a_record())], [letter]))

    assert said(capsys).count(SHOWN.replace(" ", "")) >= 4


def test_a_replays_verdict_commands_nothing(capsys):
    """The first difference has the uploader's own id; reasons quote signals."""
    named = {"partition": 0, "offset": 1, "content_id": NASTY, "reason": NASTY}
    counters = ("actions", "clauses", "categories", "kinds")
    print_summary(
        {
            "kind": "faithful",
            "histories": "whole",
            "events": 1,
            "results": {"different": 1},
            "equal": False,
            "first_difference": named,
            **{name: {} for name in counters},
            "reasons": {NASTY: 1},
            "flips": 0,
            "breakdowns": {"only_in_territories": 0},
            "out": NASTY,
        }
    )

    assert said(capsys).count(SHOWN.replace(" ", "")) == 4


def test_banks_corrections_and_transcripts_command_nothing(capsys, tmp_path):
    """Names that operators gave, and what a model heard."""
    entry = BankEntry(NASTY, NASTY, NASTY, "00" * 32, Category.HATE, note=NASTY)
    print_banks([NASTY], [entry])
    print_entries([entry])
    print_corrections(
        {
            "corrections": 1,
            "braked": 0,
            "left": {NASTY: 1},
            "dry_run": True,
            "sha256": "ab" * 32,
        },
        Path(f"/{NASTY}"),
    )
    span = {"start_s": 0.0, "end_s": 1.0, "text": NASTY}
    heard = {"segments": [span], "gated": [], "truncated": None, "recalled_windows": 0}
    show({"file": NASTY, "model": "micro", "duration_s": 1.0, **heard})

    assert said(capsys).count(SHOWN.replace(" ", "")) >= 10
