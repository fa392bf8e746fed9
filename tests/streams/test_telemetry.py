import io
import json
import logging

import pytest
import structlog

from streams import logs
from streams.dead_letters import DeadLetterLimitError
from streams.errors import PermanentError
from streams.logs import set_up_logs
from streams.telemetry import EXIT_FAULT, EventLog
from tests.fakes import a_record

SECRET = "what the caller said"


@pytest.fixture
def stream():
    """Logs that go to a string; everything is put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    set_up_logs("info", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream):
    """Return the lines as objects."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_at_its_end(stream):
    """It says where the event lies, how long it took, and the facts."""
    EventLog().begin("screen", a_record(5)).finish(action="allow")

    (line,) = lines(stream)
    assert (line["stage"], line["offset"], line["action"]) == ("screen", 5, "allow")
    assert line["ms"] >= 0


def test_a_defect_shows_its_place_and_not_its_values(stream):
    """An exception's text may hold an upload's; only its kind and lines are told."""
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        line = EventLog().begin("judge", a_record())
        line.dead_letter(PermanentError("internal_error", SECRET), defect=error)

    (written,) = lines(stream)
    assert written["error"] == "ValueError"
    assert written["at"][-1].startswith("test_telemetry.py:")
    assert SECRET not in stream.getvalue()


def test_a_librarys_exception_shows_no_values_either(stream):
    """What libraries log goes through the same hands."""
    try:
        raise ValueError(SECRET)
    except ValueError:
        logging.getLogger("faust").exception("crashed")

    (written,) = lines(stream)
    assert (written["event"], written["error"]) == ("crashed", "ValueError")
    assert SECRET not in stream.getvalue()


def test_a_fault_ends_the_process_with_its_code(stream):
    """The orchestrator sees 70 and starts the worker anew."""
    codes = []
    EventLog(exit_process=codes.append).fatal("judge", RuntimeError(SECRET))

    assert codes == [EXIT_FAULT]
    assert lines(stream)[0]["event"] == "stage_stopped"
    assert SECRET not in stream.getvalue()


def test_a_fault_that_we_name_says_what_to_do(stream):
    """The dead-letter limit's sentence must reach the operator."""
    log = EventLog(exit_process=lambda code: None)
    log.fatal("screen", DeadLetterLimitError("too many; mend the cause"))

    assert lines(stream)[0]["message"] == "too many; mend the cause"


def test_a_library_that_repeats_itself_is_told_once_in_ten_seconds():
    """With how many lines were hidden; another line comes through meanwhile."""
    now_s = [0.0]
    repeats = logs._Repeats(lambda: now_s[0])

    def say(message):
        record = logging.LogRecord("aiokafka", 40, "", 0, message, ("1",), None)
        return record.getMessage() if repeats.filter(record) else None

    assert say("no node %s") == "no node 1"
    assert [say("no node %s") for _ in range(99)] == [None] * 99
    assert say("no topic %s") == "no topic 1"
    now_s[0] = logs.REPEAT_S
    assert say("no node %s") == "no node 1 (and 99 times since)"
