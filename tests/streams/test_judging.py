import asyncio

import pytest

from streams.brakes import BrakeState
from streams.errors import TransientError
from streams.judge_stage import JudgeStage
from streams.judging import JudgedBatch, PartitionJudge
from streams.messages import Output
from streams.transactions import FencedError
from streams.turns import Turns
from tests.fakes import FakeGuard, FakeLog, a_record

SOURCE = ("content.signals.v1", 3)


class FakeOutbox:
    """Keeps commits; fails as told, before or after the broker took the batch."""

    def __init__(self, start=0, failures=(), fenced=False):
        self.commits, self.opened, self.closed = [], 0, False
        self.position = start
        self._failures = list(failures)
        self._fenced = fenced

    async def open(self):
        self.opened += 1
        return self.position

    async def commit(self, outputs, histories, next_offset):
        if self._fenced:
            raise FencedError("someone else")
        failure = self._failures.pop(0) if self._failures else None
        if failure == "before":
            raise TransientError("not written")
        self.commits.append((list(outputs), list(histories), next_offset))
        self.position = next_offset
        if failure == "after":
            raise TransientError("written, but the answer was lost")

    async def close(self):
        self.closed = True


class Counting:
    """Judges by counting: an uploader's history is how many events it had."""

    def __init__(self, outbox):
        self._outbox = outbox

    def __call__(self, records, histories, brakes):
        batch = JudgedBatch()
        count = int(histories.get("u", b"0"))
        for record in records:
            count += 1
            text = f"{record.offset}:{count}".encode()
            batch.outputs.append(Output("risk.decision.v1", b"c", text))
        batch.histories = {"u": str(count).encode()}
        batch.brakes = BrakeState(brakes.uploads + len(records))
        batch.brake_values = {"r": str(batch.brakes.uploads).encode()}
        return batch

    def restore(self, partition):
        """Read the history back from what was committed."""
        changes = changed(self._outbox, "h")
        return {"u": changes[-1].value} if changes else {}

    def restore_brakes(self, partition):
        """Read the brakes back from what was committed."""
        changes = changed(self._outbox, "b")
        return BrakeState(int(changes[-1].value)) if changes else BrakeState()


def changed(outbox, topic):
    """Return what was committed of a changelog, oldest first."""
    return [
        change
        for _, changes, _ in outbox.commits
        for change in changes
        if change.topic == topic
    ]


def judge_all(outbox, offsets, batch_size=2, guard=None):
    """Run a partition over offsets and return its log and the slots it gave back."""
    log, slots, judge = FakeLog(), [], Counting(outbox)

    async def scenario():
        partition = PartitionJudge(
            SOURCE,
            outbox=outbox,
            restore=judge.restore,
            restore_brakes=judge.restore_brakes,
            judge=judge,
            history_output=lambda p, u, v: Output("h", u.encode(), v, partition=p),
            brake_output=lambda p, k, v: Output("b", k.encode(), v, partition=p),
            release_slots=slots.append,
            batch_size=batch_size,
            batch_wait_s=0.001,
            turns=Turns(lambda: 1),
            guard=guard or FakeGuard(),
            log=log,
        )
        for offset in offsets:
            partition.put(a_record(offset, topic=SOURCE[0], partition=SOURCE[1]))
        await partition.drain(10)
        await partition.stop()

    asyncio.run(scenario())
    return log, sum(slots)


def decisions(outbox):
    """Return every decision that was committed."""
    return [o.value.decode() for outputs, _, _ in outbox.commits for o in outputs]


def test_events_are_judged_in_order_with_the_history_before_them():
    """Each event sees what was learned from those before it, across batches."""
    outbox = FakeOutbox()
    _, slots = judge_all(outbox, range(5))

    assert decisions(outbox) == ["0:1", "1:2", "2:3", "3:4", "4:5"]
    assert slots == 5


def test_the_changelog_lies_beside_its_partition():
    """A history is written to the partition that its events came from."""
    outbox = FakeOutbox()
    judge_all(outbox, [0])

    ((_, (history, brake), position),) = outbox.commits
    assert (history.topic, history.partition, position) == ("h", 3, 1)
    assert (brake.topic, brake.partition) == ("b", 3)


@pytest.mark.parametrize("failures", [[], ["before"], ["after"]])
def test_each_batch_goes_on_from_the_brakes_before_it(failures):
    """Each event is counted once, whatever became of a commit."""
    outbox = FakeOutbox(failures=failures)
    judge_all(outbox, range(5))

    assert [int(o.value) for o in changed(outbox, "b")] == [2, 4, 5]


def test_what_the_previous_owner_committed_is_not_judged_again():
    """Events below the committed offset are passed over."""
    outbox = FakeOutbox(start=3)
    judge_all(outbox, range(5))

    assert [d.split(":")[0] for d in decisions(outbox)] == ["3", "4"]


@pytest.mark.parametrize("failure", ["before", "after"])
def test_an_unknown_outcome_doubles_and_loses_nothing(failure):
    """After a failed commit the broker is asked how far it came."""
    outbox = FakeOutbox(failures=[failure, failure])
    judge_all(outbox, range(6))

    assert decisions(outbox) == ["0:1", "1:2", "2:3", "3:4", "4:5", "5:6"]


def test_a_fenced_partition_gives_its_slots_back_and_writes_no_more():
    """Another worker owns it: what comes in is let go."""
    outbox = FakeOutbox(fenced=True)
    log, slots = judge_all(outbox, range(4))

    assert log.notes["judge_fenced"] == 1
    assert (outbox.commits, slots) == ([], 4)


def test_a_stopped_partition_closes_its_outbox():
    """The next owner must not have to wait for our transaction to time out."""
    outbox = FakeOutbox()
    judge_all(outbox, [0])

    assert outbox.closed


class FakePartition:
    """A partition that only counts."""

    def __init__(self, source, release):
        self.source, self.held, self.stopped = source, 0, False

    def put(self, record):
        self.held += 1

    async def drain(self, timeout_s):
        return None

    async def stop(self):
        self.stopped = True


def test_each_partition_has_its_own_task_until_it_is_revoked():
    """Partitions are made on first sight and stopped when they go."""
    made = []

    def make(source, release):
        made.append(FakePartition(source, release))
        return made[-1]

    async def scenario():
        stage = JudgeStage(make, in_flight=8)
        for partition in (0, 1, 0):
            await stage.admit(a_record(partition=partition))
        await stage.revoke([("content.ingested.v1", 0)])
        await stage.admit(a_record(partition=0))

    asyncio.run(scenario())
    assert [p.source[1] for p in made] == [0, 1, 0]
    assert [p.stopped for p in made] == [True, False, False]


def test_a_suspect_is_judged_by_itself():
    """Should the process die again, it is known at which event."""
    guard = FakeGuard(suspects=(2,))
    judge_all(FakeOutbox(), range(3), batch_size=8, guard=guard)

    assert guard.watched == [[0], [1], [2]]


def test_events_without_suspicion_share_a_batch():
    """One transaction for many: that is where the speed comes from."""
    guard = FakeGuard()
    judge_all(FakeOutbox(), range(3), batch_size=8, guard=guard)

    assert guard.watched == [[0, 1, 2]]
