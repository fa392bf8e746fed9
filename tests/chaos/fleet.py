"""Worker slots: started, killed, frozen, stopped, and started again when they die."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

RESTART_AFTER_S = 0.3
STOP_WITHIN_S = 40.0  # The longest stop that is not called a hang.


class Slot:
    """One place for a worker; holds the process, its log and what it is armed with."""

    def __init__(
        self, name: str, folder: Path, environment: Mapping[str, str], stages: Sequence
    ) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        self.kill_log = folder / f"{name}.kills"
        self.kill_log.touch()
        self.wanted = False
        self._log_began = 0
        self.armed: str | None = None
        self._environment = dict(environment) | {"CHAOS_KILL_LOG": str(self.kill_log)}
        self._stages = tuple(stages)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, armed: str | None = None) -> None:
        """Start a worker, to die at a boundary if `armed` says so."""
        self.armed = armed
        self._log_began = self.log.stat().st_size if self.log.exists() else 0
        more = {"CHAOS_KILL_AT": armed} if armed else {}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.worker", *self._stages],
                env={**self._environment, **more},
                stdout=log,
                stderr=log,
            )
        # Only now: whoever brings dead workers back must not see the old process.
        self.wanted = True

    @property
    def alive(self) -> bool:
        """Say whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def ready(self) -> bool:
        """Say whether the worker that was started last has come up."""
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            return b"worker_ready" in log.read()

    def signal(self, number: int) -> None:
        """Send a signal, if there is somebody to get it."""
        if self.process is not None and self.process.poll() is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(number)

    def boundary_deaths(self) -> list[str]:
        """Return the boundaries at which workers of this slot died."""
        return self.kill_log.read_text().split()


class Fleet:
    """The slots of a run and the thread that brings dead workers back."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._environment = folder, dict(environment)
        self._lock = threading.RLock()
        self._slots: list[Slot] = []
        self._boundaries: deque[str] = deque()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.kills = 0
        self.exits: Counter[int] = Counter()  # Codes of ends that nobody asked for.
        self.stops: list[tuple[int, float]] = []  # Code and seconds of each stop.

    def slot(self, name: str, stages: Sequence[str] = (), **settings: str) -> Slot:
        """Make a slot; its worker starts when it is told to."""
        more = {f"HEADGATE_{k.upper()}": v for k, v in settings.items()}
        slot = Slot(name, self._folder, self._environment | more, stages)
        with self._lock:
            self._slots.append(slot)
        return slot

    def arm(self, boundaries: Iterable[str]) -> None:
        """Have the workers that start after a kill die at these, one each."""
        with self._lock:
            self._boundaries.extend(boundaries)

    @property
    def armed(self) -> int:
        """Return how many boundaries wait for a worker to die at them."""
        with self._lock:
            waiting = sum(slot.armed is not None for slot in self._slots)
            return len(self._boundaries) + waiting

    @property
    def boundaries_hit(self) -> Counter[str]:
        """Return at which boundaries workers died."""
        return Counter(b for slot in self._slots for b in slot.boundary_deaths())

    def stop(self, slot: Slot) -> int:
        """Ask a worker to drain and go; return its exit code, -9 for one that hung."""
        with self._lock:
            slot.wanted, process = False, slot.process
        if process is None or process.poll() is not None:
            return 0
        began = time.monotonic()
        slot.signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
        self._disarm(slot)
        if slot.boundary_deaths() and code == -signal.SIGKILL:
            self.kills += 1
        else:
            self.stops.append((code, time.monotonic() - began))
        return code

    def __enter__(self) -> "Fleet":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for slot in self._slots:
            slot.signal(signal.SIGCONT)
            slot.signal(signal.SIGKILL)
            if slot.process is not None:
                slot.process.wait()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            with self._lock:
                dead = [s for s in self._slots if s.wanted and not s.alive]
                for slot in dead:
                    self._bury(slot)
                    time.sleep(RESTART_AFTER_S)
                    slot.start(self.next_boundary())

    def _bury(self, slot: Slot) -> None:
        assert slot.process is not None
        code = slot.process.returncode
        if code == -signal.SIGKILL:
            self.kills += 1
        else:
            self.exits[code] += 1
        self._disarm(slot)

    def _disarm(self, slot: Slot) -> None:
        """Forget what a dead worker was armed with, or keep it for the next one."""
        armed, slot.armed = slot.armed, None
        if armed and armed.rpartition(":")[0] not in slot.boundary_deaths():
            self._boundaries.append(armed)

    def next_boundary(self) -> str | None:
        """Return what the next worker is to die at, if anything."""
        return self._boundaries.popleft() if self._boundaries else None
