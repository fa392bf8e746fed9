"""`headgate replay --apply`: the manifest of a what-if's changes, and its sending."""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from streams.cli.corrections import print_corrections, send_agreed
from streams.cli.terminal import progress_console, write_json
from streams.errors import StartError
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from streams.replaying.request import Request
    from streams.replaying.words import Words


def check_apply(
    request: "Request", apply: bool, out: Path | None, yes: str | None
) -> None:
    """Refuse what can't be applied.

    Raises:
        StartError: it is no what-if of the topics, or there is no dry run to agree to.
    """
    if not apply and yes is None:
        return
    if not apply or (yes is not None and out is None):
        raise StartError("--yes needs --apply and the --out of the dry run")
    if not request.is_what_if or request.capture is not None:
        raise StartError(
            "--apply needs a what-if (--policy, --heads) of the topics: a faithful "
            "replay and a capture have nothing to correct"
        )


def write_dry_run(
    folder: Path, request: "Request", settings: Settings
) -> dict[str, Any]:
    """Write the manifest of a finished what-if, as the brakes allow now.

    Raises:
        HeadgateError: the brakes can't be read, or the policy was changed since.
    """
    from streams.replaying.applying import FlipsToApply
    from streams.replaying.here import candidate_policy
    from streams.replaying.live_brakes import brakes_now
    from streams.replaying.manifest import write_manifest
    from streams.wiring import build_codec

    policy, codec = candidate_policy(request, settings), build_codec(settings)
    with progress_console().status("looking what the brakes allow"):
        brakes = brakes_now(settings.kafka, codec, policy, datetime.now(UTC))
        flips = FlipsToApply(folder, policy, brakes)
        summary = write_manifest(folder, {"replay": asdict(request)}, flips)
    return summary | {"left": dict(flips.left), "dry_run": True}


def send_manifest(
    request: "Request", folder: Path, yes: str, per_s: float, as_json: bool
) -> NoReturn:
    """Send what the dry run showed, if that is agreed to and brakes still allow it."""
    from streams.replaying.live_brakes import SOURCE

    settings = load_settings()
    set_up_logs("warning", secrets=settings.secrets)
    summary = send_agreed(
        folder,
        yes,
        {"replay": asdict(request)},
        settings,
        source=SOURCE,
        per_s=per_s,
        check=lambda words: _check_brakes(request, folder, settings, words),
    )
    write_json(summary) if as_json else print_corrections(summary, folder)
    raise typer.Exit(0 if summary["confirmed"] else 1)


def _check_brakes(
    request: "Request", folder: Path, settings: Settings, words: "Words"
) -> None:
    from streams.replaying.applying import check_allowed
    from streams.replaying.here import candidate_policy
    from streams.replaying.live_brakes import brakes_now
    from streams.replaying.manifest import corrections_of
    from streams.wiring import build_codec

    policy, codec = candidate_policy(request, settings), build_codec(settings)
    brakes = brakes_now(settings.kafka, codec, policy, datetime.now(UTC))
    if brakes is None:
        return
    words.refresh()
    check_allowed(
        corrections_of(folder),
        policy,
        brakes,
        lambda one: words.of(one.content_id).latest == one.replaces,
    )
