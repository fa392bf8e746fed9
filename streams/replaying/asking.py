"""Finds the whole story of one content on the topics, by replaying its uploader."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from schemas.codec import Codec
from schemas.records import ContentSignals, UploaderHistory
from streams.errors import EventError
from streams.replay.rejudge import Item, Rejudging
from streams.replay.story import story_of
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
            judged = now.judge(item.signals, history)
            stories.append(story_of(rejudged.outcome, history, judged.decision))
            history = rejudged.history
        said.close()
    return plan, stories


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
