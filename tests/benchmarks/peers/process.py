"""A peer at work: its process, its two topics and the flow through them."""

import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from schemas.topics import Topic
from streams.topic_admin import apply_topics
from tests.benchmarks.flow import Flow
from tests.benchmarks.uploads import texts, uploads
from tests.integration.worker_process import environment_of

NEEDS = {"quix": "quixstreams", "bytewax": "bytewax", "naive_faust": "faust"}


class Peer:
    """Starts a module of this folder; ends it with the context."""

    def __init__(self, name: str, bootstrap: str) -> None:
        self.name = name
        self._folder = tempfile.TemporaryDirectory(prefix=f"headgate-{name}-")
        folder = Path(self._folder.name)
        source, sink = f"bench.{name}.in", f"bench.{name}.out"
        names = (source, sink)
        apply_topics(bootstrap, [Topic(n, "any", None, n, (), ()) for n in names])
        self.flow = Flow(bootstrap, source, sink)
        self._log = folder / "log"
        self._file = self._log.open("wb")
        module = f"tests.benchmarks.peers.{name}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, bootstrap, source, sink, str(folder)],
            env=environment_of(folder, bootstrap_servers=bootstrap),
            stdout=self._file,
            stderr=self._file,
        )

    def warm(self, count: int) -> None:
        """Wait until it has decided its first uploads.

        Raises:
            RuntimeError: it ended, or decides nothing; with the end of its log.
        """
        try:
            self.flow.decide(uploads(f"warm-{self.name}", texts(count, 900_000)))
        except TimeoutError as error:
            raise RuntimeError(f"{error}; {self._told()}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._file.close()
        self.flow.close()
        self._folder.cleanup()

    def _told(self) -> str:
        ended = self._process.poll()
        log = self._log.read_text("utf-8", "replace").strip().splitlines()
        return f"exit code {ended}, its log ends: {' | '.join(log[-3:])}"
