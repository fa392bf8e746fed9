"""What `reverse` and `replay --apply` share: agreeing to a manifest, and sending it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streams.cli.terminal import as_text, complain, output_console, progress_console
from streams.errors import HeadgateError
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.replaying.words import Words


def send_agreed(
    folder: Path,
    sha256: str,
    request: Mapping[str, Any],
    settings: Settings,
    *,
    source: str,
    per_s: float,
    check: Callable[["Words"], None] = lambda words: None,
) -> dict[str, Any]:
    """Send what a dry run showed; return the manifest's summary with what came of it.

    `check` is told what was said so far, before anything is sent, and may refuse.

    Raises:
        StartError: the manifest is not the one agreed to, or the broker is away.
    """
    from streams.producer import DeliveringProducer
    from streams.replaying.correcting import Correcting
    from streams.replaying.manifest import agreed_manifest, corrections_of
    from streams.replaying.words import Words
    from streams.wiring import build_codec

    summary = agreed_manifest(folder, sha256, request)
    codec = build_codec(settings)
    contents = {correction.content_id for correction in corrections_of(folder)}
    words = Words(settings.kafka, codec, contents)
    check(words)
    producer = DeliveringProducer(settings.kafka)
    all_of_them = summary["corrections"]
    with progress_console().status("looking at what was said since") as status:
        sending = Correcting(
            words,
            codec,
            producer,
            source=source,
            per_s=per_s,
            progress=lambda n: status.update(f"{n} of {all_of_them} corrections"),
        )
        confirmed = True
        try:
            sending.run(corrections_of(folder))
        except HeadgateError as error:
            complain(f"{error}; run it again: nothing is corrected twice")
            confirmed = False
        finally:
            producer.close()
    done = asdict(sending.done)
    return summary | {"dry_run": False, "confirmed": confirmed, **done}


def print_corrections(summary: Mapping[str, Any], folder: Path) -> None:
    """Tell a person what would be, or was, corrected."""
    console = output_console()
    console.print(f"{summary['corrections']} decisions to correct")
    if summary["braked"]:
        console.print(f"  of these go to review, for brakes hold: {summary['braked']}")
    for name in ("actions", "basis", "held", "left"):
        for what, count in summary.get(name, {}).items():
            console.print(f"  {name}: {as_text(what)}: {count}")
    if summary["dry_run"]:
        manifest = as_text(folder / "manifest.jsonl")
        console.print(f"nothing was sent. Manifest: {manifest}")
        if summary["corrections"]:
            agree = summary["sha256"][:12]
            out = as_text(folder)
            console.print(f"to send it: the same with --out {out} --yes {agree}")
        return
    for name in ("sent", "sent_before", "sent_again", "overtaken"):
        console.print(f"  {name}: {summary[name]}")
    if not summary["confirmed"]:
        console.print("NOT all were confirmed")
