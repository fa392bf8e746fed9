"""What can go wrong with a broker, done to a real one."""

import os
import resource
import signal
import time
from contextlib import suppress

from streams.errors import StartError
from streams.kafka_broker import KafkaBroker

START_TRIES = 3  # On a busy machine the first may not come up in time.
DIES_WITHIN_S = 60.0


def restart(broker: KafkaBroker, down_s: float) -> None:
    """Stop it cleanly, leave it away for a while, start it."""
    broker.stop()
    time.sleep(down_s)
    start(broker)


def power_cut(broker: KafkaBroker, down_s: float) -> None:
    """Kill it, leave it away, start it on what its disk has."""
    broker.kill()
    time.sleep(down_s)
    start(broker)


def freeze(broker: KafkaBroker, for_s: float) -> None:
    """Hold it still: connections stay open and nothing answers."""
    _signal(broker, signal.SIGSTOP)
    time.sleep(for_s)
    _signal(broker, signal.SIGCONT)


def slow(broker: KafkaBroker, for_s: float) -> None:
    """Let it run a fifth of the time, so that every produce takes long."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        freeze(broker, 0.8)
        time.sleep(0.2)


def disk_full(broker: KafkaBroker, down_s: float) -> bool:
    """Refuse it every further byte on disk; bring it back with room again.

    The limit on file size does it without a file system of its own: each write fails
    as on a full disk (EFBIG in place of ENOSPC), Kafka takes its log folder for broken
    and, having no other, halts.

    Returns:
        Whether Kafka did halt.
    """
    pid = broker.pid
    if pid is None:
        return False
    _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    halted = _gone(pid)
    broker.kill()
    time.sleep(down_s)
    start(broker)
    return halted


def start(broker: KafkaBroker) -> None:
    """Start it, patiently."""
    for left in reversed(range(START_TRIES)):
        try:
            broker.start()
            return
        except StartError:
            if not left:
                raise


def _gone(pid: int) -> bool:
    until = time.monotonic() + DIES_WITHIN_S
    while time.monotonic() < until:
        with suppress(ChildProcessError):
            # Its exit code is the broker's to collect: look, and leave it there.
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if os.waitid(os.P_PID, pid, flags) is not None:
                return True
        time.sleep(0.2)
    return False


def _signal(broker: KafkaBroker, number: int) -> None:
    if broker.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(broker.pid, number)
