"""The models of one worker: loaded before it joins any group, closed at its end."""

from collections.abc import Sequence
from dataclasses import dataclass

from streams.judge import Judge
from streams.listen import Listening
from streams.settings import Settings
from streams.understand import Understanding
from streams.wiring import build_judge, build_listening, build_understanding


@dataclass(frozen=True, slots=True)
class Models:
    """What a worker's stages have loaded; None and empty where no stage needs it."""

    understanding: Understanding | None
    listenings: tuple[Listening, ...]  # One for each lane of `transcribe`.
    judge: Judge | None

    def close(self) -> None:
        """End the processes that models and decoders run in."""
        if self.understanding is not None:
            self.understanding.reader.close()


def load_models(settings: Settings, stages: Sequence[str]) -> Models:
    """Load what these stages need.

    Raises:
        StartError: something can't be had.
    """
    understanding = judge = None
    listenings: tuple[Listening, ...] = ()
    if {"screen", "transcribe"} & set(stages):
        understanding = build_understanding(settings)
    if "transcribe" in stages and understanding is not None:
        # A model hears one batch at a time, and lanes must not wait for each other.
        main, bulk = (build_listening(settings, understanding) for _ in range(2))
        listenings = (main, bulk)
    if "judge" in stages:
        judge = build_judge(settings, understanding)
    return Models(understanding, listenings, judge)
