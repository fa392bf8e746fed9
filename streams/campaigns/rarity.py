"""Knows which word pairs are rare, in bounded memory.

Three uploads of one uploader count a day: however much he sends, he makes no words
common, so that what says the same hides among them, and none rare.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.campaigns.bounds import COMMON_UPLOADERS, RARE_SHARE, WARM_UPLOADS
from streams.uploader_windows import UploaderWindows, Window, uploader_digest

_CELLS: Final = 1 << 20  # 4 MB. Pairs that share a cell seem commoner than they are.
# Uploads after which old counts are halved: what is common changes over weeks.
_HALVE_EVERY: Final = 1 << 17
_WINDOW_S: Final = 86_400.0


class Rarity:
    """Counts word pairs over uploads."""

    def __init__(self) -> None:
        self._counts = np.zeros(_CELLS, np.uint32)
        self._uploads = 0
        self._windows = UploaderWindows(_WINDOW_S, _forget)

    @property
    def is_warm(self) -> bool:
        """Whether enough was seen to say what is rare."""
        return self._uploads >= WARM_UPLOADS

    def rare(self, pairs: Sequence[int]) -> tuple[int, ...]:
        """Return those of the pairs that are rare so far."""
        if not pairs:
            return ()
        seen = self._counts[np.array(pairs, np.uint32) % _CELLS]
        most = max(self._uploads * RARE_SHARE, COMMON_UPLOADERS)
        return tuple(p for p, n in zip(pairs, seen.tolist(), strict=True) if n <= most)

    def count(self, uploader_id: str, at_s: float, pairs: Sequence[int]) -> None:
        """Learn an upload's pairs, at its event time, if it is one that counts."""
        key = uploader_digest(uploader_id)
        if not self._windows.admit(key, at_s, frozenset()):
            return
        if pairs:
            self._counts[np.array(pairs, np.uint32) % _CELLS] += 1
        self._uploads += 1
        if self._uploads >= _HALVE_EVERY:
            self._counts >>= np.uint32(1)
            self._uploads //= 2


def _forget(window: Window) -> None:
    """Let a window go; the words are counted already."""
