from datetime import timedelta

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import Action, Category, CategoryScore, Missing, Stage
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.metrics import Metrics
from streams.platform_watch import PlatformWatch
from streams.retries import RetryBounds
from streams.telemetry import EventLog
from tests.builders import NOON, a_decision, a_policy, a_text_signal, signals
from tests.fakes import FakeGuard, FakeLog, a_record


class KeepingLog(FakeLog):
    """Keeps the facts of notes too."""

    def __init__(self):
        super().__init__()
        self.facts = []

    def note(self, event, **facts):
        """Keep the facts."""
        super().note(event, **facts)
        self.facts.append((event, facts))


def a_watch(log, tell=lambda shares, means: None, restricted=frozenset()):
    """Build a watch with windows of a minute."""
    return PlatformWatch(log, tell, window_s=60, restricted=restricted)


def an_upload(number, hate=0.01, action=Action.ALLOW, **fields):
    """Build an upload, ten a second, and its decision."""
    upload = signals(f"c{number}", uploader_id=f"u{number}", at_s=number / 10, **fields)
    scores = (CategoryScore(Category.HATE, hate),)
    return upload, a_decision(upload, categories=scores, action=action)


def test_an_incident_is_one_log_line_with_its_facts():
    """Which share, from what to what, since when: never whose upload."""
    log = KeepingLog()
    watch = a_watch(log)
    for number in range(6000):
        watch.observe(*an_upload(number))
    assert log.facts == []
    for number in range(6000, 6100):
        watch.observe(*an_upload(number, hate=0.9))

    (facts,) = [facts for event, facts in log.facts if event == "platform_step"]
    assert (facts["series"], facts["window_s"]) == ("category_hate", 60)
    assert (facts["old_rate"], facts["new_rate"]) == (0.0, 1.0)
    assert facts["since"] == (NOON + timedelta(seconds=600)).isoformat()
    assert facts["uploads"] < 20


def test_actions_are_followed_too():
    """A wave of reviews is a step of its own."""
    log = KeepingLog()
    watch = a_watch(log)
    for number in range(6000):
        watch.observe(*an_upload(number))
    for number in range(6000, 6100):
        watch.observe(*an_upload(number, action=Action.REVIEW))

    assert [facts["series"] for _, facts in log.facts] == ["action_review"]


def test_restricted_categories_show_nowhere():
    """Not in log lines and not in metrics."""
    log, told = KeepingLog(), []
    watch = a_watch(log, lambda *means: told.append(means), frozenset({Category.HATE}))
    for number in range(6300):
        watch.observe(*an_upload(number, hate=0.9 if number > 6000 else 0.01))

    assert log.facts == []
    assert told
    assert all("category_hate" not in means for pair in told for means in pair)


def test_provisional_swept_and_undated_uploads_say_nothing():
    """An upload counts once, when its final decision is new, at a time it had."""
    told = []
    watch = a_watch(KeepingLog(), lambda *means: told.append(means))
    undated = (Missing("event_time", "in_future"),)
    for number in range(300):
        watch.observe(*an_upload(number, stage=Stage.SCREENED))
        watch.observe(*an_upload(number, stage=Stage.SWEPT))
        watch.observe(*an_upload(number, missing=undated))

    assert told == []


def test_steps_drift_and_what_is_usual_are_metrics():
    """Counters from the notes, gauges now and then."""
    metrics = Metrics("0")
    watch = a_watch(EventLog(metrics), metrics.tell_platform)
    for number in range(6400):
        watch.observe(*an_upload(number, hate=0.9 if number > 6000 else 0.01))

    def value(name, **labels):
        return metrics.registry.get_sample_value(f"headgate_{name}", labels)

    hate = {"series": "category_hate"}
    assert value("platform_steps_total", **hate) == 1
    assert value("platform_share_ratio", **hate) > 0.5
    assert value("drift_total", input="category_hate") >= 1
    assert value("input_mean_ratio", input="without_text") == 1


def test_the_judge_tells_of_a_decision_once_it_is_committed():
    """Not while it is judged, not of a repeat, and the decision is what it was."""
    codec, told = Codec(CommittedIds()), []
    judging = BatchJudging(
        Judge((), a_policy()),
        codec,
        DeadLetters("judge", "headgate", DeadLetterLimit(50, 1000)),
        FakeGuard(),
        RetryBounds(attempts=1, within_s=1),
        FakeLog(),
        lambda upload, decision: told.append((upload, decision.content_id)),
    )
    upload = signals("c1", texts=(a_text_signal(),))
    value = codec.encode(upload)
    batch = judging([a_record(0, value), a_record(1, value), a_record(2, b"junk")], {})
    assert told == []

    for finish in batch.finish:
        finish()
    assert told == [(upload, "c1")]
