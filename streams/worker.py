"""`headgate worker`: builds the stages it was asked for, runs them until a signal."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from schemas.codec import Codec
from streams.agents import ScreenHandler, TranscribeHandler, off_the_loop
from streams.app import HeadgateApp, Stage, build_app, group_of
from streams.batch_judge import BatchJudging, history_output
from streams.batcher import Batcher
from streams.broker_check import check_broker
from streams.commits import Committer
from streams.dead_letters import DeadLetters
from streams.judge import Judge
from streams.judge_stage import JudgeStage
from streams.judging import PartitionJudge
from streams.ledger import TopicPartition
from streams.listen import Listening
from streams.outbox import LedgerOutbox, Outbox
from streams.producer import DeliveringProducer
from streams.restoring import history_reader
from streams.settings import Settings
from streams.stage import Handler, LedgerStage
from streams.telemetry import EventLog
from streams.transactions import TransactionalOutbox
from streams.understand import Understanding
from streams.wiring import (
    build_codec,
    build_judge,
    build_listening,
    build_store,
    build_understanding,
)

STAGES = ("screen", "transcribe", "judge")
EXAMINE_THREADS = 2  # Decoding releases the GIL; more threads than cores gain nothing.


class Worker:
    """Everything one worker process holds, from models to agents."""

    def __init__(self, settings: Settings, stages: Sequence[str]) -> None:
        self._settings = settings
        self._names = tuple(stages)
        self._log = EventLog()
        broker = check_broker(settings.bootstrap_servers, settings.judge_mode)
        self._max_message_bytes = broker.max_message_bytes
        self._codec: Codec = build_codec(settings)
        # Models first: a worker that can't load them must not join the group.
        self._understanding: Understanding | None = None
        self._listening: Listening | None = None
        self._judge: Judge | None = None
        if {"screen", "transcribe"} & set(stages):
            self._understanding = build_understanding(settings)
        if "transcribe" in stages and self._understanding is not None:
            self._listening = build_listening(settings, self._understanding)
        if "judge" in stages:
            self._judge = build_judge(settings, self._understanding)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT, then drain and leave the group."""
        producer = DeliveringProducer(
            self._settings.bootstrap_servers,
            message_max_bytes=self._max_message_bytes,
        )
        apps = [self._app(name, producer) for name in self._names]
        self._log.note("worker_starting", stages=self._names)
        try:
            await _run_apps(apps, self._log)
        finally:
            await asyncio.to_thread(producer.close)

    def _app(self, name: str, producer: DeliveringProducer) -> HeadgateApp:
        committer = Committer()
        stage = self._stage(name, producer, committer)
        return build_app(self._settings, name, stage, committer)

    def _stage(
        self, name: str, producer: DeliveringProducer, committer: Committer
    ) -> Stage:
        group = group_of(self._settings, name)
        letters = DeadLetters(name, group, self._settings.dead_letter_limit)
        if name == "judge":
            return self._judge_stage(letters, producer, committer)
        handler = self._screen() if name == "screen" else self._transcribe()
        return LedgerStage(
            name,
            handler,
            producer,
            letters,
            committer,
            in_flight=self._settings.in_flight,
            attempts=self._settings.retry_attempts,
            log=self._log,
        )

    def _screen(self) -> Handler:
        assert self._understanding is not None
        settings = self._settings
        text_thread = ThreadPoolExecutor(1, "text")
        return ScreenHandler(
            codec=self._codec,
            store=build_store(settings),
            understanding=self._understanding,
            examine_pool=ThreadPoolExecutor(EXAMINE_THREADS, "examine"),
            embed=Batcher(
                off_the_loop(self._understanding.embed, text_thread),
                size=settings.batch_size,
                wait_s=settings.batch_wait_ms / 1000,
            ),
            provisional_after_s=settings.provisional_after_s,
        )

    def _transcribe(self) -> Handler:
        assert self._listening is not None
        settings = self._settings
        speech_thread = ThreadPoolExecutor(1, "speech")
        return TranscribeHandler(
            codec=self._codec,
            store=build_store(settings),
            listen=Batcher(
                off_the_loop(self._listening.transcribe, speech_thread),
                size=settings.transcribe_batch_size,
                wait_s=settings.batch_wait_ms / 1000,
            ),
        )

    def _judge_stage(
        self,
        letters: DeadLetters,
        producer: DeliveringProducer,
        committer: Committer,
    ) -> JudgeStage:
        assert self._judge is not None
        settings = self._settings
        judging = BatchJudging(self._judge, self._codec, letters, self._log)
        restore = history_reader(settings.bootstrap_servers)

        def make_partition(
            source: TopicPartition, release: Callable[[int], None]
        ) -> PartitionJudge:
            return PartitionJudge(
                source,
                outbox=self._outbox(source, producer, committer),
                restore=restore,
                judge=judging,
                history_output=history_output,
                release_slots=release,
                batch_size=settings.batch_size,
                batch_wait_s=settings.batch_wait_ms / 1000,
                log=self._log,
            )

        return JudgeStage(make_partition, settings.in_flight)

    def _outbox(
        self,
        source: TopicPartition,
        producer: DeliveringProducer,
        committer: Committer,
    ) -> Outbox:
        if self._settings.judge_mode == "ledger":
            return LedgerOutbox(source, producer, committer)
        return TransactionalOutbox(
            source,
            bootstrap_servers=self._settings.bootstrap_servers,
            group_id=group_of(self._settings, "judge"),
            max_message_bytes=self._max_message_bytes,
        )


def run_worker(settings: Settings, stages: Sequence[str] = STAGES) -> None:
    """Run a worker until a signal; blocks.

    Raises:
        StartError: a model, the policy or the registry can't be used.
    """
    worker = Worker(settings, stages)
    asyncio.run(worker.run())


async def _run_apps(apps: Sequence[HeadgateApp], log: EventLog) -> None:
    """Start Faust and wait for a signal; anything else that ends it is a fault."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    await asyncio.gather(*(app.start() for app in apps))
    log.note("worker_ready")
    signalled = asyncio.create_task(stop.wait())
    ended = [asyncio.create_task(app.wait_until_stopped()) for app in apps]
    await asyncio.wait({signalled, *ended}, return_when=asyncio.FIRST_COMPLETED)
    if not signalled.done():
        crashed = next((a.crash_reason for a in apps if a.crash_reason), None)
        log.fatal("worker", crashed or RuntimeError("Faust stopped by itself"))
    log.note("worker_stopping")
    await asyncio.gather(*(app.stop() for app in apps))
    for task in ended:
        task.cancel()
