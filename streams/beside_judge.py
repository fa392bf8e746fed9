"""What runs beside `judge` in a worker: sweeps for new bank entries, and campaigns.

Wiring. A defect in either ends the worker.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from functools import partial

from encoders.banks import BankSource
from schemas.records import BankMatch, MediaHash
from schemas.topics import SIGNALS
from streams.app import HeadgateApp, tell_assigned
from streams.campaign_watch import CampaignWatch
from streams.campaigns import Campaigns
from streams.lanes import Shared
from streams.media_signals import bank_matches
from streams.partition_reader import PartitionReader
from streams.sweeper import Sweeper
from streams.topic_reader import TopicReader
from streams.worker_models import Models


class BesideJudge:
    """Runs with the partitions that are judged here."""

    def __init__(self, shared: Shared, models: Models, judge: HeadgateApp) -> None:
        """Prepare; `judge` tells which partitions are its own."""
        self._shared, self._models, self._judge = shared, models, judge
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start what the settings ask for."""
        settings = self._shared.settings
        if settings.sweep_days and self._models.banks:
            self._run(self._sweep(self._models.banks), "sweep")
        if settings.campaign_days:
            self._run(self._look_for_campaigns(), "campaigns")

    def stop(self) -> None:
        """End it; what was found and not yet told is found again."""
        for task in self._tasks:
            task.cancel()

    def _sweep(self, banks: Sequence[BankSource]) -> Coroutine[None, None, None]:
        sweeper = build_sweeper(self._shared, banks)
        tell_assigned(self._judge, sweeper.assign)
        if self._models.follower is not None:
            self._models.follower.tell(sweeper.hear)
        return sweeper.run()

    def _look_for_campaigns(self) -> Coroutine[None, None, None]:
        watch = build_campaign_watch(self._shared)
        tell_assigned(self._judge, watch.assign)
        return watch.run()

    def _run(self, work: Coroutine[None, None, None], name: str) -> None:
        def ended(task: "asyncio.Task[None]") -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                self._shared.log.fatal(name, error)

        task = asyncio.create_task(work, name=name)
        task.add_done_callback(ended)
        self._tasks.append(task)


def build_sweeper(shared: Shared, banks: Sequence[BankSource]) -> Sweeper:
    """Return what sweeps the past for new bank entries, beside `judge`."""
    settings = shared.settings

    def matches(hashes: Sequence[MediaHash]) -> tuple[BankMatch, ...]:
        return tuple(bank_matches(hashes, [b for s in banks for b in s.banks()]))

    return Sweeper(
        open_reader=partial(PartitionReader, settings.kafka, SIGNALS.name),
        codec=shared.codec,
        producer=shared.producer,
        matches=matches,
        window=timedelta(days=settings.sweep_days),
        most_hashes=settings.sweep_hashes,
        log=shared.log,
    )


def build_campaign_watch(shared: Shared) -> CampaignWatch:
    """Return what finds campaigns among all uploads, beside `judge`."""
    settings = shared.settings
    window = timedelta(days=settings.campaign_days)

    def campaigns() -> Campaigns:
        return Campaigns(
            window_ms=window // timedelta(milliseconds=1),
            most_uploads=settings.campaign_uploads,
            most_members=settings.campaign_members,
        )

    def reader(since: datetime) -> TopicReader:
        # An upload is often two records: its signals, and what was found of it later.
        most = 2 * settings.campaign_uploads
        return TopicReader(settings.kafka, SIGNALS.name, since, most)

    return CampaignWatch(
        open_reader=reader,
        new_campaigns=campaigns,
        codec=shared.codec,
        producer=shared.producer,
        window=window,
        most_uploads=settings.campaign_uploads,
        log=shared.log,
    )
