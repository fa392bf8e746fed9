"""What each fault of a plan does; one method a fault, named as in the plan."""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence

from streams.kafka_broker import KafkaBroker
from tests.chaos import broker_faults
from tests.chaos.cluster import KafkaCluster
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.media_store import FlakyMediaStore

SESSION_S = 6.0  # Kafka's default floor; a pause must be longer to count.
PAUSE_S = 1.6 * SESSION_S
DOWN_S = 4.0
FREEZE_S = 8.0
OUTAGE_S = 8.0
JOINED_S = 30.0
UP_WITHIN_S = 240.0


class Striker:
    """Does what goes wrong to the parts of a run."""

    def __init__(
        self,
        fleet: Fleet,
        slots: tuple[Slot, Slot],
        store: FlakyMediaStore,
        brokers: Sequence[KafkaBroker],
        cluster: KafkaCluster | None,
        seed: int,
        tell: Callable[[str], None],
    ) -> None:
        self._fleet, self._store, self._tell = fleet, store, tell
        self._steady, self._second = slots
        self._brokers, self._cluster = brokers, cluster
        self._random = random.Random(seed)
        self._rolled = 0

    def kills(self) -> None:
        """Kill one that works; killing one that only just starts shows little."""
        wanted = [slot for slot in (self._steady, self._second) if slot.wanted]
        slot = self._random.choice(wanted)
        wait_ready(slot)
        slot.signal(signal.SIGKILL)

    def pauses(self) -> None:
        self._steady.signal(signal.SIGSTOP)
        time.sleep(PAUSE_S)
        self._steady.signal(signal.SIGCONT)

    def joins(self) -> None:
        """Have the second worker join, or leave and join again."""
        self.leave()
        self._second.start()
        later = threading.Timer(JOINED_S, self.leave)
        later.daemon = True
        later.start()

    def rolls(self) -> None:
        """Restart one of two workers, the way a new version is rolled out."""
        slot = self._second if self._rolled % 2 else self._steady
        for other in (self._steady, self._second):
            if not other.wanted:
                other.start()
            wait_ready(other)
        self._rolled += 1
        self._fleet.stop(slot)
        slot.start()

    def leave(self) -> None:
        """Ask the second worker to go; before it is up, a signal just ends it."""
        if self._second.wanted:
            wait_ready(self._second)
            self._fleet.stop(self._second)

    def broker_restarts(self) -> None:
        broker_faults.restart(self._a_broker(), DOWN_S)

    def power_cuts(self) -> None:
        broker_faults.power_cut(self._a_broker(), DOWN_S)

    def broker_freezes(self) -> None:
        broker_faults.freeze(self._a_broker(), FREEZE_S)

    def slow_brokers(self) -> None:
        broker_faults.slow(self._a_broker(), FREEZE_S)

    def full_disks(self) -> None:
        halted = broker_faults.disk_full(self._a_broker(), DOWN_S)
        self._tell(f"the broker {'halted' if halted else 'went on'} on a full disk")

    def media_outages(self) -> None:
        self._store.failing = True
        time.sleep(OUTAGE_S)
        self._store.failing = False

    def _a_broker(self) -> KafkaBroker:
        """Choose one; of three, only once the others hold every copy."""
        if self._cluster is not None:
            self._cluster.wait_in_sync()
        return self._random.choice(self._brokers)


def wait_ready(slot: Slot) -> None:
    """Wait until the worker of a slot has loaded its models and runs."""
    until = time.monotonic() + UP_WITHIN_S
    while not slot.ready():
        if time.monotonic() > until:
            raise TimeoutError(f"no worker came up: {slot.log.read_text()[-2000:]}")
        time.sleep(0.2)
