"""Says a canary on every path that leads to the log; run as a program by the test.

Each path is one that something in a worker may take: an event's line, a dead letter, a
library's logger, asyncio's handler, a warning, and exceptions nobody caught.
"""

import asyncio
import logging
import sys
import threading
import warnings

import structlog

from streams.errors import PermanentError
from streams.logs import set_up_logs, tell_uncaught
from streams.messages import Record
from streams.telemetry import EventLog

CANARY = "c4n4ry-4711"
TRANSCRIPT = "meet me behind the station at nine"
PERSON = "jane.doe@example.org"
SIGNED = f"https://media.example/a.flac?X-Amz-Signature={CANARY}&Expires=9"


def events() -> None:
    """Our own lines, with what should not have been handed to them."""
    log = EventLog(exit_process=lambda code: None)
    line = log.begin("screen", Record("t", 0, 1, 0, b"k", TRANSCRIPT.encode()))
    line.finish(title=TRANSCRIPT, uri=SIGNED, uploader=PERSON, raw=TRANSCRIPT.encode())
    line.dead_letter(PermanentError("bad", TRANSCRIPT), ValueError(TRANSCRIPT))
    log.note("connected", broker=f"kafka://user:{CANARY}@host:9092", password=CANARY)
    log.note("headers", headers={"Authorization": f"Bearer {CANARY}{CANARY}"})
    log.fatal("judge", RuntimeError(TRANSCRIPT))


def libraries() -> None:
    """Lines of libraries, with values in text, arguments and tracebacks."""
    logger = logging.getLogger("library")
    logger.error("can't fetch %s", SIGNED)
    logger.error("token=%s for %s", CANARY, PERSON)
    logger.warning("failed: %s", ValueError(TRANSCRIPT))
    logger.error("Crashed reason=%r", ValueError(TRANSCRIPT))
    try:
        raise KeyError(TRANSCRIPT)
    except KeyError:
        logger.exception("it failed")
        structlog.get_logger().exception("it failed")
    warnings.warn(f"password: {CANARY}", stacklevel=1)


def unretrieved() -> None:
    """A task whose exception nobody asks for: asyncio tells of it in its own words."""

    async def fails() -> None:
        raise ValueError(TRANSCRIPT)

    async def main() -> None:
        task = asyncio.create_task(fails())
        await asyncio.sleep(0.01)
        del task

    asyncio.run(main())


def uncaught() -> None:
    """Exceptions that end a thread and the program."""

    def fails() -> None:
        raise ValueError(TRANSCRIPT)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    raise RuntimeError(f"{TRANSCRIPT} {CANARY}")


if __name__ == "__main__":
    set_up_logs("debug", sys.stderr, secrets=[CANARY])
    tell_uncaught()
    events()
    libraries()
    unretrieved()
    uncaught()
