"""`headgate capture`: a window as a file, without people, that replays offline."""

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.replay_options import End, Start, Uploader
from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from streams.replaying.request import Plan, Request

SALT_BYTES = 32
MOST_SALT_BYTES = 64  # Of BLAKE2b's key.

Salt = Annotated[
    str | None,
    typer.Option(
        help="Key of the ids' hashes: equal in two captures, they can be joined. "
        "Default: a random one that is forgotten."
    ),
]
WithText = Annotated[bool, typer.Option("--with-text", help="Keep what the texts say.")]
JsonCounts = Annotated[
    bool, typer.Option("--json", help="Print the counts as one JSON object.")
]


def capture(
    out: Annotated[Path, typer.Option(help="The file to write.")],
    start: Start = "beginning",
    end: End = "end",
    uploader: Uploader = None,
    salt: Salt = None,
    with_text: WithText = False,
    as_json: JsonCounts = False,
) -> None:
    """Write a window's signals and decisions, scrubbed, for `replay --capture`.

    Ids are hashed; texts, addresses of media and exact file hashes are left out.
    Embeddings stay, for decisions rest on them: something of a text can be read back
    from its embedding. What the window's uploaders did before is part of the file.
    Reads outside any consumer group. Example:

    headgate capture --from 2026-11-02T14:00:00Z --to 2026-11-02T15:00:00Z --out w.jsonl
    """
    from streams.replaying.request import Request

    request = Request(start=start, end=end, uploader=uploader)
    plan, counts = _captured(request, out, _key(salt), with_text)
    if plan.cut:
        complain(plan.told())
    if as_json:
        write_json({**counts, "out": str(out)})
        return
    told = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in counts.items())
    output_console().print(f"{out}: {told}")


def _key(salt: str | None) -> bytes:
    """Return the key of the ids' hashes.

    Raises:
        StartError: the salt is empty or too long.
    """
    key = secrets.token_bytes(SALT_BYTES) if salt is None else salt.encode()
    if not 0 < len(key) <= MOST_SALT_BYTES:
        raise StartError(
            f"--salt has {len(key)} bytes; expected 1 to {MOST_SALT_BYTES}"
        )
    return key


def _captured(
    request: "Request", out: Path, key: bytes, with_text: bool
) -> "tuple[Plan, dict[str, int]]":
    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    with progress_console().status("capturing"):
        from streams.replay.scrub import Scrub
        from streams.replaying.capturing import Capturing
        from streams.replaying.topics import plan_topics
        from streams.wiring import build_codec

        codec = build_codec(settings)
        plan = plan_topics(settings.kafka, request, codec)
        scrub = Scrub(key, with_text=with_text)
        return plan, Capturing(settings.kafka, plan, codec, scrub).write(out)
