"""Which fault comes when: drawn from a seed, spread over the time of production."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

# How often a boundary is passed before the worker dies there: rare ones at once.
PASSINGS = {"screen": 40, "transcribe": 1, "judge": 4}
ONCE = ("opening", "restoring", "committed")


@dataclass(frozen=True, slots=True)
class Plan:
    """How often each fault strikes."""

    kills: int = 14  # From outside; as many follow at boundaries.
    pauses: int = 2
    joins: int = 3
    broker_restarts: int = 3
    power_cuts: int = 1
    broker_freezes: int = 1
    slow_brokers: int = 1
    full_disks: int = 1
    media_outages: int = 2
    rolls: int = 0  # A worker restarted by SIGTERM, the other one going on.


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and its time, in seconds from the first event."""

    at_s: float
    name: str


def faults(seed: int, plan: Plan, over_s: float) -> list[Fault]:
    """Draw an order and a time for every fault of a plan."""
    draw = random.Random(seed)
    names = [
        name
        for name in Plan.__dataclass_fields__
        for _ in range(getattr(plan, name))
        if name != "kills"
    ]
    draw.shuffle(names)
    slots = len(names) + plan.kills
    # Kills are spread evenly: the boundaries need events, up to the end.
    ordered = [
        "kills" if _rises(plan.kills, slots, n) else names.pop() for n in range(slots)
    ]
    step_s = 0.92 * over_s / max(1, slots)
    return [
        Fault(0.03 * over_s + (n + draw.random()) * step_s, name)
        for n, name in enumerate(ordered)
    ]


def armed(seed: int, boundaries: Sequence[str], count: int) -> list[str]:
    """Choose `count` boundaries, each with the passing at which the worker dies."""
    draw = random.Random(seed + 1)
    chosen = draw.sample(boundaries, min(count, len(boundaries)))
    return [f"{one}:{draw.randint(1, _passings(one))}" for one in chosen]


def _passings(boundary: str) -> int:
    stage, _, name = boundary.partition(":")
    return 1 if name in ONCE else PASSINGS[stage]


def _rises(share: int, whole: int, n: int) -> bool:
    """Say whether the nth of `whole` places is one of `share` that are spread out."""
    return (n + 1) * share // whole > n * share // whole
