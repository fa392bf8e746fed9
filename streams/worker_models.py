"""The models of one worker: loaded before it joins any group, closed at its end."""

from collections.abc import Sequence
from dataclasses import dataclass

from encoders.banks import BankSource
from schemas.codec import Codec
from streams.bank_follower import BankFollower
from streams.errors import StartError, TransientError
from streams.judge import Judge
from streams.listen import Listening
from streams.policy_follower import PolicyFollower
from streams.settings import Settings
from streams.shadow_wiring import build_shadows
from streams.shadows.shadow import Shadow
from streams.speech_wiring import build_lanes
from streams.telemetry import EventLog
from streams.understand import Understanding
from streams.wiring import (
    build_judge,
    build_understanding,
    read_banks,
)


@dataclass(frozen=True, slots=True)
class Models:
    """What a worker's stages have loaded; None and empty where no stage needs it."""

    understanding: Understanding | None
    listenings: tuple[Listening, ...]  # One for each lane of `transcribe`.
    judge: Judge | None
    banks: tuple[BankSource, ...] = ()
    follower: BankFollower | None = None
    policies: PolicyFollower | None = None
    shadows: tuple[Shadow, ...] = ()  # Beside `judge`.

    def problems(self) -> list[str]:
        """Return why no work should be expected of them now."""
        followers = (self.follower, self.policies)
        return [p for one in followers if one is not None for p in one.problems()]

    def close(self) -> None:
        """End the processes that models and decoders run in."""
        if self.understanding is not None:
            self.understanding.reader.close()
        if self.follower is not None:
            self.follower.close()
        if self.policies is not None:
            self.policies.close()


def load_models(
    settings: Settings, stages: Sequence[str], codec: Codec, log: EventLog
) -> Models:
    """Load what these stages need; banks on their topic are read to its end.

    Raises:
        StartError: something can't be had.
    """
    understanding = judge = None
    listenings: tuple[Listening, ...] = ()
    follower, banks = None, read_banks(settings)
    if settings.bank_topic and {"screen", "judge"} & set(stages):
        follower = _follower(settings, codec, log)
        banks = (*banks, follower)
    if {"screen", "transcribe"} & set(stages):
        understanding = build_understanding(settings, banks=banks)
    if "transcribe" in stages and understanding is not None:
        listenings = build_lanes(settings, understanding)
    policies = None
    shadows: tuple[Shadow, ...] = ()
    if "judge" in stages:
        shadows = build_shadows(settings)
        judge = build_judge(settings, understanding)
        policies = _policies(settings, codec, log) if settings.policy_topic else None
        if policies is not None and policies.policy is not None:
            judge = judge.under(policies.policy)
    return Models(understanding, listenings, judge, banks, follower, policies, shadows)


def _policies(settings: Settings, codec: Codec, log: EventLog) -> PolicyFollower:
    try:
        return PolicyFollower(settings.kafka, codec, log.note)
    except TransientError as error:
        raise StartError(str(error)) from error


def _follower(settings: Settings, codec: Codec, log: EventLog) -> BankFollower:
    try:
        return BankFollower(settings.kafka, codec, log.note)
    except TransientError as error:
        raise StartError(str(error)) from error
