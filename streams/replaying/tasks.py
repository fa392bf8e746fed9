"""What a replay's processes do: index recorded decisions, replay a partition."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from schemas.codec import Codec
from streams.errors import StartError
from streams.kafka_access import KafkaAccess
from streams.replay.recorded import Recorded
from streams.replay.rejudge import Rejudging
from streams.replaying.captured import CapturedReading, captured_said
from streams.replaying.crew import should_stop, tell
from streams.replaying.files import Files
from streams.replaying.here import Judging, judging_of
from streams.replaying.job import Fresh, PartitionReplay, Reading
from streams.replaying.publishing import Publishing
from streams.replaying.ranges import Range, partition_of, read_range
from streams.replaying.request import Part, Plan, Request
from streams.replaying.said import Said
from streams.replaying.state import Facts, PartitionState
from streams.replaying.topics import TopicReading, contents_of
from streams.replaying.unmet import Unmet, unmet
from streams.settings import Settings
from streams.wiring import build_codec


@dataclass(frozen=True, slots=True)
class IndexTask:
    """Index the decisions of one partition, of `contents` only where given."""

    folder: Path
    settings: Settings
    request: Request
    part: Range
    contents: frozenset[bytes] | None = None


@dataclass(frozen=True, slots=True)
class EventsTask:
    """Index the events that uploads are understood from again."""

    folder: Path
    settings: Settings
    parts: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class UnmetTask:
    """Count what a partition's index holds that belongs to no signals."""

    folder: Path
    settings: Settings
    partition: int
    span_ms: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ReplayTask:
    """Replay one partition of the signals."""

    folder: Path
    settings: Settings
    request: Request
    plan: Plan
    part: Part


class SaidByContent:
    """The indexes of all partitions; a content's lies where its key does."""

    def __init__(self, folder: Path, partitions: int, codec: Codec) -> None:
        self._said = [Said(said_file(folder, n), codec) for n in range(partitions)]

    def of(self, content_id: str) -> tuple[Recorded, ...]:
        """Return every decision on a content."""
        if len(self._said) == 1:
            return self._said[0].of(content_id)
        return self._said[partition_of(content_id, len(self._said))].of(content_id)

    def close(self) -> None:
        """Close the files."""
        for said in self._said:
            said.close()


def said_file(folder: Path, partition: int) -> Path:
    """Name the index of a partition's decisions."""
    return folder / "said" / f"{partition:04}.sqlite"


def index_here(
    access: KafkaAccess, plan: Plan, codec: Codec, folder: Path
) -> SaidByContent:
    """Index a plan's decisions in this process: what a single question needs."""
    contents = contents_of(access, plan)
    (folder / "said").mkdir()
    for part in plan.said:
        said = Said(said_file(folder, part.partition), codec, to_write=True)
        records = read_range(access, part, contents)
        said.index(records, part.end, stop=lambda: False, tell=lambda _: None)
        said.close()
    return SaidByContent(folder, len(plan.said), codec)


def index_said(task: IndexTask) -> None:
    """Index a partition of the recorded decisions."""
    path = said_file(task.folder, task.part.partition)
    said = Said(path, _codec(task.settings), to_write=True)
    try:
        rest = Range(
            task.part.topic,
            task.part.partition,
            max(task.part.start, said.next_offset),
            task.part.end,
        )
        if task.request.capture is not None:
            records = captured_said(Path(task.request.capture), rest)
        else:
            records = read_range(task.settings.kafka, rest, task.contents)
        said.index(records, rest.end, stop=should_stop, tell=tell)
    finally:
        said.close()


def index_ingested(task: EventsTask) -> None:
    """Index all events of content.ingested.v1."""
    from streams.replaying.again import index_events

    records = (r for p in task.parts for r in read_range(task.settings.kafka, p))
    index_events(task.folder, records, _codec(task.settings))


def replay_partition(task: ReplayTask) -> bool:
    """Replay a partition up to its end; False where it was stopped before."""
    files = Files(task.folder, task.part.read.partition)
    codec = _codec(task.settings)
    begin = Facts(
        task.part.read.start,
        exact=task.part.read.low == 0,
        faithful=not task.request.is_what_if,
    )
    state = PartitionState(files.state, codec, begin)
    said = SaidByContent(task.folder, task.plan.said_partitions, codec)
    publish = _publish(task, codec)
    try:
        replay = PartitionReplay(
            task.plan,
            task.part,
            files,
            reading=reading_of(task.request, task.plan, task.settings),
            said=said,
            codec=codec,
            rejudging=Rejudging(codec, *_judging(task.request, task.settings)),
            state=state,
            fresh=_fresh(task),
            publish=publish,
        )
        return replay.run(should_stop, tell)
    finally:
        said.close()
        state.close()
        if publish is not None:
            publish.close()


def met_file(folder: Path) -> Path:
    """Name the file of what all partitions met."""
    return folder / "said" / "met.sqlite"


def count_unmet(task: UnmetTask) -> Unmet:
    """Count what was recorded in a partition and belongs to no signals."""
    said, codec = said_file(task.folder, task.partition), _codec(task.settings)
    return unmet(said, met_file(task.folder), codec, task.span_ms)


def reading_of(request: Request, plan: Plan, settings: Settings) -> Reading:
    """Return where a run's records come from."""
    if request.capture is not None:
        return CapturedReading(Path(request.capture))
    return TopicReading(settings.kafka, plan)


def _fresh(task: ReplayTask) -> Fresh | None:
    if task.request.from_stage == "signals":
        return None
    from streams.replaying.again import Again  # Loads the models.

    def refuse(why: str) -> None:
        raise StartError(f"{why}; the worker heard with it, so must replay")

    return Again(task.settings, task.folder, refuse).fresh


def _publish(task: ReplayTask, codec: Codec) -> Publishing | None:
    if not task.request.topic:
        return None
    return Publishing(task.settings.kafka, codec, task.plan)


@cache
def _codec(settings: Settings) -> Codec:
    return build_codec(settings)


@cache  # A process replays several partitions; its files are read once.
def _judging(request: Request, settings: Settings) -> Judging:
    return judging_of(request, settings)
