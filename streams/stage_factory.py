"""Makes the stages' lanes from models and settings; wiring, used by the worker."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from streams.agents import ScreenHandler, TranscribeHandler
from streams.app import group_of
from streams.batch_judge import BatchJudging, brake_output, history_output
from streams.commits import Committer
from streams.fair_lanes import UploaderRates
from streams.giving_way import GivesWay
from streams.judge import Judge
from streams.judge_stage import JudgeStage
from streams.judging import PartitionJudge
from streams.lanes import Lane, Shared
from streams.ledger import TopicPartition
from streams.listen import Listening
from streams.outbox import LedgerOutbox, Outbox
from streams.platform_watch import PlatformWatch
from streams.policy_follower import PolicyFollower
from streams.restoring import brake_reader, history_reader
from streams.shadowing import Shadowing
from streams.shadows.shadow import Shadow
from streams.shared_hearing import SharedHearing
from streams.stage import Handler, LedgerStage
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
