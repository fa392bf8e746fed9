"""Makes the stages' lanes from models and settings; wiring, used by the worker."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from encoders.banks import BankSource
from schemas.codec import Codec
from schemas.records import BankMatch, MediaHash
from schemas.topics import SIGNALS
from streams.agents import ScreenHandler, TranscribeHandler
from streams.app import group_of
from streams.batch_judge import BatchJudging, brake_output, history_output
from streams.batcher import Batcher
from streams.campaign_watch import CampaignWatch
from streams.campaigns import Campaigns
from streams.commits import Committer
from streams.crash_guard import Guard
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.fair_lanes import UploaderRates
from streams.giving_way import GivesWay
from streams.judge import Judge
from streams.judge_stage import JudgeStage
from streams.judging import PartitionJudge
from streams.ledger import TopicPartition
from streams.listen import Listening
from streams.media import MediaStore
from streams.media_signals import bank_matches
from streams.metrics import Metrics
from streams.model_threads import off_the_loop
from streams.outbox import LedgerOutbox, Outbox
from streams.partition_reader import PartitionReader
from streams.platform_watch import PlatformWatch
from streams.policy_follower import PolicyFollower
from streams.restoring import brake_reader, history_reader
from streams.settings import Settings
from streams.shadowing import Shadowing
from streams.shadows.shadow import Shadow
from streams.shared_hearing import SharedHearing
from streams.stage import Handler, LedgerStage, Producer
from streams.sweeper import Sweeper
from streams.telemetry import EventLog
from streams.topic_reader import TopicReader
from streams.transactions import TransactionalOutbox
from streams.transcript_journal import TranscriptJournals
from streams.turns import Turns
from streams.understand import Understanding
from streams.upload_hearing import UploadHearing
from streams.worker_models import Models

# Decoding releases the GIL; more threads than cores gain nothing. The bulk lane's one
# is its own, so that it never stands before the main lane's.
EXAMINE_THREADS = 2
BULK_EXAMINE_THREADS = 1
# They wait for the decoders and write journals. One sound has both halves of its work
# done by turns, so two keep the engine fed.
SOUND_THREADS = 2
BATCHES_AHEAD = 2  # Of one sound: one at work and one that waits.

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Lane:
    """One lane of a stage: a row of `app.SOURCES`, and what works on its events."""

    name: str  # screen, screen-bulk, …
    stage: str
    work: LedgerStage | JudgeStage
    committer: Committer

    @property
    def kind(self) -> str:
        """Say main or bulk."""
        return "bulk" if self.name.endswith("-bulk") else "main"


@dataclass(frozen=True, slots=True)
class Shared:
    """What all stages of a worker share."""

    settings: Settings
    codec: Codec
    new_store: Callable[[], MediaStore]  # Each lane's own: none starves another.
    producer: Producer
    guard: Guard
    metrics: Metrics
    log: EventLog
    max_message_bytes: int

    def letters(self, stage: str, lane: str) -> DeadLetters:
        """Return a lane's dead letters, with their limit."""
        limit = DeadLetterLimit(
            self.settings.dead_letter_limit, self.settings.dead_letter_window
        )
        return DeadLetters(stage, group_of(self.settings, lane), limit)

    def store(self, lane: str) -> MediaStore:
        """Return a lane's media store; its bytes in flight are told."""
        store = self.new_store()
        held = self.metrics.in_flight_bytes.labels(lane)
        held.set_function(lambda: store.budget.held_bytes)
        return store

    def batcher(
        self,
        model: str,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        size: int,
    ) -> Batcher[Item, Result]:
        """Return a batcher over a model, which gets a thread of its own."""
        thread = ThreadPoolExecutor(1, model)
        return Batcher(
            off_the_loop(work, thread, self.metrics.observe_batch(model)),
            size=size,
            wait_s=self.settings.batch_wait_ms / 1000,
        )

    def ledger_lane(
        self, lane: str, stage: str, handler: Handler, in_flight: int
    ) -> Lane:
        """Return a lane in ledger mode."""
        committer = Committer()
        work = LedgerStage(
            stage,
            handler,
            self.producer,
            self.letters(stage, lane),
            committer,
            in_flight=in_flight,
            retries=self.settings.retries,
            guard=self.guard,
            log=self.log,
        )
        return Lane(lane, stage, work, committer)


def lanes_of(stage: str, shared: Shared, models: Models) -> list[Lane]:
    """Return the lanes of a stage whose models are loaded."""
    if stage == "screen" and models.understanding is not None:
        return screen_lanes(shared, models.understanding)
    if stage == "transcribe":
        return transcribe_lanes(shared, models.listenings)
    assert models.judge is not None, f"no models for stage {stage!r}"
    return judge_lanes(shared, models.judge, models.shadows, models.policies)


def screen_lanes(shared: Shared, understanding: Understanding) -> list[Lane]:
    """Return `screen`'s lanes; they share the text model and its batches."""
    settings = shared.settings
    embed = shared.batcher("text", understanding.embed, settings.batch_size)

    def handler(name: str, threads: int, rates: UploaderRates | None) -> Handler:
        return ScreenHandler(
            codec=shared.codec,
            store=shared.store(name),
            understanding=understanding,
            examine_pool=ThreadPoolExecutor(threads, f"examine-{name}"),
            embed=embed,
            provisional_after_s=settings.provisional_after_s,
            rates=rates,
        )

    rates = UploaderRates(settings.uploader_burst, settings.uploader_per_s)
    first = handler("screen", EXAMINE_THREADS, rates)
    main = shared.ledger_lane("screen", "screen", first, settings.in_flight)
    polite = GivesWay(
        handler("screen-bulk", BULK_EXAMINE_THREADS, None), lambda: main.work.depth
    )
    slots = settings.bulk_in_flight
    return [main, shared.ledger_lane("screen-bulk", "screen", polite, slots)]


def transcribe_lanes(shared: Shared, listenings: Sequence[Listening]) -> list[Lane]:
    """Return `transcribe`'s lanes, each with a transcriber of its own.

    So an hour of speech in the bulk lane never stands before ten seconds in the main.
    """
    size = shared.settings.transcribe_batch_size
    folder = shared.settings.state_dir / "transcripts"

    def lane(name: str, listening: Listening) -> Lane:
        threads = ThreadPoolExecutor(SOUND_THREADS, f"sound-{name}")
        windows = shared.batcher(name, listening.hear, size)
        uploads = UploadHearing(
            listening,
            SharedHearing(windows, threads, ahead=BATCHES_AHEAD * size),
            TranscriptJournals(folder, listening.model, shared.log.note),
            shared.log,
        )
        handler = TranscribeHandler(
            codec=shared.codec, store=shared.store(name), uploads=uploads
        )
        # One batch at work and one that gathers: more would only wait with their
        # media in memory.
        made = shared.ledger_lane(name, "transcribe", handler, 2 * size)
        assert isinstance(made.work, LedgerStage)
        uploads.alive = made.work.alive
        return made

    main, bulk = listenings
    return [lane("transcribe", main), lane("transcribe-bulk", bulk)]


def judge_lanes(
    shared: Shared,
    judge: Judge,
    shadows: Sequence[Shadow] = (),
    policies: PolicyFollower | None = None,
) -> list[Lane]:
    """Return `judge`'s only lane: it is fast, and order matters to it."""
    settings, committer = shared.settings, Committer()
    letters = shared.letters("judge", "judge")
    watch = PlatformWatch(
        shared.log,
        shared.metrics.tell_platform,
        window_s=settings.platform_window_s,
        restricted=judge.policy.restricted,
    )
    judging = BatchJudging(
        judge,
        shared.codec,
        letters,
        shared.guard,
        settings.retries,
        shared.log,
        watch.observe,
        Shadowing(shadows, shared.codec, shared.log, shared.metrics),
    )
    if policies is not None:
        policies.tell(judging.adopt)
    restore = history_reader(settings.kafka)
    restore_brakes = brake_reader(settings.kafka, shared.codec)
    turns = Turns(lambda: stage.depth)

    def make_partition(
        source: TopicPartition, release: Callable[[int], None]
    ) -> PartitionJudge:
        return PartitionJudge(
            source,
            outbox=_outbox(shared, source, committer),
            restore=restore,
            restore_brakes=restore_brakes,
            judge=judging,
            history_output=history_output,
            brake_output=brake_output,
            release_slots=release,
            batch_size=settings.batch_size,
            batch_wait_s=settings.batch_wait_ms / 1000,
            turns=turns,
            guard=shared.guard,
            log=shared.log,
        )

    stage = JudgeStage(make_partition, settings.in_flight)
    return [Lane("judge", "judge", stage, committer)]


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


def _outbox(shared: Shared, source: TopicPartition, committer: Committer) -> Outbox:
    settings = shared.settings
    if settings.judge_mode == "ledger":
        return LedgerOutbox(source, shared.producer, committer)
    return TransactionalOutbox(
        source,
        kafka=settings.kafka,
        group_id=group_of(settings, "judge"),
        max_message_bytes=shared.max_message_bytes,
    )
