"""Finds campaigns among all uploads and tells their members; edge, beside `judge`.

The worker that judges partition 0 of content.signals.v1 reads all its partitions beside
the consumer group, from the window's beginning: what is known can always be read again.
A member that was not told yet gets CAMPAIGN signals in its own partition, which `judge`
decides on like on any others. So decisions stay a function of the topics, and the topic
alone says who was told, whoever crashed in between.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from time import monotonic

from schemas.codec import Codec
from schemas.records import CampaignFact, ContentSignals, Stage, SweptEntry
from schemas.topics import SIGNALS
from streams.campaigns import FOUND_VALUE, Campaign, Campaigns, traits_of
from streams.errors import EventError
from streams.history import has_event_time
from streams.messages import Output, Record
from streams.retries import keep_on
from streams.stage import Producer, write_confirmed
from streams.telemetry import EventLog
from streams.topic_reader import TopicReader
from streams.wire import decode_value, signals_output

PARTITION = 0  # Whoever judges it watches for all.
IDLE_S = 0.2
# While it reads the past it works a third of the time: judging goes first.
REST = 2.0
OpenReader = Callable[[datetime], TopicReader]
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the last word on an upload stands, and the sweep it names."""

    revision: int
    partition: int
    offset: int
    sweep: frozenset[SweptEntry] = frozenset()


@dataclass(slots=True)
class _Known:
    """What was read so far; it can always be read again."""

    campaigns: Campaigns
    places: dict[str, _Place] = field(default_factory=dict)  # By content id, in order.
    found: set[int] = field(default_factory=set)  # Campaigns to look at, by number.
    logged: set[str] = field(default_factory=set)  # Ids of campaigns that were told.
    caught_up: bool = False
    started_s: float = field(default_factory=monotonic)


class CampaignWatch:
    """Keeps the campaigns while it has partition 0."""

    def __init__(
        self,
        *,
        open_reader: OpenReader,
        new_campaigns: Callable[[], Campaigns],
        codec: Codec,
        producer: Producer,
        window: timedelta,
        most_uploads: int,
        log: EventLog,
    ) -> None:
        """Prepare.

        Args:
            open_reader: opens content.signals.v1 from a time on.
            new_campaigns: makes what finds them, empty.
            codec: decodes signals.
            producer: writes CAMPAIGN signals.
            window: how far back uploads are read.
            most_uploads: places that are remembered; the oldest give way.
            log: tells what was found.
        """
        self._open_reader = open_reader
        self._new_campaigns = new_campaigns
        self._codec = codec
        self._producer = producer
        self._window = window
        self._most_uploads = most_uploads
        self._log = log
        self._is_ours = False
        self._reader: TopicReader | None = None
        self._known = _Known(new_campaigns())

    def assign(self, partitions: Iterable[int]) -> None:
        """Be told which partitions this worker judges."""
        self._is_ours = PARTITION in set(partitions)

    async def run(self) -> None:
        """Watch until cancelled; a broker that is away is waited for."""
        await keep_on(
            self._step,
            self._let_go,  # All is read anew, from the start.
            lambda why: self._log.note("campaigns_behind", reason=why),
        )

    async def _step(self) -> None:
        if not self._is_ours:
            await self._let_go()
            await asyncio.sleep(IDLE_S)
            return
        if self._reader is None:
            since = datetime.now(UTC) - self._window
            self._reader = await asyncio.to_thread(self._open_reader, since)
            self._known.started_s = monotonic()
        started_s = monotonic()
        due = await asyncio.to_thread(self._advance, self._reader)
        for output, signals in due:
            await write_confirmed(self._producer, output)
            self._note_told(signals)
        worked_s = monotonic() - started_s
        await asyncio.sleep(IDLE_S if self._known.caught_up else worked_s * REST)

    def _advance(self, reader: TopicReader) -> list[tuple[Output, ContentSignals]]:
        """Read on, then look at whose campaign was found; blocks."""
        for record in reader.read():
            self._take(record)
        if not self._known.caught_up and reader.at_end:
            self._known.caught_up = True
            self._tell_caught_up()
        if not self._known.caught_up:
            return []
        found, self._known.found = self._known.found, set()
        current = (self._known.campaigns.numbered(number) for number in sorted(found))
        looked = (
            self._word(reader, key, campaign)
            for campaign in current
            if campaign is not None and campaign.value >= FOUND_VALUE
            for key in self._due(campaign)
        )
        return [word for word in looked if word is not None]

    def _take(self, record: Record) -> None:
        signals = self._decoded(record)
        if signals is None or signals.stage is Stage.SCREENED:
            return
        if signals.stage is Stage.CAMPAIGN:
            self._note_told(signals)
            return
        event = signals.event
        if signals.stage is Stage.COMPLETE:
            self._remember(signals, record)
            traits = traits_of(signals, _at_ms(record, signals))
            campaign = self._known.campaigns.observe(traits)
        elif signals.stage is Stage.SWEPT and signals.campaign is None:
            # Its decision names no campaign: whoever was told has to be told again.
            self._remember(signals, record)
            self._known.campaigns.forget_told((event.content_id, event.revision))
            campaign = self._known.campaigns.of((event.content_id, event.revision))
        else:
            return
        for found in (campaign, *self._known.campaigns.take_late()):
            if found is not None and found.value >= FOUND_VALUE:
                self._known.found.add(found.number)

    def _remember(self, signals: ContentSignals, record: Record) -> None:
        event = signals.event
        known = self._known.places.pop(event.content_id, None)
        if known is None or event.revision >= known.revision:
            known = _Place(
                event.revision,
                record.partition,
                record.offset,
                frozenset(signals.sweep),
            )
        self._known.places[event.content_id] = known
        while len(self._known.places) > self._most_uploads:
            del self._known.places[next(iter(self._known.places))]

    def _due(self, campaign: Campaign) -> list[Key]:
        """Return the members to tell: not told yet, and no newer revision is there."""
        return [
            (content_id, revision)
            for content_id, revision in self._known.campaigns.untold(campaign)
            if content_id in self._known.places
            and self._known.places[content_id].revision == revision
        ]

    def _word(
        self, reader: TopicReader, key: Key, campaign: Campaign
    ) -> tuple[Output, ContentSignals] | None:
        place = self._known.places[key[0]]
        record = reader.fetch(place.partition, place.offset)
        signals = None if record is None else self._decoded(record)
        if record is None or signals is None:
            return None  # Retention was faster.
        word = replace(signals, stage=Stage.CAMPAIGN, campaign=fact_of(campaign))
        output = signals_output(self._codec, SIGNALS.name, word, record)
        return output, word

    def _note_told(self, signals: ContentSignals) -> None:
        """Learn who was told, unless it was said before the upload's last sweep."""
        event, fact = signals.event, signals.campaign
        place = self._known.places.get(event.content_id)
        is_old = place is not None and not place.sweep <= set(signals.sweep)
        if fact is None or is_old:
            return
        key = event.content_id, event.revision
        self._known.campaigns.told(key, fact.campaign_id)
        if fact.campaign_id not in self._known.logged:
            if len(self._known.logged) >= self._most_uploads:
                self._known.logged.clear()  # Some are told of again: it is a log line.
            self._known.logged.add(fact.campaign_id)
            if self._known.caught_up:
                self._tell_found(fact)

    def _decoded(self, record: Record) -> ContentSignals | None:
        # What can't be decoded is `judge`'s to bury, and was.
        with suppress(EventError):
            return decode_value(self._codec, record, ContentSignals)
        return None

    async def _let_go(self) -> None:
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)
            self._reader = None
            self._forget()

    def _forget(self) -> None:
        self._known = _Known(self._new_campaigns())

    def _tell_found(self, fact: CampaignFact) -> None:
        self._log.note(
            "campaign_found",
            campaign_id=fact.campaign_id,
            value=fact.value,
            uploads=fact.uploads,
            uploaders=fact.uploaders,
            alike=fact.alike,
        )

    def _tell_caught_up(self) -> None:
        self._log.note(
            "campaigns_caught_up",
            uploads=len(self._known.places),
            campaigns=len(self._known.campaigns),
            seconds=round(monotonic() - self._known.started_s, 3),
        )


def fact_of(campaign: Campaign) -> CampaignFact:
    """Return what a campaign's members are told."""
    alike = sorted(campaign.alike.items(), key=lambda pair: (-pair[1], pair[0]))
    return CampaignFact(
        campaign_id=campaign.campaign_id,
        value=campaign.value,
        uploads=len(campaign.members),
        uploaders=campaign.uploaders,
        first_seen=_as_time(campaign.first_ms),
        last_seen=_as_time(campaign.last_ms),
        alike=tuple(kind for kind, _ in alike),
    )


def _at_ms(record: Record, signals: ContentSignals) -> int:
    """Return the event's time, or its record's where that can't be used."""
    if has_event_time(signals) or record.timestamp_ms < 0:
        return int(signals.event.event_time.timestamp() * 1000)
    return record.timestamp_ms


def _as_time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
