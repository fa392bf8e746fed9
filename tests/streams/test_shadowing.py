"""Facts about candidates beside `judge`: they add words and change nothing else."""

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, Missing, ShadowDecision, Stage
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.metrics import Metrics
from streams.retries import RetryBounds
from streams.scorers import DEFAULT_SCORERS
from streams.shadowing import Shadowing
from streams.shadows.shadow import Shadow
from streams.shadows.share import Share
from tests.builders import a_policy, a_text_signal, signals
from tests.fakes import FakeGuard, FakeLog, a_record

CODEC = Codec(CommittedIds())
TOPIC, SHADOW_TOPIC = "content.signals.v1", "risk.decision.shadow.v1"
LIVE = a_policy()
LENIENT = a_policy(id="lenient", sha256="6f" * 32, missing_default=Action.ALLOW)


class FailingPolicy:
    """Fails as a defect of ours would."""

    def decide(self, findings):
        """Fail, with the upload's text in the message."""
        raise ZeroDivisionError("secret words")


def a_shadow(name="lenient", policy=LENIENT, percent=100.0):
    """Build a candidate."""
    return Shadow(name, policy, Share(name, percent))


class Bench:
    """A batch judge with candidates, and what it told."""

    def __init__(self, *shadows):
        self.log, self.metrics = FakeLog(), Metrics("0")
        self._judging = BatchJudging(
            Judge(DEFAULT_SCORERS, LIVE),
            CODEC,
            DeadLetters("judge", "headgate", DeadLetterLimit(50, 1000)),
            FakeGuard(),
            RetryBounds(attempts=2, within_s=60),
            self.log,
            shadowing=Shadowing(shadows, CODEC, self.log, self.metrics),
        )

    def judge(self, *values):
        """Judge values as records of one partition, and commit."""
        records = [a_record(i, v, topic=TOPIC) for i, v in enumerate(values)]
        batch = self._judging(records, {})
        for finish in batch.finish:
            finish()
        return batch

    def told(self, name, **labels):
        """Return a metric's value."""
        return self.metrics.registry.get_sample_value(f"headgate_{name}_total", labels)


def value(content_id="c1", **fields):
    """Return encoded signals."""
    return CODEC.encode(signals(content_id, texts=(a_text_signal(),), **fields))


UPLOADS = (
    value("c1"),
    value("c2", missing=(Missing("transcript:audio", "undecodable: torn"),)),
    value("c1"),  # A repeat.
    b"junk",
    value("c3", stage=Stage.SCREENED),
    value("c4", uploader_id="u2"),
)


def words(batch):
    """Return what the candidates said."""
    return [
        CODEC.decode(o.value, ShadowDecision)
        for o in batch.outputs
        if o.topic == SHADOW_TOPIC
    ]


def live_of(batch):
    """Return all other outputs, without the milliseconds in their headers."""
    return [
        (o.topic, o.key, o.value, [h for h in o.headers if h[0] != "headgate-judge-ms"])
        for o in batch.outputs
        if o.topic != SHADOW_TOPIC
    ]


@pytest.mark.parametrize(
    "shadows",
    [
        (a_shadow(),),
        (a_shadow(), a_shadow("again"), a_shadow("half", percent=50.0)),
        (a_shadow("broken", FailingPolicy()), a_shadow()),
    ],
    ids=["one", "three", "failing"],
)
def test_live_words_are_the_same_with_and_without_candidates(shadows):
    """Decisions, dead letters and histories to the byte, in the same order."""
    alone, beside = Bench().judge(*UPLOADS), Bench(*shadows).judge(*UPLOADS)

    assert live_of(beside) == live_of(alone)
    assert beside.histories == alone.histories


def test_each_new_decision_gets_one_word_of_each_candidate():
    """Keyed by content, after the live decision, naming it; repeats get none."""
    batch = Bench(a_shadow(), a_shadow("again")).judge(*UPLOADS)

    said = [(word.content_id, word.shadow) for word in words(batch)]
    wanted = [(c, s) for c in ("c1", "c2", "c3", "c4") for s in ("lenient", "again")]
    assert said == wanted
    first, _, word = batch.outputs[:3]
    headers = dict(word.headers)
    live_id = dict(first.headers)["ce_id"]
    assert (word.topic, word.key) == (SHADOW_TOPIC, b"c1")
    assert headers["ce_id"] == live_id + b"/lenient"
    assert words(batch)[0].decision_id.encode() == live_id


def test_a_candidate_that_fails_is_harmless_logged_once_and_counted():
    """No dead letter, no lost word of the other candidate; each failure is counted."""
    bench = Bench(a_shadow("broken", FailingPolicy()), a_shadow())
    batch = bench.judge(value("c1"), value("c2"), value("c3"))

    assert {word.shadow for word in words(batch)} == {"lenient"}
    assert len(words(batch)) == 3
    assert bench.log.dead == []
    assert bench.log.notes["shadow_failed"] == 1
    assert bench.told("shadow_errors", shadow="broken") == 3


def test_words_are_counted_by_both_actions_once_committed():
    """What would flip is a number on a dashboard."""
    bench = Bench(a_shadow())
    bench.judge(*UPLOADS)

    def count(live_action, action):
        labels = {"live_action": live_action, "action": action}
        return bench.told("shadow_decisions", shadow="lenient", **labels)

    assert count("review", "allow") == 1  # c2: held live for want of a transcript.
    assert count("allow", "allow") == 2
    assert count("review", "review") == 1  # c3: provisional in both.


def test_a_word_that_does_not_fit_its_topic_is_no_dead_letter():
    """It is too large for the candidates' codec alone: counted, and nothing else."""
    small = Codec(CommittedIds(), max_bytes=400)
    bench = Bench(a_shadow())
    bench._judging._shadowing._codec = small
    batch = bench.judge(value("c" * 300))

    assert words(batch) == []
    assert len(live_of(batch)) == 2
    assert bench.told("shadow_errors", shadow="lenient") == 1
