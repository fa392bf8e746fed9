"""Tells when a share has changed for good: Page's cumulative sum, by likelihoods."""

import math

RAISED_BY = 1024  # Uploaders remembered of a run; later ones may raise it again.


class Cusum:
    """Sums the evidence that the odds of a hit are `times` the usual ones.

    Each observation, a hit or a miss, adds its log likelihood ratio, and the sum never
    falls below 0, where a new run begins (Page, Continuous Inspection Schemes, 1954).
    While the share is the usual one, a sum of h is reached once in exp(h) observations
    at most, on average (Lorden, 1971). With `times` below 1 it looks for a fall. One
    uploader raises a run once, however often he comes.
    """

    sum: float
    hits: int  # Of this run, as is `seen`.
    seen: int
    began_s: float | None

    def __init__(self, times: float, usual: float) -> None:
        """`usual` is the share that is held against, in (0, 1)."""
        self._times = times
        self.expect(usual)
        self._restart()

    def expect(self, usual: float) -> None:
        """Hold against another share from now on; the run goes on."""
        other = self._times * usual / (1.0 - usual + self._times * usual)
        self._hit = math.log(other / usual)
        self._miss = math.log((1.0 - other) / (1.0 - usual))

    def take(self, key: bytes, at_s: float, hit: bool) -> None:
        """Take an uploader's observation."""
        evidence = self._hit if hit else self._miss
        if evidence > 0.0 and key in self._raised_by:
            return
        self.sum += evidence
        if self.sum <= 0.0:
            if self.seen:
                self._restart()
            self.sum = 0.0
            return
        if self.began_s is None:
            self.began_s = at_s
        self.hits += hit
        self.seen += 1
        if evidence > 0.0 and len(self._raised_by) < RAISED_BY:
            self._raised_by.add(key)

    def _restart(self) -> None:
        self.sum = 0.0
        self.hits = 0
        self.seen = 0
        self.began_s = None
        self._raised_by: set[bytes] = set()
