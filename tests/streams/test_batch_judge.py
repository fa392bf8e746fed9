import pytest

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.errors import RegistryUnavailableError
from schemas.ids import CommittedIds
from schemas.records import RiskDecision, Stage, UploaderHistory
from streams.batch_judge import BatchJudging, history_output
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.retries import RetryBounds
from streams.scorers import DEFAULT_SCORERS
from tests.builders import a_policy, a_text_signal, signals
from tests.fakes import FakeGuard, FakeLog, a_record

CODEC = Codec(CommittedIds())
TOPIC = "content.signals.v1"


class Bench:
    """A batch judge with a log that is kept."""

    def __init__(self, policy=None, guard=None, codec=CODEC):
        self.log = FakeLog()
        judge = Judge(DEFAULT_SCORERS, policy or a_policy())
        letters = DeadLetters("judge", "headgate", DeadLetterLimit(50, 1000))
        self._judging = BatchJudging(
            judge,
            codec,
            letters,
            guard or FakeGuard(),
            RetryBounds(attempts=2, within_s=60),
            self.log,
        )

    def judge(self, *values, histories=None):
        """Judge values as records of one partition."""
        records = [a_record(i, v, topic=TOPIC) for i, v in enumerate(values)]
        return self._judging(records, histories or {})


def value(content_id="c1", **fields):
    """Return encoded signals."""
    return CODEC.encode(signals(content_id, texts=(a_text_signal(),), **fields))


def decided(batch, topic="risk.decision.v1"):
    """Return the decisions that go to a topic."""
    return [
        CODEC.decode(o.value, RiskDecision) for o in batch.outputs if o.topic == topic
    ]


def test_a_decision_goes_to_the_log_and_to_the_latest_word():
    """Both topics get the same bytes, keyed by content, with CloudEvents headers."""
    batch = Bench().judge(value())

    topics = [o.topic for o in batch.outputs]
    assert topics == ["risk.decision.v1", "risk.decision.current.v1"]
    assert {o.key for o in batch.outputs} == {b"c1"}
    assert len({o.value for o in batch.outputs}) == 1
    headers = dict(batch.outputs[0].headers)
    assert headers["ce_id"].decode() == decided(batch)[0].decision_id


def test_later_events_of_a_batch_see_what_earlier_ones_taught():
    """Two uploads of one uploader in a batch leave a history of both."""
    batch = Bench().judge(value("c1"), value("c2"))

    history = CODEC.decode(batch.histories["u1"], UploaderHistory)
    assert [entry.content_id for entry in history.recent] == ["c1", "c2"]


def test_a_batch_changes_nothing_it_was_given():
    """A batch that can't be committed is judged again from the same histories."""
    before = Bench().judge(value("c1")).histories
    first = Bench().judge(value("c2"), histories=dict(before))
    again = Bench().judge(value("c2"), histories=before)

    assert [o.value for o in first.outputs] == [o.value for o in again.outputs]
    assert first.histories == again.histories


def test_a_repeat_gives_the_same_bytes_and_teaches_nothing():
    """The same upload twice: equal decisions, one entry in the history."""
    batch = Bench().judge(value("c1"), value("c1"))

    first, second = (o.value for o in batch.outputs if o.topic == "risk.decision.v1")
    assert first == second
    history = CODEC.decode(batch.histories["u1"], UploaderHistory)
    assert (history.uploads, len(history.recent)) == (1, 1)


def test_what_a_person_must_see_is_asked_for():
    """A review goes to review.requested.v1 too."""
    late = signals("c1", missing=(missing_transcript(),))
    batch = Bench().judge(CODEC.encode(late))

    assert [d.content_id for d in decided(batch, "review.requested.v1")] == ["c1"]


def missing_transcript():
    """Return a signal that the policy wants a person for."""
    from schemas.records import Missing

    return Missing("transcript:audio", "undecodable: torn")


def test_a_provisional_review_asks_nobody_yet():
    """The hold before the transcript is not a person's work."""
    batch = Bench().judge(value(stage=Stage.SCREENED))

    (decision,) = decided(batch)
    assert decision.provisional
    assert decided(batch, "review.requested.v1") == []


@pytest.mark.parametrize("bad", [b"", b"junk", None])
def test_what_is_no_signals_is_a_dead_letter_between_decisions(bad):
    """The others of the batch are decided; the bad one is kept as it was."""
    batch = Bench().judge(value("c1"), bad, value("c2"))

    assert [d.content_id for d in decided(batch)] == ["c1", "c2"]
    (letter,) = [o for o in batch.outputs if o.topic.endswith(".dlq")]
    assert letter.value == bad
    origin, failure = parse_dead_letter(letter.headers)
    assert (origin.offset, failure.stage) == (1, "judge")


def test_lines_are_written_only_once_the_batch_is_committed():
    """Judging alone logs nothing, so a batch judged twice is logged once."""
    bench = Bench()
    batch = bench.judge(value(), b"junk")
    assert (bench.log.finished, bench.log.dead) == ([], [])

    for finish in batch.finish:
        finish()
    assert len(bench.log.finished) == len(bench.log.dead) == 1


def test_a_history_lies_in_its_events_partition():
    """The changelog has the partitions of content.signals.v1."""
    output = history_output(7, "u1", b"state")

    assert (output.topic, output.key, output.partition) == (
        "uploader.history.v1",
        b"u1",
        7,
    )


def test_signals_that_killed_the_process_are_buried_unread():
    """They become a dead letter with their bytes; the next ones are judged."""
    bench = Bench(guard=FakeGuard(refused=(0,)))
    batch = bench.judge(value("c1"), value("c2"))

    (letter,) = [o for o in batch.outputs if o.topic.endswith(".dlq")]
    assert letter.value == value("c1")
    assert [d.content_id for d in decided(batch)] == ["c2"]


class AwayOnce(CommittedIds):
    """A registry that does not answer the first times it is asked."""

    def __init__(self, times):
        super().__init__()
        self._left = times

    def schema_for(self, schema_id):
        if self._left:
            self._left -= 1
            raise RegistryUnavailableError("away")
        return super().schema_for(schema_id)


def test_a_registry_that_is_away_is_waited_for():
    """The event is tried again where it stands, for the next ones' order matters."""
    batch = Bench(codec=Codec(AwayOnce(1))).judge(value("c1"), value("c2"))

    assert [d.content_id for d in decided(batch)] == ["c1", "c2"]


def test_a_registry_that_stays_away_is_named_in_the_dead_letter():
    """It is no defect of ours: whoever redrives it knows what to mend first."""
    bench = Bench(codec=Codec(AwayOnce(2)))
    batch = bench.judge(value("c1"))
    for finish in batch.finish:
        finish()

    assert bench.log.dead == ["retries_exhausted"]
