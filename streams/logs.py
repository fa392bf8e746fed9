"""Where log lines go: JSON unless a person watches, scrubbed on every path.

Ours, libraries' (through `logging`), warnings, and exceptions that nobody caught.
"""

import logging
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, MutableMapping
from time import monotonic
from types import TracebackType
from typing import Any, TextIO

import structlog

from streams.scrubbing import Scrubber

# Libraries' lines: how often the same is told, and of how many kinds it is known.
REPEAT_S = 10.0
MOST_REPEATS = 1000


def set_up_logs(
    level: str, stream: TextIO = sys.stderr, secrets: Iterable[str] = ()
) -> None:
    """Send every line to `stream`: readable on a terminal, JSON elsewhere.

    `secrets` are this process's own, which appear in no line, whoever writes it.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    scrub = Scrubber(secrets)
    on_terminal = stream.isatty()
    shared: list[structlog.typing.Processor] = [structlog.processors.add_log_level]
    # After the scrubber, which would look into every time of day.
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    colours = on_terminal and "NO_COLOR" not in os.environ
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=colours)
        if on_terminal
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, _safe_error, scrub, stamp, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    # Libraries speak through logging; only what a person must act on comes through.
    handler = logging.StreamHandler(stream)
    handler.addFilter(_without_errors)
    handler.addFilter(_Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                scrub,
                stamp,
                renderer,
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _safe_error],
        )
    )
    logging.basicConfig(
        handlers=[handler], level=max(number, logging.WARNING), force=True
    )


def tell_uncaught() -> None:
    """Send warnings, and exceptions that nobody caught, through the logs as well.

    Python's own way prints an exception with its text, which may be an upload's.
    """
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda args: _uncaught(args.exc_type, args.exc_value, None)


def frames_of(error: BaseException) -> list[str]:
    """Return the last frames as file:line; no source, no values, so nothing leaks."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in frames]


def _uncaught(
    kind: type[BaseException], error: BaseException | None, _: TracebackType | None
) -> None:
    """Tell of an exception that nobody caught as of any other: kind and place."""
    if error is not None and not issubclass(kind, SystemExit):
        structlog.get_logger().critical(
            "uncaught", error=kind.__name__, at=frames_of(error)
        )


class _Repeats(logging.Filter):
    """Lets a library repeat itself once in ten seconds, and counts what it hid.

    While a broker is away aiokafka says so a hundred times a second, in which all else
    would drown.
    """

    def __init__(self, clock_s: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock_s = clock_s
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is told; a told one names how many were not."""
        # The template without its values; the first characters where it has none.
        key = (record.name, str(record.msg)[:60])
        now_s = self._clock_s()
        told_s, hidden = self._said.get(key, (now_s - REPEAT_S, 0))
        if now_s - told_s < REPEAT_S and not record.exc_info:
            self._said[key] = (told_s, hidden + 1)
            return False
        if len(self._said) >= MOST_REPEATS:
            self._said.clear()
        self._said[key] = (now_s, 0)
        if hidden:
            record.msg = f"{record.msg} (and {hidden} times since)"
        return True


def _without_errors(record: logging.LogRecord) -> bool:
    """Put an exception's kind in place of its text where a library formats it in."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            type(a).__name__ if isinstance(a, BaseException) else a for a in record.args
        )
    return True


def _safe_error(
    logger: object, method: str, line: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Put an error's kind and place where a library would put its text and values."""
    found = line.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    error = found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        line["error"], line["at"] = type(error).__name__, frames_of(error)
    return line
