"""A stage's lane, and what all lanes of a worker are made from; wiring."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from schemas.codec import Codec
from streams.app import group_of
from streams.batcher import Batcher
from streams.commits import Committer
from streams.crash_guard import Guard
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge_stage import JudgeStage
from streams.media import MediaStore
from streams.metrics import Metrics
from streams.model_threads import off_the_loop
from streams.settings import Settings
from streams.stage import Handler, LedgerStage, Producer
from streams.telemetry import EventLog

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
