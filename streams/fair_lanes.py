"""Chooses the bulk lane for what one uploader sends beyond their share.

A partition is a queue: ten thousand uploads of one uploader would stand before
everybody else's. So `screen` moves what is over an uploader's rate to the bulk topic,
which has few slots of its own, and the partition flows on.
"""

from collections import OrderedDict
from dataclasses import dataclass

# A bucket is two floats and a key: 10,000 of them take about 2 MB.
MOST_UPLOADERS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ms: int


class UploaderRates:
    """A token bucket for each uploader (Turner, 1986), over the events' own times.

    Times are those of the records, not of a clock: catching up on a backlog at ten
    times the speed makes nobody ten times as fast. The uploaders seen longest ago are
    forgotten, which gives them a full bucket.
    """

    def __init__(
        self, burst: int, per_s: float, most_uploaders: int = MOST_UPLOADERS
    ) -> None:
        self._burst = float(burst)
        self._per_ms = per_s / 1000
        self._most_uploaders = most_uploaders
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._now_ms = 0

    def takes(self, uploader_id: str, timestamp_ms: int) -> bool:
        """Count an upload; False when it is over the uploader's rate.

        `timestamp_ms` below what was seen before counts as that: partitions are read
        side by side, and a record without a time (-1) comes now.
        """
        self._now_ms = max(self._now_ms, timestamp_ms)
        bucket = self._buckets.get(uploader_id)
        if bucket is None:
            bucket = self._buckets[uploader_id] = _Bucket(self._burst, self._now_ms)
            if len(self._buckets) > self._most_uploaders:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(uploader_id)
        earned = (self._now_ms - bucket.at_ms) * self._per_ms
        bucket.tokens = min(self._burst, bucket.tokens + earned)
        bucket.at_ms = self._now_ms
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True
