import json
import subprocess
import sys

import pytest

from schemas.dead_letter import Failure, Origin, dead_letter_headers
from streams.scrubbing import MOST_CHARS, Scrubber
from tests.security.log_paths import CANARY, PERSON, TRANSCRIPT


@pytest.fixture(scope="module")
def said():
    """Everything that a process printed after it said canaries on every path."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.security.log_paths"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("canary", [CANARY, TRANSCRIPT, PERSON, "jane.doe"])
def test_no_log_path_tells_a_secret_an_address_or_what_was_said(said, canary):
    """Not in fields, texts, arguments, tracebacks, warnings or uncaught exceptions."""
    assert canary not in said


def test_every_path_wrote_its_line(said):
    """Scrubbed, not lost: whoever reads the log sees that something happened."""
    lines = [json.loads(line) for line in said.splitlines()]

    assert [line["event"] for line in lines[:3]] == [
        "event_done",
        "event_dead_letter",
        "connected",
    ]
    failures = [line for line in lines if line["event"] == "it failed"]
    assert [line["error"] for line in failures] == ["KeyError", "KeyError"]
    assert [line["event"] for line in lines[-2:]] == ["uncaught", "uncaught"]
    assert len(lines) == 15


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("kafka://u:pw@host:1", "kafka://[hidden]@host:1"),
        ("https://h/a?sig=1 gone", "https://h/a?[hidden] gone"),
        ("password=hunter2, next", "password=[hidden], next"),
        ('{"api_key": "abc"}', '{"api_key": [hidden]"}'),
        ("Authorization: Bearer abcdefgh", "Authorization: [hidden]"),
        ("key AKIAABCDEFGHIJKLMNOP", "key [hidden]"),
        ("eyJhbGciOi.eyJzdWIi.c2ln", "[hidden]"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "[hidden]"),
        ("mail to a.b+c@d.example.", "mail to [hidden]"),
        ("topic content.ingested.v1 is away", "topic content.ingested.v1 is away"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_in_any_text(text, scrubbed):
    """By shape, for those that nobody told us of; plain words stay."""
    assert Scrubber().text(text) == scrubbed


def test_a_long_value_is_cut():
    """Ten megabytes in a log line are a leak and an outage."""
    assert len(Scrubber().text("x " * 5_000_000)) == MOST_CHARS + 1


def test_a_dead_letters_headers_hold_a_code_and_no_text():
    """Whatever became of the reason on its way."""
    failure = Failure("screen", "EventError", reason=f"{TRANSCRIPT} {CANARY}")
    headers = dead_letter_headers(Origin("t", 0, 1), failure, [("h", b"1")])

    told = b" ".join(value for _, value in headers)
    assert TRANSCRIPT.encode() not in told
    assert CANARY.encode() not in told
    assert ("kafka_dlt-exception-message", b"unspecified") in headers
