"""`headgate assess`: the pipeline on files, no broker."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.terminal import complain, progress_console, write_json
from streams.logs import set_up_logs
from streams.settings import load_settings


def assess(
    files: Annotated[
        list[str],
        typer.Argument(
            help="Events (.jsonl), media or text files; - reads events from "
            "standard input.",
            metavar="FILE...",
        ),
    ],
    media_root: Annotated[
        Path | None,
        typer.Option(
            help="Only folder that events may name files in. Default: "
            "HEADGATE_MEDIA_ROOT, else any."
        ),
    ] = None,
    transcripts: Annotated[
        bool, typer.Option("--transcripts", help="Add what was heard to each line.")
    ] = False,
) -> None:
    """Decide on uploads in files; one JSON object a line, in input order.

    An event has content_id, uploader_id and kind, and may have texts {name: text},
    media [{role, uri}] and event_time. Uploads of one uploader are judged in order,
    with what was learned from those before. Records that `headgate tail
    content.signals.v1 --raw` wrote are judged from their signals.

    Exit code 1 when a line was no event; its place holds a dead_letter. Example:

    HEADGATE_ASR=sphinx headgate assess episode.flac
    """
    settings = load_settings()
    set_up_logs("warning")
    root = media_root or settings.media_root or Path("/")
    settings = settings.model_copy(update={"media_root": root})
    now = datetime.now(UTC)
    with progress_console().status("loading models") as status:
        from streams.assessing import Assessing
        from streams.event_files import read_sources
        from streams.wiring import (
            build_codec,
            build_pipeline,
            build_reader,
            build_store,
        )

        codec = build_codec(settings)
        reader = build_reader(settings)
        pipeline = build_pipeline(settings, complain, reader)
        assessing = Assessing(pipeline, build_store(settings), codec, settings.retries)
        bad, done = 0, 0
        for name in files:
            for line in assessing.assess(read_sources(name, now, reader), transcripts):
                write_json(line)
                bad += "dead_letter" in line
                done += 1
                status.update(f"{done} assessed")
    raise typer.Exit(1 if bad else 0)
