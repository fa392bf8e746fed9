"""`headgate capture`: a window as a file, without people, that replays offline."""

import secrets
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import load_settings

SALT_BYTES = 32
MOST_SALT_BYTES = 64  # Of BLAKE2b's key.


def capture(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    start: Annotated[
        str,
        typer.Option(
            "--from", help="beginning, an offset, or a time (ISO 8601 with zone)."
        ),
    ] = "beginning",
    end: Annotated[
        str, typer.Option("--to", help="end, an offset, or a time; not included.")
    ] = "end",
    uploader: Annotated[
        str | None, typer.Option(help="Only this uploader's uploads.")
    ] = None,
    salt: Annotated[
        str | None,
        typer.Option(
            help="Key of the ids' hashes: equal in two captures, they can be joined. "
            "Default: a random one that is forgotten."
        ),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Keep what the texts say.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the counts as one JSON object.")
    ] = False,
) -> None:
    """Write a window's signals and decisions, scrubbed, for `replay --capture`.

    Ids are hashed; texts, addresses of media and exact file hashes are left out.
    Embeddings stay, for decisions rest on them: something of a text can be read back
    from its embedding. What the window's uploaders did before is part of the file.
    Reads outside any consumer group. Example:

    headgate capture --from 2026-11-02T14:00:00Z --to 2026-11-02T15:00:00Z --out w.jsonl
    """
    key = secrets.token_bytes(SALT_BYTES) if salt is None else salt.encode()
    if not 0 < len(key) <= MOST_SALT_BYTES:
        raise StartError(
            f"--salt has {len(key)} bytes; expected 1 to {MOST_SALT_BYTES}"
        )
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    with progress_console().status("capturing"):
        from streams.replay.scrub import Scrub
        from streams.replaying.capturing import Capturing
        from streams.replaying.request import Request
        from streams.replaying.topics import plan_topics
        from streams.wiring import build_codec

        codec = build_codec(settings)
        request = Request(start=start, end=end, uploader=uploader)
        plan = plan_topics(settings.kafka, request, codec)
        scrub = Scrub(key, with_text=with_text)
        counts = Capturing(settings.kafka, plan, codec, scrub).write(out)
    if plan.cut:
        complain(plan.told())
    if as_json:
        write_json({**counts, "out": str(out)})
    else:
        told = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())
        output_console().print(f"{out}: {told}")
