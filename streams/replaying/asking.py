"""Finds the whole story of one content on the topics, by replaying its uploader."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from schemas.codec import Codec
from schemas.records import ContentSignals, UploaderHistory
from streams.braking import nothing_held, recorded_holds
from streams.errors import EventError
from streams.judge import Judge
from streams.replay.compensation import is_correction
from streams.replay.outcome import Outcome
from streams.replay.recorded import Recorded
from streams.replay.rejudge import Item, Rejudging
from streams.replay.retelling import retold
from streams.replay.story import correction_story, story_of
from streams.replay.versions import Versions, version_of
from streams.replaying.here import judging_of
from streams.replaying.job import buried_in
from streams.replaying.request import Plan, Request
from streams.replaying.tasks import SaidByContent, index_here, reading_of
from streams.replaying.topics import plan_topics
from streams.settings import Settings
from streams.wire import decode_value


def ask_why(
    content_id: str, request: Request, settings: Settings, codec: Codec
) -> tuple[Plan, list[dict[str, Any]]]:
    """Return the plan that was read, and the story of each judgement on a content.

    Blocks: reads the uploader's signals, and their decisions, from the beginning.

    Raises:
        HeadgateError: the content was never decided, or the broker does not answer.
    """
    plan = plan_topics(settings.kafka, request, codec)
    versions, today, _ = judging_of(request, settings)
    rejudging = Rejudging(codec, versions, today)
    now = versions.judge(today)
    assert now is not None
    assert plan.uploader is not None  # It was looked for.
    stories, history = [], UploaderHistory(plan.uploader)
    with TemporaryDirectory() as folder:
        said = index_here(settings.kafka, plan, codec, Path(folder))
        for item in _items(request, plan, settings, codec, said):
            if item.recorded.event.content_id != content_id:
                history = rejudging.warm(item, history)
                continue
            rejudged = rejudging.judge(item, history)
            stories.append(_story(rejudged.outcome, history, versions, now))
            history = rejudged.history
        stories += _corrections(said.of(content_id))
        said.close()
    return plan, stories


def _story(
    outcome: Outcome, history: UploaderHistory, versions: Versions, now: Judge
) -> dict[str, Any]:
    """Tell one judgement, with each rule of the policy then and of today's."""
    signals, said = outcome.signals, outcome.then or outcome.now
    judge = None if said is None else versions.judge(version_of(said))
    # What one of the two policies hides, the other must not show.
    restricted = now.policy.restricted | (judge or now).policy.restricted
    # As if the same brakes held: how they stand today has no part in what changed.
    hold = nothing_held if said is None else recorded_holds(lambda: said)
    today = retold(now, signals, history, hold, restricted)
    if said is None:
        return story_of(outcome, history, None, today, "nothing was decided")
    if judge is None:
        return story_of(
            outcome,
            history,
            None,
            today,
            f"{versions.lacking(version_of(said))}; name its file with --known-policy "
            "or --known-heads",
        )
    then = retold(judge, signals, history, hold, restricted)
    untold = "" if then else "judged before: answered with what was said then"
    return story_of(outcome, history, then, today, untold)


def _corrections(content: Sequence[Recorded]) -> Iterator[dict[str, Any]]:
    """Tell the words that `reverse` and applied what-ifs said, as they came."""
    for one in content:
        if one.decision is not None and is_correction(one.decision):
            yield correction_story(one.decision, one.timestamp_ms)


def _items(
    request: Request, plan: Plan, settings: Settings, codec: Codec, said: SaidByContent
) -> Iterator[Item]:
    reading = reading_of(request, plan, settings)
    for part in plan.parts:
        buried = {offset for offset, _ in buried_in(reading, part.read.partition)}
        for record in reading.signals(part.read, plan.uploader):
            if record.offset in buried:
                continue
            try:
                signals = decode_value(codec, record, ContentSignals)
            except EventError:
                continue  # No signals: nothing was decided on it.
            content = said.of(signals.event.content_id)
            yield Item(
                record.partition, record.offset, record.timestamp_ms, signals, content
            )
