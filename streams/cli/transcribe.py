"""`headgate transcribe`: what is said in files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.terminal import complain, output_console, progress_console, write_json
from streams.logs import set_up_logs
from streams.settings import load_settings

if TYPE_CHECKING:
    from encoders.media_reader import MediaReader
    from encoders.speech import Transcriber


def transcribe(
    files: Annotated[
        list[Path], typer.Argument(help="Sound or video files.", metavar="FILE...")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each file.")
    ] = False,
) -> None:
    """Print what is said in files, with seconds; the model is HEADGATE_ASR's.

    Exit code 1 when a file can't be decoded; the others are printed. Example:

    HEADGATE_ASR=sphinx headgate transcribe speech.flac --json
    """
    settings = load_settings()
    set_up_logs("warning")
    with progress_console().status("loading the speech model") as status:
        from encoders.signals import DecoderUnavailableError, EncodeError
        from streams.wiring import build_reader, build_transcriber

        reader = build_reader(settings)
        transcriber = build_transcriber(settings)
        bad = 0
        for file in files:
            status.update(f"listening to {file.name}")
            try:
                line = _heard(transcriber, file, reader)
            except (EncodeError, DecoderUnavailableError, OSError) as error:
                bad += 1
                line = {"file": str(file), "error": str(error)}
            _show(line, as_json)
    raise typer.Exit(1 if bad else 0)


def _heard(
    transcriber: "Transcriber", file: Path, reader: "MediaReader"
) -> dict[str, object]:
    decoded = reader.audio(file.read_bytes())
    (result,) = transcriber.transcribe([decoded.waveform])
    segments = [
        {
            "start_s": round(segment.start_s, 3),
            "end_s": round(segment.end_s, 3),
            "text": segment.text,
            "avg_logprob": segment.avg_logprob,
            "no_speech_prob": segment.no_speech_prob,
            "compression_ratio": segment.compression_ratio,
        }
        for segment in result.segments
    ]
    return {
        "file": str(file),
        "model": transcriber.model.name,
        "language": result.language,
        "duration_s": round(decoded.waveform.duration_s, 3),
        "truncated": decoded.truncated,
        "segments": segments,
    }


def _show(line: dict[str, object], as_json: bool) -> None:
    if as_json:
        write_json(line)
        return
    if "error" in line:
        complain(f"{line['file']}: {line['error']}")
        return
    console = output_console()
    console.print(f"{line['file']} ({line['model']}, {line['duration_s']} s)")
    segments = line["segments"]
    assert isinstance(segments, list)
    for segment in segments:
        console.print(
            f"  {segment['start_s']:8.2f} – {segment['end_s']:8.2f}  {segment['text']}",
            markup=False,
        )
    if not segments:
        console.print("  nothing was said")
