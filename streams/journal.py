"""Which events are being worked on, kept on disk: how a crash loop is recognised.

An event that kills its process is delivered again at the next start and kills that too;
no `except` stops it. So the places of events in work are journalled before anything
reads their bytes, and the next start reads whose work did not end. A journal survives
the death of the process, not of the machine, which is what is needed: it is appended
to without waiting for the disk.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from schemas.place import Place
from streams.errors import StartError

# A line takes some 60 bytes, an event two to three lines: rewritten every 5,000 events.
REWRITE_BYTES = 1 << 20
# Suspects that never come back (their partition moved) must not pile up.
MOST_SUSPECTS = 4096
# Workers on one machine with one state folder; each takes a journal of its own.
MOST_WORKERS = 1024


class Journal:
    """Notes what is begun and ended; knows how often an event's process died at it.

    Lives on the event loop. `strikes` counts unclean ends while the event was in work:
    where one event had been set alone, it alone is blamed; otherwise all are.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open: dict[Place, None] = {}
        self._alone: set[Place] = set()
        self._strikes = dict(list(_blame(path).items())[-MOST_SUSPECTS:])
        self._file = -1
        self._written_bytes = 0
        self._rewrite()

    @property
    def suspects(self) -> int:
        """How many events a process of ours died at and that were not ended since."""
        return len(self._strikes)

    def strikes(self, place: Place) -> int:
        """Return how many times a process ended uncleanly while it was to blame."""
        return self._strikes.get(place, 0)

    def begin(self, place: Place) -> None:
        """Note that work on an event begins; call it before its bytes are read."""
        self._open[place] = None
        self._append(f"begin\t{_line(place)}")

    def set_alone(self, place: Place, alone: bool) -> None:
        """Note whether an event takes all the blame from here on."""
        if alone:
            self._alone.add(place)
        else:
            self._alone.discard(place)
        self._append(f"{'alone' if alone else 'along'}\t{_line(place)}")

    def clear(self, place: Place) -> None:
        """Hold nothing against an event that is still in work, up to this moment."""
        if self._strikes.pop(place, 0):
            self._append(f"clear\t{_line(place)}")

    def end(self, place: Place) -> None:
        """Note that an event is settled; nothing is held against it any more."""
        self._open.pop(place, None)
        self._alone.discard(place)
        self._strikes.pop(place, None)
        self._append(f"end\t{_line(place)}")

    def close(self) -> None:
        """Note a clean end: whatever was in work is held against nothing."""
        self._open.clear()
        self._alone.clear()
        self._rewrite()
        os.close(self._file)

    def _append(self, line: str) -> None:
        self._written_bytes += os.write(self._file, f"{line}\n".encode())
        if self._written_bytes > REWRITE_BYTES:
            self._rewrite()

    def _rewrite(self) -> None:
        """Replace the file by what still counts, never leaving it half-written."""
        lines = [f"struck\t{_line(p)}\t{n}\n" for p, n in self._strikes.items()]
        lines += [f"begin\t{_line(place)}\n" for place in self._open]
        lines += [f"alone\t{_line(place)}\n" for place in self._alone]
        data = "".join(lines).encode()
        new = self._path.with_suffix(".new")
        new.write_bytes(data)
        new.replace(self._path)
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        self._written_bytes = len(data) // 2  # Room for as much again, at the least.


def open_journal(folder: Path) -> tuple[Journal, int]:
    """Take the first journal that no living worker holds, with what it says.

    A restarted worker so finds the journal of the one that died. The lock ends with
    the process, however it ends.

    Returns:
        The journal, and the descriptor that holds its lock; keep it open.

    Raises:
        StartError: the folder can't be used.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(MOST_WORKERS):
            lock = os.open(folder / f"worker-{number}.lock", os.O_RDWR | os.O_CREAT)
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return Journal(folder / f"worker-{number}.journal"), lock
            os.close(lock)
    except OSError as error:
        raise StartError(
            f"HEADGATE_STATE_DIR: {folder} can't be written ({error.strerror}); "
            "expected a folder that outlives the process, for its crash journal"
        ) from error
    raise StartError(
        f"HEADGATE_STATE_DIR: {MOST_WORKERS} workers hold journals in {folder}; "
        "expected a free one"
    )


def _line(place: Place) -> str:
    return f"{place.topic}\t{place.partition}\t{place.offset}"


def _blame(path: Path) -> dict[Place, int]:
    """Read a journal and add a strike to whoever the last end is blamed on."""
    begun: dict[Place, None] = {}
    alone: dict[Place, None] = {}
    strikes: dict[Place, int] = {}
    for word, place, number in _lines(path):
        if word == "struck":
            strikes[place] = number
        elif word == "begin":
            begun[place] = None
        elif word == "alone":
            alone[place] = None
        elif word in ("along", "end"):
            alone.pop(place, None)
        if word == "end":
            begun.pop(place, None)
        if word in ("clear", "end"):
            strikes.pop(place, None)
    for place in alone or begun:
        strikes[place] = strikes.pop(place, 0) + 1
    return strikes


def _lines(path: Path) -> list[tuple[str, Place, int]]:
    """Return the journal's lines; a torn last one, and any that is none, is left."""
    with suppress(FileNotFoundError):
        lines = []
        for text in path.read_text("utf-8", "replace").split("\n")[:-1]:
            word, *rest = text.split("\t")
            with suppress(ValueError, IndexError):
                place = Place(rest[0], int(rest[1]), int(rest[2]))
                lines.append((word, place, int(rest[3]) if word == "struck" else 0))
        return lines
    return []
