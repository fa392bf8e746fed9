"""How the chaos worker may differ from the real one: cheap models, a planted bug."""

import os
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import streams.app
import streams.worker
from encoders.signals import ModelIdentity
from streams import speech_wiring, wiring
from streams.commits import Committer
from streams.messages import Record
from tests.fakes import FakeSpeechEngine, FakeTextEncoder
from tests.long_sound import CountingEngine

KILLER = "a text at which the model's library crashes"


class CheapTextEncoder(FakeTextEncoder):
    """Embeds by hash, under the name of the model that the risk head was trained on."""

    def __init__(self, model: ModelIdentity, pause: Callable[[], None]) -> None:
        self.model, self._pause = model, pause

    def embed(self, texts: Any) -> Any:
        """Return the rows after a pause that stands for the model's work."""
        if KILLER in texts:
            os.kill(os.getpid(), signal.SIGSEGV)  # As a decoder's fault would.
        self._pause()
        return super().embed(texts)


def cheap_models(pause: Callable[[], None]) -> None:
    """Have the wiring give models that start at once; what they say never changes."""
    head = wiring.build_text_risk()._head
    identity = ModelIdentity("text", head.encoder_name, head.encoder_sha256)
    wiring.build_text_encoder = lambda *_: CheapTextEncoder(identity, pause)
    speech_wiring.build_transcriber = lambda *_, **__: FakeSpeechEngine()


def counting_speech(log: Path, window_ms: float) -> None:
    """Have the wiring give an engine that counts windows, each of which takes long."""
    speech_wiring.build_transcriber = lambda *_, **__: CountingEngine(log, window_ms)


class EarlyStage:
    """A stage that notes an event's position when it comes, not when it is done."""

    def __init__(self, stage: Any, committer: Committer) -> None:
        self._stage, self._committer = stage, committer

    async def admit(self, record: Record) -> None:
        """The bug: finished before it began."""
        self._committer.note((record.topic, record.partition), record.offset + 1)
        await self._stage.admit(record)

    async def drain(self, timeout_s: float) -> int:
        """Drain as the real one."""
        given_up: int = await self._stage.drain(timeout_s)
        return given_up

    async def revoke(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Revoke as the real one."""
        await self._stage.revoke(partitions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stage, name)


def commit_early() -> None:
    """Plant the defect that loses events when a worker is killed: in every stage."""
    build, note = streams.app.build_app, Committer.note

    def building(*values: Any, **named: Any) -> Any:
        given = [*values, *named.values()]
        committer = next(v for v in given if isinstance(v, Committer))

        def early(value: Any) -> Any:
            is_stage = hasattr(value, "admit")
            return EarlyStage(value, committer) if is_stage else value

        changed = {name: early(value) for name, value in named.items()}
        return build(*map(early, values), **changed)

    def never_back(
        self: Committer, partition: tuple[str, int], next_offset: int
    ) -> None:
        if next_offset >= self._next.get(partition, 0):
            note(self, partition, next_offset)

    streams.worker.build_app = building
    Committer.note = never_back
