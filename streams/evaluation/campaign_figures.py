"""How well campaigns are found: precision, recall, time to detect, cost."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import ContentSignals
from streams.campaigns import FOUND_VALUE, Campaigns, traits_of

BOOTSTRAPS: Final = 1000
CLOCK_EVERY: Final = 256  # Uploads between two looks at the clock.
WINDOW_MS: Final = 30 * 86_400_000  # As HEADGATE_CAMPAIGN_DAYS has it.
_SEED: Final = 6


@dataclass(slots=True)
class Outcome:
    """What was told of each upload, in order."""

    found: list[str | None] = field(default_factory=list)  # Campaign id, or none.
    told_after: list[int | None] = field(default_factory=list)  # Uploads seen by then.
    cpu_s: float = 0.0

    def extend(self, other: "Outcome") -> None:
        """Take in another stream's, which follows and shares no campaign with this."""
        before = len(self.found)
        self.found += [None if n is None else f"{before} {n}" for n in other.found]
        self.told_after += [
            None if at is None else before + at for at in other.told_after
        ]
        self.cpu_s += other.cpu_s


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % interval: percentiles of a bootstrap over campaigns."""

    value: float
    low: float
    high: float


def watch(campaigns: Campaigns, stream: Iterable[ContentSignals]) -> Outcome:
    """Observe a stream and note who was told, when; members are told at once.

    The clock runs while 256 uploads are observed, not while they are made.
    """
    outcome, signals = Outcome(), iter(stream)
    place_of: dict[tuple[str, int], int] = {}
    while batch := list(islice(signals, CLOCK_EVERY)):
        started_s = time.process_time()
        for one in batch:
            _observe(campaigns, one, outcome, place_of)
        outcome.cpu_s += time.process_time() - started_s
    return outcome


def _observe(
    campaigns: Campaigns,
    signals: ContentSignals,
    outcome: Outcome,
    place_of: dict[tuple[str, int], int],
) -> None:
    event, at = signals.event, len(outcome.found)
    place_of[event.content_id, event.revision] = at
    outcome.found.append(None)
    outcome.told_after.append(None)
    at_ms = int(event.event_time.timestamp() * 1000)
    joined = campaigns.observe(traits_of(signals, at_ms))
    for campaign in (joined, *campaigns.take_late()):
        if campaign is None or campaign.value < FOUND_VALUE:
            continue
        for key in campaigns.untold(campaign):
            campaigns.told(key, campaign.campaign_id)
            outcome.found[place_of[key]] = campaign.campaign_id
            outcome.told_after[place_of[key]] = at


def figures(
    outcome: Outcome, labels: Sequence[int | None], kinds: Sequence[str]
) -> dict[str, object]:
    """Return everything that is reported, as plain values.

    Args:
        outcome: of the stream.
        labels: the campaign of each upload, None for ordinary ones.
        kinds: of each upload.
    """
    told = np.array([found is not None for found in outcome.found])
    campaign = np.array([-1 if label is None else label for label in labels])
    true = campaign >= 0
    names = np.unique(campaign[true])
    sizes = np.array([np.sum(campaign == n) for n in names])
    hits = np.array([np.sum(told & (campaign == n)) for n in names])
    wrong = _wrong_groups(outcome.found, true)
    waits = np.array([_wait(outcome, campaign == n) for n in names])
    rng = np.random.default_rng(_SEED)
    draws = [rng.integers(0, len(names), len(names)) for _ in range(BOOTSTRAPS)]
    wrongs = [wrong[rng.integers(0, len(wrong), len(wrong))] for _ in draws]
    return {
        "uploads": len(told),
        "campaigns": len(names),
        "campaign_uploads": int(true.sum()),
        "told": int(told.sum()),
        "precision": _interval(
            _share(hits.sum(), wrong.sum()),
            [
                _share(hits[d].sum(), w.sum())
                for d, w in zip(draws, wrongs, strict=True)
            ],
        ),
        "recall": _interval(
            hits.sum() / sizes.sum(), [hits[d].sum() / sizes[d].sum() for d in draws]
        ),
        "found_campaigns": int(np.isfinite(waits).sum()),
        "uploads_until_found": _interval(
            float(np.median(waits)), [float(np.median(waits[d])) for d in draws]
        ),
        "found_within_8": float(np.mean(waits <= 8)),
        "ids_a_campaign": _ids_each(outcome.found, campaign, names),
        "uploads_per_s": len(told) / max(outcome.cpu_s, 1e-9),
        "recall_by_kind": _shares(told, true, kinds),
        "told_wrongly_by_kind": _wrong_by_kind(told, true, kinds),
    }


def _share(hits: float, wrong: float) -> float:
    return float(hits / (hits + wrong)) if hits + wrong else float("nan")


def _interval(value: float, draws: Sequence[float]) -> Interval:
    # Not between the two: a median may be infinite where campaigns are missed.
    low, high = np.quantile(draws, [0.025, 0.975], method="nearest")
    return Interval(float(value), float(low), float(high))


def _wrong_groups(
    found: Sequence[str | None], true: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return how many ordinary uploads each campaign id took in."""
    counts: dict[str, int] = {}
    for name, is_true in zip(found, true, strict=True):
        if name is not None and not is_true:
            counts[name] = counts.get(name, 0) + 1
    return np.array(list(counts.values()) or [0], np.int64)


def _wait(outcome: Outcome, members: NDArray[np.bool_]) -> float:
    """Return how many uploads a campaign had when the first was told."""
    places = np.flatnonzero(members)
    after = [outcome.told_after[place] for place in places.tolist()]
    times = [time for time in after if time is not None]
    return float(np.sum(places <= min(times))) if times else float("inf")


def _ids_each(
    found: Sequence[str | None], campaign: NDArray[np.int64], names: NDArray[np.int64]
) -> float:
    ids = [
        {found[place] for place in np.flatnonzero(campaign == n).tolist()} - {None}
        for n in names
    ]
    known = [len(one) for one in ids if one]
    return float(np.mean(known)) if known else float("nan")


def _shares(
    told: NDArray[np.bool_], true: NDArray[np.bool_], kinds: Sequence[str]
) -> Mapping[str, float]:
    names = np.array(kinds)
    return {
        str(kind): float(told[true & (names == kind)].mean())
        for kind in np.unique(names[true])
    }


def _wrong_by_kind(
    told: NDArray[np.bool_], true: NDArray[np.bool_], kinds: Sequence[str]
) -> Mapping[str, int]:
    wrong = np.array(kinds)[told & ~true]
    names, counts = np.unique(wrong, return_counts=True)
    return {str(n): int(c) for n, c in zip(names, counts, strict=True)}
