"""`headgate transcribe`: what is said in files, of any length, and on after a kill."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from streams.cli.terminal import complain, progress_console, write_json
from streams.cli.transcript_report import Line, as_line, show
from streams.logs import set_up_logs
from streams.settings import Settings, load_settings

if TYPE_CHECKING:
    from encoders.media_reader import MediaReader
    from encoders.speech import SpeechEngine
    from streams.hearing import Heard, Notes


def transcribe(
    files: Annotated[
        list[Path], typer.Argument(help="Sound or video files.", metavar="FILE...")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for each file.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Add when each word was said, if known.")
    ] = False,
) -> None:
    """Print what is said in files, with seconds; the model is HEADGATE_ASR's.

    A file over five minutes that was stopped half-way goes on from there when it is
    asked for again. Exit code 1 when a file can't be decoded; the others are
    printed. Example:

    HEADGATE_ASR=sphinx headgate transcribe speech.flac --json
    """
    settings = load_settings()
    set_up_logs("warning")
    console = progress_console()
    with console.status("loading the speech model"):
        from encoders.signals import DecoderUnavailableError, EncodeError

        transcribing = _Transcribing(settings, words=words)
    bad = 0
    for file in files:
        forget = _nothing
        try:
            with _progress(console) as progress:
                told = partial(_tell, progress, progress.add_task(file.name))
                line, forget = transcribing.heard(file, told)
        except (EncodeError, DecoderUnavailableError, OSError) as error:
            bad += 1
            line = {"file": str(file), "error": str(error)}
        write_json(line) if as_json else show(line)
        forget()  # Not before: what is shown is all that is left of it.
    raise typer.Exit(1 if bad else 0)


class _Transcribing:
    """The model, the decoders and the journals, loaded once for all files."""

    def __init__(self, settings: Settings, *, words: bool) -> None:
        from streams.speech_wiring import build_transcriber
        from streams.transcript_journal import TranscriptJournals
        from streams.wiring import build_reader

        self._batch_size = settings.transcribe_batch_size
        self._reader: MediaReader = build_reader(settings)
        self._engine: SpeechEngine = build_transcriber(settings, words=words)
        self._journals = TranscriptJournals(
            settings.state_dir / "transcripts",
            self._engine.model,
            lambda event, **facts: complain(_note(event, facts)),
            words=words,
        )

    def heard(self, file: Path, told: "Told") -> tuple[Line, Callable[[], None]]:
        """Hear one file; return its line, and what forgets how far it was.

        Raises:
            EncodeError, DecoderUnavailableError, OSError: it can't be heard.
        """
        from streams.transcript_journal import LONG_S

        data = file.read_bytes()
        length_s = self._reader.probe(data).duration_s
        # One that does not tell may be long.
        is_long = length_s is None or length_s > LONG_S
        journal = self._journals.open(data) if is_long else None
        try:
            heard = self._hear(data, journal, partial(told, length_s))
        finally:
            if journal is not None:
                journal.close()
        model = self._engine.model.name
        if journal is None:
            return as_line(file, model, heard, recalled=0), _nothing
        return as_line(file, model, heard, journal.recalled), journal.remove

    def _hear(
        self, data: bytes, notes: "Notes | None", told: Callable[[float], None]
    ) -> "Heard":
        from encoders.speech import new_windower
        from streams.hearing import SoundWindows, hear_sound

        with SoundWindows(self._reader.open_sound(data), new_windower()) as sound:
            return hear_sound(
                self._engine,
                sound,
                batch_size=self._batch_size,
                notes=notes,
                told=told,
            )


Told = Callable[[float | None, float], None]  # Of how many seconds, so many are done.


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )


def _tell(
    progress: Progress, task: TaskID, total_s: float | None, done_s: float
) -> None:
    progress.update(task, completed=done_s, total=total_s)


def _note(event: str, facts: Mapping[str, object]) -> str:
    return f"{event}: {', '.join(f'{name} {fact}' for name, fact in facts.items())}"


def _nothing() -> None:
    """Forget nothing: it was heard at once."""
