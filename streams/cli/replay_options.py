"""The options that `replay`, `why`, `capture` and `reverse` share."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

Start = Annotated[
    str,
    typer.Option(
        "--from", help="beginning, an offset, or a time (ISO 8601 with zone)."
    ),
]
End = Annotated[
    str, typer.Option("--to", help="end, an offset, or a time; not included.")
]
Uploader = Annotated[str | None, typer.Option(help="Only this uploader's uploads.")]
KnownPolicy = Annotated[
    list[Path] | None,
    typer.Option(help="A policy that was live then; may be given again."),
]
KnownHeads = Annotated[
    list[Path] | None,
    typer.Option(help="A risk head that was live then; may be given again."),
]
PerSecond = Annotated[
    float, typer.Option(min=0.1, help="Send so many decisions a second, at most.")
]
JsonSummary = Annotated[
    bool, typer.Option("--json", help="Print the summary as one JSON object.")
]


def resolved(paths: Iterable[Path] | None) -> tuple[str, ...]:
    """Return paths as they are from anywhere."""
    return tuple(str(path.resolve()) for path in paths or ())
