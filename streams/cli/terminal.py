"""What commands share: JSON lines out, words to a person on standard error."""

import json
import os
import sys
from collections.abc import Mapping

from rich.console import Console


def write_json(line: Mapping[str, object]) -> None:
    """Write one JSON object as one line of standard output, at once."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Say in one sentence what went wrong."""
    sys.stderr.write(f"headgate: {message}\n")
    sys.stderr.flush()


def output_console() -> Console:
    """Return the console for results; plain text when not a terminal or NO_COLOR."""
    # Where nobody's window sets a width, nothing should be cut.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
    return Console(width=width, highlight=False)


def progress_console() -> Console:
    """Return the console for progress; silent unless a person watches."""
    return Console(stderr=True, quiet=not sys.stderr.isatty(), highlight=False)
