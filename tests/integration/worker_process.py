"""A `headgate worker` as operators run it: a process of its own, told by variables."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STARTED_S = 180.0  # Torch, models, the first group join, on two busy cores.


def environment_of(folder: Path, **settings: str) -> dict[str, str]:
    """Return the variables of a worker: ours as given, nobody else's."""
    settings.setdefault("state_dir", str(folder / "state"))
    variables = {f"HEADGATE_{k.upper()}": str(v) for k, v in settings.items()}
    return {k: v for k, v in os.environ.items() if "HEADGATE" not in k} | variables


class WorkerProcess:
    """Starts a worker; ends it by signal or kills it."""

    def __init__(
        self, log: Path, stages=(), *, command=("streams.cli", "worker"), **settings
    ):
        self.log = log
        arguments = [part for stage in stages for part in ("--stage", stage)]
        self._file = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command, *arguments],
            env=environment_of(log.parent, **settings),
            stdout=self._file,
            stderr=self._file,
        )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait_ready(self):
        """Wait until the models are loaded and Faust runs."""
        deadline = time.monotonic() + STARTED_S
        while "worker_ready" not in self.log.read_text():
            self.assert_alive()
            assert time.monotonic() < deadline, self.log.read_text()[-3000:]
            time.sleep(0.2)

    def assert_alive(self):
        """Fail with the log's end when the worker ended by itself."""
        code = self._process.poll()
        assert code is None, f"worker ended with {code}: {self.log.read_text()[-3000:]}"

    def kill(self):
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self, within_s: float = 30) -> int:
        """Ask it to drain and go; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(within_s)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self._file.close()
