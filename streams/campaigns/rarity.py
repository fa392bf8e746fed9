"""Knows which word pairs are rare, in bounded memory."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.campaigns.bounds import RARE_SHARE, WARM_UPLOADS

_CELLS: Final = 1 << 20  # 4 MB. Pairs that share a cell seem commoner than they are.
# Uploads after which old counts are halved: what is common changes over weeks.
_HALVE_EVERY: Final = 1 << 17


class Rarity:
    """Counts word pairs over uploads."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CELLS, np.uint32)
        self._uploads = 0

    @property
    def is_warm(self) -> bool:
        """Whether enough was seen to say what is rare."""
        return self._uploads >= WARM_UPLOADS

    def rare(self, pairs: Sequence[int]) -> tuple[int, ...]:
        """Return those of the pairs that are rare so far."""
        if not pairs:
            return ()
        seen = self._counts[np.array(pairs, np.uint32) % _CELLS]
        most = max(self._uploads, WARM_UPLOADS) * RARE_SHARE
        return tuple(p for p, n in zip(pairs, seen.tolist(), strict=True) if n <= most)

    def count(self, pairs: Sequence[int]) -> None:
        """Learn an upload's pairs."""
        if pairs:
            self._counts[np.array(pairs, np.uint32) % _CELLS] += 1
        self._uploads += 1
        if self._uploads >= _HALVE_EVERY:
            self._counts >>= np.uint32(1)
            self._uploads //= 2
