"""What is asked of a replay, and what was planned for it; both stand in run.json."""

import json
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from schemas.topics import SIGNALS, dead_letter_topic
from streams.errors import StartError
from streams.replaying.ranges import Bound, Range

LETTERS = dead_letter_topic(SIGNALS.name)
FORMAT = "headgate-replay/4"  # Rises when a run's folder changes its meaning.
ALWAYS_MS = 2**62
FromStage = Literal["signals", "ingested"]
Warmth = Literal["beginning", "cut", "snapshot", "capture"]


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that decides what a replay's results are, but the topics."""

    start: str = "beginning"  # beginning, an offset, or a time with its zone.
    end: str = "end"
    from_stage: FromStage = "signals"
    policy: str | None = None  # What-if: a policy to judge all by …
    heads: str | None = None  # … or the weights of a risk head.
    uploader: str | None = None
    content: str | None = None
    known_policies: tuple[str, ...] = ()  # Policies that were live then.
    known_heads: tuple[str, ...] = ()
    capture: str | None = None  # A file in place of the topics.
    snapshot: str | None = None  # The folder of an earlier, faithful replay.
    topic: bool = False  # Write decisions to replay.<id> too.

    @property
    def is_what_if(self) -> bool:
        """Whether a candidate judges, not what judged then."""
        return self.policy is not None or self.heads is not None


@dataclass(frozen=True, slots=True)
class Part:
    """A partition of the signals: learned from `read.start`, judged from `start`."""

    read: Range
    start: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Which offsets are read: fixed at the start, so that a run can go on."""

    id: str
    warmth: Warmth
    parts: tuple[Part, ...]
    said: tuple[Range, ...]  # Of risk.decision.v1.
    letters: tuple[Range, ...] = ()  # Of the dead letters of the signals.
    ingested: tuple[Range, ...] = ()
    # Of --uploader or --content: whose records and which contents count.
    uploader: str | None = None
    contents: tuple[str, ...] = ()
    said_partitions: int = 1
    # The window in ms since the epoch, where its bounds are times or none.
    span_ms: tuple[int, int] | None = None

    @property
    def topic(self) -> str:
        """Where decisions go with --topic."""
        return f"replay.{self.id}"

    @property
    def cut(self) -> tuple[Range, ...]:
        """The partitions whose beginning retention has cut off."""
        return tuple(part.read for part in self.parts if part.read.low > 0)

    def told(self) -> str:
        """Say how exact the histories are that the window begins with."""
        if self.warmth == "snapshot":
            return "histories: from the snapshot, and all signals since"
        if self.warmth == "capture":
            return "histories: from the capture, which holds its uploaders' signals"
        if not self.cut:
            return f"histories: exact, from the beginning of {SIGNALS.name}"
        return (
            f"histories: NOT exact. Retention has cut the beginning of "
            f"{len(self.cut)} of {len(self.parts)} partitions of {SIGNALS.name}: what "
            "uploaders did before is not known here"
        )


def window_bound(text: str, option: str) -> Bound:
    """Read beginning, end, an offset or a time.

    Raises:
        StartError: it is none of them.
    """
    if text == "beginning" or text == "end":
        return text  # type: ignore[return-value]  # mypy does not narrow by ==.
    if text.isdigit():
        return int(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise StartError(
            f"{option} is {text!r}; expected beginning, end, an offset, or a time with "
            "its zone, as 2026-11-02T14:00:00Z"
        )
    return when


def span_of(start: Bound, end: Bound) -> tuple[int, int] | None:
    """Return a window's bounds in ms since the epoch; None where they are offsets."""
    if isinstance(start, int) or isinstance(end, int):
        return None
    first = int(start.timestamp() * 1000) if isinstance(start, datetime) else 0
    last = int(end.timestamp() * 1000) if isinstance(end, datetime) else ALWAYS_MS
    return first, last


def write_run(folder: Path, request: Request, plan: Plan) -> None:
    """Write run.json: from then on the folder is this run's."""
    run = {"format": FORMAT, "request": asdict(request), "plan": asdict(plan)}
    draft = folder / "run.json.new"
    draft.write_text(json.dumps(run, indent=1) + "\n", "utf-8")
    draft.rename(folder / "run.json")


def read_run(folder: Path) -> tuple[Request, Plan] | None:
    """Read run.json; None where there is no run.

    Raises:
        StartError: it is another version's, or no run's at all.
    """
    path = folder / "run.json"
    try:
        run = json.loads(path.read_text("utf-8"))
        if run["format"] != FORMAT:
            raise ValueError(f"format {run['format']!r}")
        return _request(run["request"]), _plan(run["plan"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{path} is not a run of this version ({error}); give another --out"
        ) from error


def _request(obj: dict[str, Any]) -> Request:
    return Request(**_tuples(obj))


def _plan(obj: dict[str, Any]) -> Plan:
    ranges = {
        f.name: tuple(Range(**one) for one in obj[f.name])
        for f in fields(Plan)
        if f.name in ("said", "letters", "ingested")
    }
    parts = tuple(Part(Range(**p["read"]), p["start"]) for p in obj["parts"])
    return Plan(**{**_tuples(obj), **ranges, "parts": parts})


def _tuples(obj: dict[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in obj.items()}
