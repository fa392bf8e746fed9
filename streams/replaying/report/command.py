"""How to do a replay again: its command, its offsets, the versions in it."""

import platform
import shlex
from collections.abc import Iterator
from html import escape
from importlib.metadata import version

from streams.replaying.report.counts import Counts
from streams.replaying.report.flips import Flips
from streams.replaying.request import Plan, Request


def command_of(request: Request) -> str:
    """Return the command line that asks for this replay."""
    words = ["headgate", "replay", "--from", request.start, "--to", request.end]
    if request.from_stage != "signals":
        words += ["--from-stage", request.from_stage]
    for option, value in (
        ("--policy", request.policy),
        ("--heads", request.heads),
        ("--uploader", request.uploader),
        ("--content", request.content),
        ("--capture", request.capture),
        ("--snapshot", request.snapshot),
    ):
        words += [] if value is None else [option, value]
    for path in request.known_policies:
        words += ["--known-policy", path]
    for path in request.known_heads:
        words += ["--known-heads", path]
    words += ["--topic"] if request.topic else []
    return shlex.join(words)


def again(request: Request, plan: Plan, counts: Counts, flips: Flips) -> Iterator[str]:
    """Yield the section that says how to do it again."""
    yield f"<pre>{escape(command_of(request))}</pre>"
    ours = f"Headgate {version('headgate')}, Python {platform.python_version()}"
    yield f"<p>{escape(ours)}; replay <code>{escape(plan.id)}</code>.</p>"
    for title, met in (
        ("policies then", counts.policies_then),
        ("policies now", counts.policies_now),
    ):
        rows = [
            f"version {escape(name)}, SHA-256 <code>{escape(sha256)}</code>: {n:,}"
            for (name, sha256), n in met.most_common()
        ]
        yield _list(title, rows)
    yield _list(
        "models of the flips now",
        [
            f"{escape(role)}: {escape(name)}, SHA-256 <code>{escape(sha256)}</code>"
            for role, name, sha256 in sorted(flips.models)
        ],
    )
    yield "<details><summary>offsets that were read</summary>"
    yield '<div class="scroll" tabindex="0"><table class="counts"><thead><tr><th>topic'
    yield "</th><th>partition</th><th>learned from</th><th>judged from</th><th>up to"
    yield "</th></tr></thead><tbody>"
    for part in plan.parts:
        read = part.read
        cells = (read.topic, read.partition, read.start, part.start, read.end)
        yield f"<tr>{''.join(f'<td>{escape(str(c))}</td>' for c in cells)}</tr>"
    yield "</tbody></table></div></details>"


def _list(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    return f"<h3>{title}</h3><ul>{''.join(f'<li>{row}</li>' for row in rows)}</ul>"
