"""Whether a worker lives and is ready: judged from what its loop last told.

The event loop tells (`tick`), and a thread of the watchdog asks, so that a loop that
hangs is seen too. Nothing here fails for want of a broker: restarting a worker mends
no broker, and restarts of all workers at once make it worse.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

# A tick comes each second. No work of ours holds the loop for 50 ms; a machine under
# load may hold it for a second or two.
LATE_TICK_S = 10.0
# Twice the longest session timeout in use: a join that takes longer never comes.
JOIN_S = 120.0


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane of a stage, as it was at the last tick."""

    stage: str
    lane: str
    in_flight: int
    head_age_s: float
    stuck_after_s: float

    @property
    def stuck(self) -> str | None:
        """Say what is stuck; None if nothing is."""
        if self.head_age_s <= self.stuck_after_s:
            return None
        return (
            f"{self.stage} ({self.lane} lane): its oldest event has not moved on for "
            f"{self.head_age_s:.0f} s, expected at most {self.stuck_after_s:.0f} s"
        )


class Health:
    """What is known of the worker's state; safe to ask from any thread."""

    def __init__(
        self,
        groups: Iterable[str],
        clock_s: Callable[[], float] = monotonic,
        others: Callable[[], list[str]] = list,
    ) -> None:
        """`others` tells of problems beside the groups; asked from any thread."""
        self._others = others
        self._clock_s = clock_s
        self._lanes: tuple[LaneState, ...] = ()
        now_s = clock_s()
        self._outside_since_s: dict[str, float | None] = dict.fromkeys(groups, now_s)
        self._joined_once: set[str] = set()
        self._tick_at_s = now_s
        self.ticks = 0
        self.stopping = False

    def tick(self, lanes: Iterable[LaneState], joined: dict[str, bool]) -> None:
        """Tell how it goes; called on the event loop, each second.

        `joined` says for each consumer group whether we are a member of it now.
        """
        now_s = self._clock_s()
        for group, inside in joined.items():
            if inside:
                self._joined_once.add(group)
                self._outside_since_s[group] = None
            elif self._outside_since_s[group] is None:
                self._outside_since_s[group] = now_s
        self._lanes = tuple(lanes)
        self._tick_at_s = now_s
        self.ticks += 1

    def live_problems(self) -> list[str]:
        """Return why the process should be ended at once; empty while it lives."""
        late_s = self._clock_s() - self._tick_at_s
        if late_s > LATE_TICK_S:
            return [f"the event loop has not run for {late_s:.0f} s"]
        return []

    def stuck_problems(self) -> list[str]:
        """Return what no longer moves: ours to mend only if the broker answers.

        An event that never ends, or a group that we have been outside of for too long.
        The second is what a zombie looks like: aiokafka left the group or can't join
        it, and nothing ever comes again (faust.md F14, F15).
        """
        now_s = self._clock_s()
        outside = [
            f"outside the consumer group {group} for {now_s - since_s:.0f} s"
            for group, since_s in self._outside_since_s.items()
            if since_s is not None and now_s - since_s > JOIN_S
        ]
        return [lane.stuck for lane in self._lanes if lane.stuck] + outside

    def ready_problems(self) -> list[str]:
        """Return why no work should be expected of this worker now."""
        problems = ["it is stopping"] if self.stopping else []
        for group, since_s in self._outside_since_s.items():
            if group not in self._joined_once:
                problems.append(f"not yet in the consumer group {group}")
            elif since_s is not None:
                problems.append(f"not in the consumer group {group}")
        return [
            *problems,
            *self._others(),
            *self.live_problems(),
            *self.stuck_problems(),
        ]
