"""Finds the policies and risk heads that are on this machine; wiring of a replay."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from schemas.topics import POLICY_ACTIVE
from streams.errors import EventError, StartError, TransientError
from streams.judge import Judge
from streams.kafka_tail import tail
from streams.policy import Policy
from streams.policy_activation import activated_policy, read_activation
from streams.replay.versions import Scorers, Version, Versions
from streams.replaying.request import Request
from streams.scorers import default_scorers
from streams.scorers.text_risk import TextRisk
from streams.settings import Settings
from streams.wiring import build_codec, build_text_risk, read_policy

Judging = tuple[Versions, Version, Judge | None]


def judging_of(request: Request, settings: Settings) -> Judging:
    """Return what judges again: the versions, today's of them, what-if's judge.

    Raises:
        StartError: a policy or a head that was named can't be read.
    """
    versions = versions_here(request, settings)
    today = Version(versions.policies[0], versions.heads[0])
    return versions, today, candidate_of(request, settings)


def candidate_of(request: Request, settings: Settings) -> Judge | None:
    """Return what-if's judge; None for a faithful replay."""
    if not request.is_what_if:
        return None
    _, scorers = _head(Path(request.heads)) if request.heads else _todays_head()
    return Judge(scorers, candidate_policy(request, settings))


def candidate_policy(request: Request, settings: Settings) -> Policy:
    """Return the policy that a what-if judges by: its own, or today's.

    Raises:
        StartError: it can't be read.
    """
    if request.policy is not None:
        return read_policy(Path(request.policy))
    return policies_here(settings, (), offline=request.capture is not None)[0]


def versions_here(request: Request, settings: Settings) -> Versions:
    """Return the policies and heads there are; today's first."""
    offline = request.capture is not None
    policies = policies_here(settings, request.known_policies, offline=offline)
    heads = [_todays_head(), *(_head(Path(path)) for path in request.known_heads)]
    return Versions(policies, dict(heads))


def policies_here(
    settings: Settings, known: Iterable[str], *, offline: bool = False
) -> list[Policy]:
    """Return today's policy, those that are named, and those that lie beside today's.

    Then, unless `offline`, those that were ever in force on policy.active.v1; where
    workers follow that topic, the one in force there is today's.

    Raises:
        StartError: today's or one that was named can't be read.
    """
    policies = [read_policy(settings.policy)]
    policies += [read_policy(Path(path)) for path in known]
    policies += _beside(settings.policy)
    activated = [] if offline else _activated(settings)
    today = activated[-1:] if settings.policy_topic else []
    return [*today, *policies, *activated]


def restricted_here(request: Request, settings: Settings) -> frozenset[str]:
    """Return which categories, in lower case, today's or what-if's policy hides."""
    paths = [settings.policy, *([Path(request.policy)] if request.policy else [])]
    return frozenset(
        category.lower() for path in paths for category in read_policy(path).restricted
    )


def _beside(policy: Path) -> Iterator[Policy]:
    """Yield the policies that lie beside today's; what can't be read is none."""
    found: Iterable[Path] = sorted(policy.parent.iterdir())
    for path in found:
        if path != policy and (path.suffix in (".yaml", ".yml") or path.is_dir()):
            with suppress(StartError):
                yield read_policy(path)


def _activated(settings: Settings) -> list[Policy]:
    """Return the policies that were in force, the latest last.

    What can't be used here is none.
    """
    codec = build_codec(settings)
    found: list[tuple[datetime, Policy]] = []
    # Who never activated one need not have the topic, nor the right to read it.
    with suppress(StartError, TransientError):
        for record in tail(settings.kafka, [POLICY_ACTIVE.name], until_end=True):
            with suppress(EventError):
                read = read_activation(codec, record)
                found.append((read.activated_at, activated_policy(read)))
    return [policy for _, policy in sorted(found, key=lambda one: one[0])]


def _todays_head() -> tuple[str, Scorers]:
    return _with(build_text_risk())


def _head(path: Path) -> tuple[str, Scorers]:
    try:
        return _with(TextRisk(path.read_bytes()))
    except OSError as error:
        raise StartError(f"{path} can't be read: {error.strerror}") from error


def _with(head: TextRisk) -> tuple[str, Scorers]:
    return head.models[0].sha256, default_scorers(head)
