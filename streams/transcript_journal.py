"""What was heard of a long sound so far, kept on disk: a restart goes on from there.

One file for each sound and model, a JSON line for each finished window. The words in it
were said by people: only this user may read it, and it is removed as soon as the
upload's signals are confirmed. What a failed or killed run leaves is found by its
bytes' hash when they come again, else removed by age.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from threading import Lock
from time import monotonic, time
from typing import Any, Final

from encoders.signals import (
    SAMPLE_RATE_HZ,
    GatedSpeech,
    ModelIdentity,
    SpeechResult,
    SpeechSegment,
    SpokenWord,
)
from encoders.speech import Window

# Five minutes are heard again in the time that a worker's start takes.
LONG_S: Final = 300.0
# Raise it when windows are cut or believed otherwise than before.
VERSION: Final = 1
# The death of the process loses nothing that was written; the machine's, so much.
SYNC_EVERY_S: Final = 10.0
MOST_FILES: Final = 64
MOST_AGE_S: Final = 3 * 86_400.0  # A worker is back before a weekend is over.
MOST_BYTES: Final = 256 * 1024 * 1024
# An hour of speech with its words takes 1 MB.
MOST_FILE_BYTES: Final = 32 * 1024 * 1024

_Place = tuple[int, int]  # A window's first sample and its number of samples.
Tell = Callable[..., None]


class TranscriptJournal:
    """What was heard in one sound: `hearing.Notes` on disk; from any thread.

    Full or unwritable it keeps nothing more, says so once, and hearing goes on.
    """

    def __init__(self, path: Path, file: int, tell: Tell) -> None:
        self._path = path
        self._file = file
        self._tell = tell
        self._lock = Lock()
        self._known, whole_bytes = _read(file)
        os.ftruncate(file, whole_bytes)  # A torn last line would spoil the next.
        self._size_bytes = whole_bytes
        self._synced_at_s = monotonic()
        self.noted = 0  # Windows on disk since this run began.
        self.recalled = 0  # Windows that need not be heard again.

    def recall(self, window: Window) -> SpeechResult | None:
        """See `Notes`."""
        found = self._known.get(_place(window))
        self.recalled += found is not None
        return found

    def note(self, window: Window, result: SpeechResult) -> None:
        """See `Notes`; a window is safe from the machine's death within 10 s."""
        start, size = _place(window)
        line = {"start": start, "samples": size, "result": asdict(result)}
        data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            if self._file < 0:
                return
            if self._size_bytes + len(data) > MOST_FILE_BYTES:
                self._end(f"full: over {MOST_FILE_BYTES} bytes")
                return
            try:
                self._append(data)
                self.noted += 1
            except OSError as error:
                self._end(str(error.strerror))

    def close(self) -> None:
        """Let go of the file, which stays."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1

    def remove(self) -> None:
        """Remove the file: what it led to is safe elsewhere."""
        with suppress(OSError):  # Swept already, or left to be swept.
            self._path.unlink()

    def _append(self, data: bytes) -> None:
        self._size_bytes += len(data)
        while data:
            data = data[os.write(self._file, data) :]
        if monotonic() - self._synced_at_s >= SYNC_EVERY_S:
            os.fdatasync(self._file)
            self._synced_at_s = monotonic()

    def _end(self, why: str) -> None:
        self._tell("transcript_journal_ended", reason=why)
        os.close(self._file)
        self._file = -1


class TranscriptJournals:
    """The journals of one model's transcripts, in a folder of their own; blocks."""

    def __init__(
        self, folder: Path, model: ModelIdentity, tell: Tell, *, words: bool = False
    ) -> None:
        self._folder = folder
        self._made_by = f"{VERSION} {model.name} {model.sha256} words={words}"
        self._tell = tell

    def open(self, data: bytes) -> TranscriptJournal | None:
        """Return the journal of a sound with these bytes, and what it knows.

        None, and told, where the folder can't be used; None where another has it open.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._path(data)
            file = _locked(path)
            if file is None:
                return None
            self._sweep()
            return TranscriptJournal(path, file, self._tell)
        except OSError as error:
            self._tell("transcript_journal_ended", reason=str(error.strerror))
            return None

    def _path(self, data: bytes) -> Path:
        made_of = f"{self._made_by} {hashlib.sha256(data).hexdigest()}"
        key = hashlib.sha256(made_of.encode()).hexdigest()
        return self._folder / f"{key}.jsonl"

    def _sweep(self) -> None:
        """Remove what is too old, and the oldest of what is too much; never open ones.

        `removed` counts them in the log: their sounds will be heard from the start.
        """
        found = sorted(
            ((path.stat(), path) for path in self._folder.glob("*.jsonl")),
            key=lambda one: one[0].st_mtime,
        )
        files, size = len(found), sum(status.st_size for status, _ in found)
        removed = 0
        for status, path in found:
            old = time() - status.st_mtime > MOST_AGE_S
            if not (old or files > MOST_FILES or size > MOST_BYTES):
                break
            if _removed(path):
                removed, files, size = removed + 1, files - 1, size - status.st_size
        if removed:
            self._tell("transcript_journals_removed", removed=removed, left=files)


def _locked(path: Path) -> int | None:
    """Open a file for this process alone; None where another has it."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)  # It was removed in the same breath.


def _removed(path: Path) -> bool:
    file = _locked(path)
    if file is None:
        return False
    path.unlink(missing_ok=True)
    os.close(file)
    return True


def _read(file: int) -> tuple[dict[_Place, SpeechResult], int]:
    """Return what a journal knows, and the bytes of its whole lines."""
    data = b""
    while part := os.pread(file, 1 << 20, len(data)):
        data += part
    whole = data[: data.rfind(b"\n") + 1]
    known = {}
    for line in whole.splitlines():
        # A line that is none costs one window's work.
        with suppress(ValueError, KeyError, TypeError):
            found = json.loads(line)
            known[found["start"], found["samples"]] = _result(found["result"])
    return known, len(whole)


def _result(found: dict[str, Any]) -> SpeechResult:
    segments = tuple(
        SpeechSegment(**{**s, "words": tuple(SpokenWord(**w) for w in s["words"])})
        for s in found["segments"]
    )
    gated = tuple(GatedSpeech(**one) for one in found["gated"])
    return SpeechResult(found["language"], segments, gated)


def _place(window: Window) -> _Place:
    return round(window.start_s * SAMPLE_RATE_HZ), len(window.waveform.samples)
