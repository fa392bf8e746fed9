"""One decode process as its parent sees it: asked, limited, watched, killed.

Between `sandbox` and `sandbox_worker`. Linux only: limits on another process are
prlimit(2)'s, what it used so far is in /proc.
"""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from threading import Timer
from typing import IO, Any, Final

from encoders.confinement import Confinement
from encoders.sandbox_protocol import (
    JSON,
    MAX_PIXELS_BYTES,
    PIXELS,
    SOUND,
    ProtocolError,
    SoundEnd,
    parse_answer,
    parse_confinement,
    parse_fault,
    read_frame,
    write_request,
)
from encoders.sandbox_task import Budget, DecoderDeathError, Result, Task
from encoders.signals import DecoderUnavailableError, EncodeError

# Isolated: no PYTHON… variables, nothing from the working folder; our own code is found
# where the parent's is.
COMMAND: Final = (
    *(sys.executable, "-I", "-c"),
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from encoders.sandbox_worker import main; main()",
    str(Path(__file__).resolve().parent.parent),
)
_ENVIRONMENT: Final = {
    "LC_ALL": "C.UTF-8",
    # Landlock holds for one thread: libraries must not start theirs on import.
    **{"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    # Each of malloc's arenas takes 64 MiB of address space, which is limited.
    "MALLOC_ARENA_MAX": "2",
    # What is large is given back at once, and leaves its address space to the next.
    "MALLOC_MMAP_THRESHOLD_": "1048576",
}
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH",)  # Some Pythons don't start without.
_START_S: Final = 60.0  # It takes 0.4 s; a busy machine with a cold cache takes more.
_END_S: Final = 5.0  # A process that closed its pipes is about to be gone.
# What one file may take beside its own bytes, which are held up to twice: what `image`
# lets a picture take, and what earlier files left behind.
WORK_BYTES: Final = 300_000_000


class DecoderProcess:
    """A decode process; used by one thread at a time, killed from any.

    Raises:
        DecoderUnavailableError: it can't be started.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        kept = {k: os.environ[k] for k in _KEPT_VARIABLES if k in os.environ}
        try:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # FFmpeg's complaints quote the content.
                cwd="/",
                env=kept | _ENVIRONMENT,
            )
        except OSError as error:
            raise DecoderUnavailableError(
                f"a decode process can't be started: {error.strerror}"
            ) from error
        self._late = False
        self.files = 0  # How many it was asked about.
        self.confinement, self._loaded_bytes = self._ready()

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.poll() is None

    def work(self, task: Task[Result]) -> Result:
        """Have one piece of work done.

        Raises:
            EncodeError: the content can't be used.
            DecoderDeathError: it ended the process: `decoder_died`, `decoder_timeout`
                or `decoder_out_of_memory`.
        """
        with self._blamed(), self._deadline(task.budget.wall_s):
            self._ask(task)
            kind, body = read_frame(self._pipes()[1])
            while kind == PIXELS and task.request.operation == "pictures":
                task.pixels.extend(body)
                if len(task.pixels) > MAX_PIXELS_BYTES:
                    raise ProtocolError("pixels without end")
                kind, body = read_frame(self._pipes()[1])
            if kind != JSON:
                raise ProtocolError("sound or pixels that nobody asked for")
            return task.parse(_result(parse_answer(body)))

    def begin(self, task: Task[SoundEnd]) -> None:
        """Have a sound decoded; `sound` gives it. Raises as `work` does."""
        with self._blamed(), self._deadline(task.budget.wall_s):
            self._ask(task)

    def sound(
        self, task: Task[SoundEnd], n_bytes: int, within_s: float
    ) -> tuple[bytes, SoundEnd | None]:
        """Return the next int16 samples and, with the last, the last word on the sound.

        At least `n_bytes` of them but at the end. The process decodes no further than
        its pipe has room, and its time is counted only while it is waited for. Raises
        as `work` does.
        """
        pcm = bytearray()
        with self._blamed(), self._deadline(within_s):
            while len(pcm) < n_bytes:
                kind, body = read_frame(self._pipes()[1])
                if kind == JSON:
                    return bytes(pcm), task.parse(_result(parse_answer(body)))
                if kind != SOUND or len(body) % 2:
                    raise ProtocolError("pixels, or half a sample")
                pcm += body
        return bytes(pcm), None

    def _ask(self, task: Task[Result]) -> None:
        self.files += 1
        self._limit(task.budget, len(task.request.data))
        write_request(self._pipes()[0], task.request)

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        """Turn what ends the process into its content's failure."""
        try:
            yield
        except (OSError, EOFError) as error:
            raise self._death() from error
        except MemoryError as error:
            self.close()
            raise DecoderDeathError(
                "decoder_out_of_memory",
                f"decoding takes more than the {WORK_BYTES} bytes it may have",
            ) from error
        except (ProtocolError, _GoneError) as error:
            self.close()
            raise DecoderDeathError(
                "decoder_died", f"the decoder failed with {error}"
            ) from error

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._child.kill()

    def close(self) -> None:
        """End it and wait until it is gone."""
        self.kill()
        self._child.wait()
        for pipe in self._pipes():
            with suppress(OSError):  # A request was on its way.
                pipe.close()

    def _ready(self) -> tuple[Confinement, int]:
        """Wait for its word that it is confined; also return the memory it has then."""
        failed = None
        try:
            with self._deadline(_START_S):
                answer = parse_answer(read_frame(self._pipes()[1])[1])
            failed = answer.get("failed")
            confinement = parse_confinement(answer.get("ready"))
            return confinement, _address_space_bytes(self.pid)
        except (OSError, EOFError, ProtocolError) as error:
            self.close()
            why = failed or f"it ended with {self._child.returncode}"
            raise DecoderUnavailableError(
                f"a decode process could not get ready: {why}"
            ) from error

    def _limit(self, budget: Budget, n_bytes: int) -> None:
        """Set what the next piece of work may take; seccomp keeps it set."""
        cpu_s = ceil(_cpu_s(self.pid) + budget.cpu_s)
        memory = self._loaded_bytes + 2 * n_bytes + WORK_BYTES
        for what, limit in (
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_AS, memory),
        ):
            resource.prlimit(self.pid, what, (limit, resource.RLIM_INFINITY))

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        timer = Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._late = True
        self.kill()

    def _death(self) -> DecoderDeathError:
        """Say what the process died of."""
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(_END_S)
        self.close()
        code = self._child.returncode
        if self._late or code == -signal.SIGXCPU:
            clock = "wall-clock" if self._late else "CPU"
            return DecoderDeathError(
                "decoder_timeout", f"decoding takes more {clock} time than it may have"
            )
        if code == -signal.SIGKILL:
            how = "SIGKILL: most likely the machine was out of memory"
        else:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return DecoderDeathError("decoder_died", f"the decoder ended with {how}")

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        requests, answers = self._child.stdin, self._child.stdout
        assert requests is not None
        assert answers is not None
        return requests, answers


class _GoneError(Exception):
    """The worker said itself that it ends, and with which exception."""


def _result(answer: Mapping[str, Any]) -> object:
    match answer:
        case {"result": result}:
            return result
        case {"fault": fault}:
            found = parse_fault(fault)
            raise EncodeError(found.code, found.message)
        case {"gone": "MemoryError"}:
            raise MemoryError
        case {"gone": str(kind)} if kind.isidentifier():
            raise _GoneError(kind[:80])
    raise ProtocolError("an answer without a result")


def _address_space_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[0]
    return int(pages) * resource.getpagesize()


def _cpu_s(pid: int) -> float:
    """Return the CPU time that a process has used; see proc(5)."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2]
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    user, system = after_name.split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
