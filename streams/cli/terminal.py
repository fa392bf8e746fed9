"""What commands share: JSON lines out, words to a person on standard error.

Titles, ids and reasons are anybody's: printed as they are, one could clear the screen,
set the window's title or turn a line around (CWE-150). None gets so far.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Final

from rich.console import Console
from rich.markup import escape

_OBEYED: Final = (*range(0x20), *range(0x7F, 0xA0))  # ECMA-48's controls, and DEL.
# Unicode's embeddings, overrides and isolates (UAX 9), which hide what a line says.
_TURNING: Final = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_HARMLESS: Final = {c: ascii(chr(c))[1:-1] for c in (*_OBEYED, *_TURNING)}
_BETWEEN_LINES: Final = {k: v for k, v in _HARMLESS.items() if k != ord("\n")}
_IN_JSON: Final = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}


def as_text(words: object) -> str:
    """Return anybody's words for a console: shown as they are written, obeyed never."""
    return escape(str(words).translate(_HARMLESS))


def write_json(line: Mapping[str, object]) -> None:
    """Write one JSON object as one line of standard output, at once."""
    written = json.dumps(line, ensure_ascii=False).translate(_IN_JSON)
    sys.stdout.write(written + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """Say in one sentence what went wrong."""
    sys.stderr.write(f"headgate: {message.translate(_BETWEEN_LINES)}\n")
    sys.stderr.flush()


def output_console() -> Console:
    """Return the console for results; plain text when not a terminal or NO_COLOR."""
    # Where nobody's window sets a width, nothing should be cut.
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 200
    return Console(width=width, highlight=False)


def progress_console() -> Console:
    """Return the console for progress; silent unless a person watches."""
    return Console(stderr=True, quiet=not sys.stderr.isatty(), highlight=False)
