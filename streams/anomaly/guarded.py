"""Guards between events and a detector: what it may learn from, and how much.

A detector that learns from all it sees can be taught that an attack is normal (Kloft
and Laskov, Online Anomaly Detection under Adversarial Impact, AISTATS 2010). Three
guards: nothing is learned from what was just blocked, a key (an uploader) teaches at
most a few times a window, and one value moves the baseline by at most a bounded step.

    guarded = Guarded(Stepped(detector, BoundedStep()), KeyCap(per_window=20))
    score = guarded.score(at_s, value)
    lesson = guarded.learn(at_s, value, key=uploader_id, blocked=action == "block")
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic

from streams.anomaly.base import Detector, Point, State
from streams.anomaly.key_cap import KeyCap
from streams.anomaly.state import take_state

VERSION = 1


class Lesson(StrEnum):
    """What became of a point that was offered for learning."""

    LEARNED = "learned"
    BLOCKED = "blocked"
    CAPPED = "capped"


@dataclass(slots=True)
class Guarded(Generic[Point]):
    """A detector that learns nothing of what was blocked, and little from one key."""

    detector: Detector[Point]
    cap: KeyCap = field(default_factory=KeyCap)
    lessons: Counter[str] = field(default_factory=Counter)  # By `Lesson`, for metrics.

    def score(self, at_s: float, point: Point) -> float:
        """Return the detector's score in [0, 1]; changes nothing."""
        return self.detector.score(at_s, point)

    def learn(self, at_s: float, point: Point, key: str, blocked: bool) -> Lesson:
        """Learn the point unless its upload was blocked or its key taught enough.

        Returns what became of it; the same is counted in `lessons`.
        """
        lesson = self._lesson(at_s, key, blocked)
        if lesson is Lesson.LEARNED:
            self.cap.count(at_s, key)
            self.detector.learn(at_s, point)
        self.lessons[lesson] += 1
        return lesson

    def save(self) -> State:
        """Return the state as JSON values, without `lessons`, which are a metric."""
        return {
            "version": VERSION,
            "detector": self.detector.save(),
            "cap": self.cap.save(),
        }

    def load(self, state: State) -> None:
        """Continue from a saved state; raises StateError if it is not one."""
        found = take_state("Guarded", state, VERSION, ("detector", "cap"))
        self.detector.load(found["detector"])
        self.cap.load(found["cap"])

    def _lesson(self, at_s: float, key: str, blocked: bool) -> Lesson:
        if blocked:
            return Lesson.BLOCKED
        return Lesson.LEARNED if self.cap.admits(at_s, key) else Lesson.CAPPED
