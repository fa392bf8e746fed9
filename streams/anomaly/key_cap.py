"""How many lessons one key may teach within a window of time."""

import math
from dataclasses import dataclass, field
from hashlib import blake2b

from streams.anomaly.base import State
from streams.anomaly.state import take_state

VERSION = 1
HOUR_S = 3600.0


@dataclass(slots=True)
class KeyCap:
    """At most `per_window` lessons of one key within a window of event time.

    Counts are a sketch of fixed size (Cormode and Muthukrishnan, An Improved Data
    Stream Summary: The Count-Min Sketch, 2005): it may count a key too high when many
    keys are about, never too low, so the cap always holds, also against a flood of
    keys. No key is kept. Windows are fixed: up to twice the cap may fall round a
    boundary. A late event counts in the newest window, as does a time that is no
    number. `at_s` must be a time that the caller has checked: one far ahead would close
    the window for all that are in time.
    """

    per_window: int = 20
    window_s: float = HOUR_S
    seed: int = 0
    width: int = 2048  # Too high by over 0.13 % of a window's lessons: e/width.
    rows: int = 3  # … with probability e**-3, for one key.
    _window: int | None = None
    _counts: dict[int, int] = field(default_factory=dict)  # Sparse; rows * width cells.

    def __post_init__(self) -> None:
        """Refuse sizes that would admit nothing or everything."""
        if self.per_window < 1 or not 0 < self.window_s < math.inf:
            raise ValueError(
                f"KeyCap: per_window={self.per_window}, window_s={self.window_s}; "
                "expected at least 1 and a positive number of seconds"
            )

    def admits(self, at_s: float, key: str) -> bool:
        """Tell whether the key may teach once more; changes nothing."""
        if self._number(at_s) != self._window:
            return True
        return self._seen(self._cells(key)) < self.per_window

    def count(self, at_s: float, key: str) -> None:
        """Count one lesson of the key."""
        number = self._number(at_s)
        if number != self._window:
            self._window = number
            self._counts.clear()
        cells = self._cells(key)
        least = self._seen(cells)
        for cell in cells:  # Conservative update: only the lowest grow.
            if self._counts.get(cell, 0) == least:
                self._counts[cell] = least + 1

    def save(self) -> State:
        """Return the state as JSON values, of at most rows * width counts."""
        counts = [[cell, seen] for cell, seen in sorted(self._counts.items())]
        return {"version": VERSION, "window": self._window, "counts": counts}

    def load(self, state: State) -> None:
        """Continue from a saved state; raises StateError if it is not one."""
        found = take_state("KeyCap", state, VERSION, ("window", "counts"))
        self._window = found["window"]
        self._counts = {cell: seen for cell, seen in found["counts"]}

    def _number(self, at_s: float) -> int:
        newest = self._window
        if not math.isfinite(at_s):
            return 0 if newest is None else newest
        number = math.floor(at_s / self.window_s)
        return number if newest is None else max(number, newest)

    def _seen(self, cells: tuple[int, ...]) -> int:
        return min(self._counts.get(cell, 0) for cell in cells)

    def _cells(self, key: str) -> tuple[int, ...]:
        salt = self.seed.to_bytes(8, "little", signed=True)
        # A keyed hash: without the seed nobody finds keys that share another's cells.
        data = key.encode("utf-8", "surrogatepass")
        digest = blake2b(data, digest_size=4 * self.rows, key=salt).digest()
        parts = (digest[4 * row : 4 * row + 4] for row in range(self.rows))
        return tuple(
            row * self.width + int.from_bytes(part, "little") % self.width
            for row, part in enumerate(parts)
        )
