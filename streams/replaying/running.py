"""A whole replay, from its request to its folder of results; stops and goes on."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.codec import Codec
from schemas.topics import DECISION, Topic
from streams.errors import StartError
from streams.replaying.captured import plan_capture
from streams.replaying.crew import Crew, Task
from streams.replaying.files import Files
from streams.replaying.here import judging_of, restricted_here
from streams.replaying.request import Plan, Request, read_run, write_run
from streams.replaying.results import finish
from streams.replaying.state import copy_snapshot, read_facts
from streams.replaying.tasks import (
    EventsTask,
    IndexTask,
    ReplayTask,
    UnmetTask,
    count_unmet,
    index_ingested,
    index_said,
    met_file,
    replay_partition,
)
from streams.replaying.topics import contents_of, plan_topics
from streams.replaying.unmet import ALWAYS, Unmet, gather_met
from streams.settings import Settings
from streams.topic_admin import apply_topics

# Machines' clocks differ; a decision so close to the end may be on a later upload.
END_MARGIN_MS: Final = 60_000
Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A replay with a folder of its own."""

    folder: Path
    request: Request
    settings: Settings
    plan: Plan

    @property
    def records(self) -> int:
        """How many records there are to read, for the progress bar."""
        signals = sum(part.read.length for part in self.plan.parts)
        return signals + sum(part.length for part in self.plan.said)

    def go(
        self, processes: int, tell: Tell, *, parquet: bool = False
    ) -> dict[str, Any]:
        """Replay; return the summary. Blocks.

        Raises:
            KeyboardInterrupt: stopped; `open_run` with the same request goes on.
            HeadgateError: the broker went away, or a version can't be read.
        """
        contents = self._contents()
        with Crew(processes) as crew:
            crew.run(
                (
                    Task(index_said, self._index_task(part, contents))
                    for part in self.plan.said
                ),
                tell,
            )
            if self.plan.ingested:
                events = EventsTask(self.folder, self.settings, self.plan.ingested)
                crew.run([Task(index_ingested, events)], tell)
            longest = sorted(self.plan.parts, key=lambda p: -p.read.length)
            tasks = (
                ReplayTask(self.folder, self.settings, self.request, self.plan, part)
                for part in longest
            )
            whole = crew.run((Task(replay_partition, task) for task in tasks), tell)
            if not all(whole):
                raise KeyboardInterrupt
            unmet = self._unmet(crew)
        return finish(
            self.folder,
            self.request,
            self.plan,
            unmet=unmet,
            parquet=parquet,
            restricted=restricted_here(self.request, self.settings),
        )

    def _unmet(self, crew: Crew) -> Unmet:
        numbers = [part.read.partition for part in self.plan.parts]
        gather_met(
            met_file(self.folder), [Files(self.folder, n).state for n in numbers]
        )
        span_ms = ALWAYS
        if self.plan.span_ms is not None:
            start_ms, end_ms = self.plan.span_ms
            span_ms = (start_ms, end_ms - END_MARGIN_MS)
        tasks = (
            Task(count_unmet, UnmetTask(self.folder, self.settings, n, span_ms))
            for n in range(self.plan.said_partitions)
        )
        return sum(crew.run(tasks, lambda _: None), Unmet())

    def _index_task(self, part: Any, contents: frozenset[bytes] | None) -> IndexTask:
        return IndexTask(self.folder, self.settings, self.request, part, contents)

    def _contents(self) -> frozenset[bytes] | None:
        if self.request.capture is not None:
            return None
        found = contents_of(self.settings.kafka, self.plan)
        return None if found is None else frozenset(found)


def open_run(
    folder: Path | None, request: Request, settings: Settings, codec: Codec
) -> Run:
    """Begin a replay in a folder, or go on with the one that is in it.

    Without a folder it begins in `replay-ID`.

    Raises:
        StartError: another or a finished replay is there, a version can't be read, the
            broker does not answer, the window or the snapshot can't be used.
    """
    judging_of(request, settings)  # What can't be read is told now.
    found = None if folder is None else read_run(folder)
    if folder is not None and found is not None:
        begun, plan = found
        if begun != request or (folder / "summary.json").exists():
            state = "another" if begun != request else "a finished"
            raise StartError(f"{folder} holds {state} replay; give another --out")
        return Run(folder, request, settings, plan)
    plan = _planned(request, settings, codec)
    folder = folder or Path(f"replay-{plan.id}")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise StartError(f"{folder} is not empty and no replay's; give another --out")
    for name in ("state", "said", "parts"):
        (folder / name).mkdir()
    if request.snapshot is not None:
        for part in plan.parts:
            number = part.read.partition
            source = Files(Path(request.snapshot), number).state
            copy_snapshot(source, Files(folder, number).state)
    if request.topic:
        make_topic(settings, plan)
    write_run(folder, request, plan)
    return Run(folder, request, settings, plan)


def finished(folder: Path, request: Request) -> dict[str, Any] | None:
    """Return the summary of a finished replay; None where it is not this one's.

    Raises:
        StartError: the folder is another version's.
    """
    found, summary = read_run(folder), folder / "summary.json"
    if found is None or found[0] != request or not summary.exists():
        return None
    written: dict[str, Any] = json.loads(summary.read_text("utf-8"))
    return written


def make_topic(settings: Settings, plan: Plan) -> None:
    """Make the topic of a replay's decisions.

    Raises:
        StartError: we may not; an administrator can make it.
    """
    row = Topic(
        name=plan.topic,
        key="content_id",
        record=None,
        doc="What a replay decided; ids are its own.",
        written_by=("replay",),
        read_by=("operators",),
        retention_ms=DECISION.retention_ms,
    )
    apply_topics(settings.kafka, [row])


def _planned(request: Request, settings: Settings, codec: Codec) -> Plan:
    if request.capture is not None:
        return plan_capture(request)
    snapshot = None if request.snapshot is None else _snapshot(Path(request.snapshot))
    return plan_topics(settings.kafka, request, codec, snapshot)


def _snapshot(folder: Path) -> dict[int, int]:
    """Return up to where a finished replay learned each partition.

    Raises:
        StartError: its histories can't stand for what was.
    """
    found = read_run(folder)
    if found is None or not (folder / "summary.json").exists():
        raise StartError(f"{folder} is no finished replay; expected one as --snapshot")
    request, plan = found
    if request.is_what_if or plan.uploader is not None or request.capture is not None:
        raise StartError(
            f"{folder} is a what-if, a capture's or of one uploader; expected a "
            "faithful replay of all as --snapshot"
        )
    numbers = [part.read.partition for part in plan.parts]
    return {n: read_facts(Files(folder, n).state).next_offset for n in numbers}
