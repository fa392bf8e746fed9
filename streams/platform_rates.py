"""Follows how large a share of all uploads meets each harm and action; finds steps.

For operators only: an incident (a spam wave, a model gone wrong) shows as a step over
all uploaders, which no uploader's own history shows. Pure; nothing here decides.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from streams.cusum import Cusum
from streams.uploader_windows import UploaderWindows, Window, uploader_digest

# A step is the odds tripled, or a third of them: a share that swings by half over a day
# is none.
STEP_ODDS = 3.0
# Evidence at which a step is told, in nats: once in a million uploads at most by
# Lorden's bound, for each series in each direction.
EVIDENCE = 14.0
GRACE_UPLOADS = 2000  # Counted in closed windows, before anything is told.
MEMORY_UPLOADS = 20_000  # The usual share is that of about so many …
MOST_OF_A_WINDOW = 1000  # … and one window moves it as so many of them at most.
LEAST_SHARE = 0.001  # Below, a handful of hits would be a step.


@dataclass(frozen=True, slots=True)
class Step:
    """A share that changed for good."""

    series: str
    old_rate: float  # Shares of uploads that count, in [0, 1].
    new_rate: float
    since_s: float  # Event time at which the change began to show, seconds since 1970.
    uploads: int  # Counted since then.


@dataclass(slots=True)
class _Series:
    """One share: what is usual, and the evidence against it."""

    name: str
    hits: float = 0.0
    seen: float = 0.0
    told_at: int | None = None  # Uploads that had counted when the last step was told.
    up: Cusum | None = None
    down: Cusum | None = None

    @property
    def rate(self) -> float:
        return self.hits / self.seen if self.seen else 0.0

    def learn(self, window: Window, number: int) -> None:
        """Take a window into what is usual, unless it is under suspicion.

        Nor if it began before the last step: it would teach what is over.
        """
        if self.told_at is not None and window.opened < self.told_at:
            return
        if any(c and c.sum > EVIDENCE / 2 for c in (self.up, self.down)):
            return
        scale = min(1.0, MOST_OF_A_WINDOW / window.seen)
        self.hits += window.hits.get(number, 0) * scale
        self.seen += window.seen * scale
        if self.seen > MEMORY_UPLOADS:
            self.hits *= MEMORY_UPLOADS / self.seen
            self.seen = MEMORY_UPLOADS
        self.arm()

    def arm(self) -> None:
        """Hold what comes against the usual share, and doubt that share itself.

        By two standard errors of its count and two hits more, in the direction that
        makes a step harder to find.
        """
        if self.seen < GRACE_UPLOADS and self.told_at is None:
            return
        doubt = 2.0 * math.sqrt(self.hits + 1.0) + 2.0
        high = max(LEAST_SHARE, (self.hits + doubt) / self.seen)
        low = (self.hits - doubt) / self.seen
        # Next to 0 or 1 there is no room for a step that way.
        can_rise, can_fall = high < 1.0 - 1 / STEP_ODDS, low > LEAST_SHARE
        self.up = _expecting(self.up, STEP_ODDS, high) if can_rise else None
        self.down = _expecting(self.down, 1 / STEP_ODDS, low) if can_fall else None

    def take(self, key: bytes, at_s: float, hit: bool, counted: int) -> Step | None:
        """Take one upload that counts, after as many in all as `counted`."""
        for cusum in (self.up, self.down):
            if cusum is not None:
                cusum.take(key, at_s, hit)
                if cusum.sum >= EVIDENCE:
                    return self._step(cusum, counted)
        return None

    def _step(self, cusum: Cusum, counted: int) -> Step:
        """Tell the step, and hold what comes against the new share from now on."""
        new_rate = cusum.hits / cusum.seen
        since_s = cusum.began_s or 0.0
        step = Step(self.name, self.rate, new_rate, since_s, cusum.seen)
        self.hits, self.seen = float(cusum.hits), float(cusum.seen)
        self.told_at = counted
        self.up = self.down = None
        self.arm()
        return step


class PlatformRates:
    """The shares of some series, each found or not found in every upload.

    Of one uploader three uploads count in a window, and a run of evidence takes one of
    them; so no uploader raises a step, or moves what is usual by more than three
    uploads a window, whatever he sends. A window that ends when the evidence is halfway
    to a step teaches nothing. After a step the new share is the usual one, so the end
    of an incident is a step too.

    Bounded: 2.5 MB of windows, and 0.2 MB a series. On made-up traffic one false step
    in a million stationary uploads over thirteen shares (0.1 in 100,000), and a share
    that grew five times was told after 41 uploads from 10 %, 67 from 5 %, 354 from 1 %
    and 1,299 from 0.5 %, the middle one of five; one of 0.05 % not within 10,000
    (`python -m tests.streams.platform_traffic 1000000 100`).
    """

    def __init__(self, series: Sequence[str], window_s: float) -> None:
        self._series = [_Series(name) for name in series]
        self._numbers = {name: number for number, name in enumerate(series)}
        self._windows = UploaderWindows(window_s, self._learn)

    def observe(
        self, uploader_id: str, at_s: float, hits: Iterable[str]
    ) -> tuple[bool, list[Step]]:
        """Take one upload, at its event time, with the series it hits.

        Returns:
            Whether it counts, and the steps it shows.

        Raises:
            KeyError: a hit is none of the series.
        """
        key = uploader_digest(uploader_id)
        found = frozenset(self._numbers[name] for name in hits)
        if not self._windows.admit(key, at_s, found):
            return False, []
        taken = (
            series.take(key, at_s, number in found, self._windows.counted)
            for number, series in enumerate(self._series)
        )
        return True, [step for step in taken if step is not None]

    def rates(self) -> dict[str, float]:
        """Return what is usual: for each series the share of uploads."""
        return {series.name: series.rate for series in self._series}

    def _learn(self, window: Window) -> None:
        for number, series in enumerate(self._series):
            series.learn(window, number)


def _expecting(cusum: Cusum | None, times: float, usual: float) -> Cusum:
    """Return the same evidence, held against a share that was learned anew."""
    if cusum is None:
        return Cusum(times, usual)
    cusum.expect(usual)
    return cusum
