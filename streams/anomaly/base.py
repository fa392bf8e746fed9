"""What every detector can do."""

from typing import Any, Protocol, TypeVar

State = dict[str, Any]  # JSON values.
Point = TypeVar("Point", contravariant=True)


class Detector(Protocol[Point]):
    """Scores how unusual a point is; a univariate point is a float."""

    def score(self, at_s: float, point: Point) -> float:
        """Return how unusual the point is, in [0, 1]; changes nothing."""
        ...

    def learn(self, at_s: float, point: Point) -> None:
        """Take the point into the baseline."""
        ...

    def save(self) -> State:
        """Return the whole state as JSON values."""
        ...

    def load(self, state: State) -> None:
        """Continue from a saved state; raises StateError if it is not one."""
        ...
