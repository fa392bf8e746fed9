import asyncio

from streams.commits import Committer
from streams.messages import Output
from streams.outbox import LedgerOutbox
from tests.fakes import FakeProducer

SOURCE = ("content.signals.v1", 2)
DECISIONS = [
    Output("risk.decision.v1", b"c", b"1"),
    Output("risk.decision.v1", b"c", b"2"),
]
HISTORY = Output("uploader.history.v1", b"u", b"h", partition=2)


class Positions(Committer):
    """Remembers what had been written when the position moved."""

    def __init__(self, producer):
        super().__init__()
        self.moved, self._producer = [], producer

    def note(self, partition, next_offset):
        self.moved.append((partition, next_offset, len(self._producer.written)))


def commit(failures=0):
    """Commit one batch and return what was written and when the position moved."""
    producer = FakeProducer(failures)
    positions = Positions(producer)
    outbox = LedgerOutbox(SOURCE, producer, positions)
    asyncio.run(outbox.commit(DECISIONS, [HISTORY], 7))
    return [output.topic for output in producer.written], positions.moved


def test_decisions_go_before_histories_and_the_position_last():
    """A crash in between repeats a decision; the other way round it would lose one."""
    written, moved = commit()

    assert written == ["risk.decision.v1", "risk.decision.v1", "uploader.history.v1"]
    assert moved == [(SOURCE, 7, 3)]


def test_a_broker_that_is_away_does_not_change_the_order():
    """The history waits until both decisions are confirmed."""
    written, moved = commit(failures=3)

    assert written[-1] == "uploader.history.v1"
    assert moved == [(SOURCE, 7, 3)]
