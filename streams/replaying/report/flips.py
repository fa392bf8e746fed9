"""The flips that matter most, and what they are about."""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from streams.replay.tally import NO_CATEGORY
from streams.replaying.report.counts import RANK, known_action

MOST_FLIPS: Final = 50  # Shown with their evidence.
MOST_MODELS: Final = 100
Line = Mapping[str, Any]


@dataclass(slots=True)
class Flips:
    """The most consequential flips, and how many there are of each category."""

    top: list[Line] = field(default_factory=list)  # The gravest first.
    stricter: Counter[str] = field(default_factory=Counter)  # By top category.
    milder: Counter[str] = field(default_factory=Counter)
    models: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def categories(self) -> list[str]:
        """The categories of the flips; those with most first."""
        both = self.stricter + self.milder
        return [name for name, _ in both.most_common()]


def gathered(lines: Iterable[Line]) -> Flips:
    """Read lines of flips.jsonl; memory holds the top ones only.

    A flip is the graver the more steps of severity lie between its actions, then the
    surer its likeliest category; of equals the earlier. Provisional ones do not count.
    """
    flips, heap = Flips(), list[tuple[tuple[float, ...], Line]]()
    for number, line in enumerate(lines):
        then, now = line["then"], line["now"]
        if then is None or now is None or then["provisional"]:
            continue
        for model in now["models"]:
            key = model["role"], model["name"], model["sha256"]
            if key in flips.models or len(flips.models) < MOST_MODELS:
                flips.models[key] += 1
        steps = RANK[known_action(now["action"])] - RANK[known_action(then["action"])]
        if steps == 0:
            continue
        category, probability = top_score(now)
        (flips.stricter if steps > 0 else flips.milder)[category] += 1
        entry = ((abs(steps), probability, -line["time_ms"], -number), line)
        if len(heap) < MOST_FLIPS:
            heapq.heappush(heap, entry)
        else:
            heapq.heappushpop(heap, entry)
    flips.top = [line for _, line in sorted(heap, key=lambda e: e[0], reverse=True)]
    return flips


def top_score(decision: Line) -> tuple[str, float]:
    """Return a written decision's likeliest category; NO_CATEGORY and 0 for none."""
    found = [
        (score["probability"], name)
        for name, score in decision["categories"].items()
        if score["probability"] is not None
    ]
    if not found:
        return NO_CATEGORY, 0.0
    probability, name = max(found, key=lambda one: one[0])
    return name, probability
