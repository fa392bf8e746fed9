"""`headgate explain`: which sentences and words carried a text's risk."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.table import Table
from rich.text import Text

from streams.cli.terminal import (
    complain,
    output_console,
    progress_console,
    write_json,
)
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from encoders.signals import Span
    from streams.explaining import Explanation, Part, Unread

_SHOWN: Final = 5  # Parts of each kind that a person reads; --json has them all.
_LONGEST_NAME_CHARS: Final = 1000  # More is no file's name, and systems refuse to look.


def explain(
    text: Annotated[
        str,
        typer.Argument(
            help="A text, the name of a text file, or - for standard input.",
            metavar="TEXT|FILE",
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each category.")
    ] = False,
) -> None:
    """Show what carried a text's risk, by reading it without each part.

    `drop` is what the probability loses without the part, `alone` that of a sentence by
    itself; characters count from 0. Of a long text the riskiest window is explained.
    For people: no decision uses it. Exit code 1 when the risk head can't read the
    text. Example:

    headgate explain "Lovely day. Send me your PIN now!"
    """
    settings = load_settings()
    set_up_logs("warning")
    whole = _whole(text)
    with progress_console().status("loading the text model"):
        from streams.explaining import explain as explained
        from streams.wiring import build_text_encoder, build_text_risk

        encoder, head = build_text_encoder(settings), build_text_risk()
        head.check_encoder(encoder.model.name, encoder.model.sha256)
        found, unread = explained(whole, encoder, head)
    for window in unread:
        complain(_why_unread(window))
    for one in found:
        write_json(_as_line(one, whole)) if as_json else _show(one, whole)
    if not found and not unread:
        complain("the text is blank; there is nothing to explain")
    raise typer.Exit(0 if found else 1)


def _whole(text: str) -> str:
    """Return the text that is meant, as much of it as uploads are read."""
    from streams.understand import MAX_TEXT_CHARS

    if text == "-":
        read = sys.stdin.read(MAX_TEXT_CHARS + 1)
    elif len(text) <= _LONGEST_NAME_CHARS and "\0" not in text and Path(text).is_file():
        try:
            with Path(text).open(encoding="utf-8-sig") as file:
                read = file.read(MAX_TEXT_CHARS + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(
                f"{text} can't be read as text ({error}); expected UTF-8. Of sound, "
                "explain what `headgate transcribe` prints"
            ) from error
    else:
        read = text
    if len(read) > MAX_TEXT_CHARS:
        complain(
            f"the text is too long; its first {MAX_TEXT_CHARS} characters are read"
        )
    return read[:MAX_TEXT_CHARS]


def _why_unread(window: "Unread") -> str:
    span = f"{window.window.start_char}–{window.window.end_char}"
    return f"characters {span} are not read: language {window.language}"


def _as_line(one: "Explanation", whole: str) -> dict[str, Any]:
    return {
        "category": one.category.value,
        "probability": one.probability,
        "window": _place(one.window),
        "read": one.read,
        "sentences": [_part(part, whole) for part in one.sentences],
        "words": [_part(part, whole) for part in one.words],
    }


def _part(part: "Part", whole: str) -> dict[str, Any]:
    line = _place(part.span) | {"text": _text(part, whole), "drop": part.drop}
    return line if part.alone is None else line | {"alone": part.alone}


def _place(span: "Span") -> dict[str, Any]:
    return {"start_char": span.start_char, "end_char": span.end_char}


def _text(part: "Part", whole: str) -> str:
    return whole[part.span.start_char : part.span.end_char]


def _show(one: "Explanation", whole: str) -> None:
    console = output_console()
    title = f"{one.category.value.lower()} {one.probability:.2f}"
    table = Table("part", "characters", "drop", "alone", title=title)
    for part in (*one.sentences[:_SHOWN], *one.words[:_SHOWN]):
        table.add_row(
            Text(repr(_text(part, whole))[1:-1]),  # No controls, and no markup.
            f"{part.span.start_char}–{part.span.end_char}",
            f"{part.drop:+.2f}",
            "" if part.alone is None else f"{part.alone:.2f}",
        )
    console.print(table)
    if one.read is not None:
        console.print(f"read as: {one.read!r}", markup=False)
