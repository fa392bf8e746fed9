"""A real Apache Kafka, one KRaft node without Docker; edge, for tests and the CLI.

`headgate broker --kafka` and the integration tests share it. The jars come from
streams/kafka_jars.py, the settings from `deploy/kafka/server.properties`.
"""

import base64
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from string import Template
from time import monotonic
from types import TracebackType
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from streams.errors import StartError
from streams.java import ClassArchive, find_java
from streams.kafka_jars import KAFKA_FILES, fetch_jars
from streams.kafka_listeners import Listeners, free_port

_START_TIMEOUT_S = 90.0  # 5 to 15 s on 2 busy cores.
_STOP_TIMEOUT_S = 30.0  # 1 s here; the first one, which writes the archive, 10 s.
_FORMAT_TIMEOUT_S = 60.0  # 2 to 8 s: one start of a Java program.
_PORT_TRIES = 3  # A free port may be taken between looking and binding.


class KafkaBroker:
    """Run Apache Kafka on loopback for as long as this context lasts.

    `data_dir` is kept and may be started again; without one a temporary folder is used
    and deleted at the end. `settings` override server.properties; `listeners` stand
    beside the plain one.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        port: int = 0,
        jars: Path | None = None,
        settings: Mapping[str, str] | None = None,
        listeners: Listeners | None = None,
    ) -> None:
        self._temporary = data_dir is None
        self.data_dir = data_dir or Path(tempfile.mkdtemp(prefix="headgate-kafka-"))
        self._wanted_port = port
        self._port = 0
        self._jars = jars
        self._archive: ClassArchive | None = None
        self._settings = dict(settings or {})
        self._listeners = listeners or Listeners()
        self._more_ports: dict[str, int] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Return the broker's address, `host:port`; the same after a restart.

        Raises:
            StartError: the broker was never started.
        """
        if not self._port:
            raise StartError("Kafka isn't running; use it as `with KafkaBroker()`")
        return f"127.0.0.1:{self._port}"

    def address_of(self, listener: str) -> str:
        """Return the address of one of `listeners`, `host:port`."""
        return f"127.0.0.1:{self._more_ports[listener]}"

    @property
    def pid(self) -> int | None:
        """Return the Java process's id, for tests that freeze it; None if stopped."""
        return self._process.pid if self._process else None

    @property
    def log_path(self) -> Path:
        """Return the file that the broker's own log lines go to."""
        return self.data_dir / "broker.log"

    def start(self) -> None:
        """Start the broker; returns when it answers, within `_START_TIMEOUT_S`.

        Raises:
            StartError: Java or Maven is missing, or the broker did not come up; the
                message ends with the last lines of its log.
        """
        java, self._jars = find_java(), self._jars or fetch_jars()
        self._archive = ClassArchive(self._jars)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        fixed = self._port or self._wanted_port
        for tries_left in reversed(range(_PORT_TRIES)):
            self._port = fixed or free_port()
            if not (self._more_ports and fixed):  # Same addresses after a restart.
                self._more_ports = {n: free_port() for n in self._listeners.protocols}
            config = self._write_config()
            self._format(java, config)
            if self._launch(java, config):
                return
            port_taken = "Address already in use" in self.log_path.read_text()
            if fixed or not port_taken or not tries_left:
                raise StartError(self._told("did not come up"))

    def stop(self) -> None:
        """Stop the broker cleanly and keep its data; does nothing when stopped."""
        exited = False
        if self._process:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):  # Frozen or hung: killed below.
                self._process.wait(_STOP_TIMEOUT_S)
                exited = True
        self.kill()
        if self._archive:
            self._archive.keep(whole=exited)

    def kill(self) -> None:
        """End the broker as a power cut would, and keep its data."""
        for process in (self._guard, self._process):  # The guard first: it must not
            if process:  # signal a process id that is already someone else's.
                process.kill()
                process.wait()
                if process.stdin:
                    process.stdin.close()
        self._guard = self._process = None

    def restart(self) -> None:
        """Stop cleanly and start again: same address, same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and delete the data if it was temporary."""
        self.stop()
        if self._temporary:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _write_config(self) -> Path:
        template = Template((KAFKA_FILES / "server.properties").read_text("utf-8"))
        controller_port = free_port()
        text = template.substitute(
            port=self._port, controller_port=controller_port, data_dir=self.data_dir
        )
        if self._more_ports:
            ports = {"PLAINTEXT": self._port, **self._more_ports}
            text += self._listeners.settings(ports, controller_port)
        # The last line of a name wins in a Java properties file.
        text += "".join(f"{name}={value}\n" for name, value in self._settings.items())
        config = self.data_dir / "server.properties"
        config.write_text(text, "utf-8")
        return config

    def _java(self, java: str, *options: str, write_archive: bool = False) -> list[str]:
        assert self._archive is not None  # `start` made it.
        jvm = self._archive.options(write=write_archive)
        return [java, *jvm, "-cp", f"{self._jars}/*", *options]

    def _format(self, java: str, config: Path) -> None:
        if (self.data_dir / "logs" / "meta.properties").exists():
            return
        command = self._java(java, "kafka.tools.StorageTool")
        done = subprocess.run(
            [
                *(*command, "format", "-t", _cluster_id(), "-c", str(config)),
                *self._listeners.format_options(),
            ],
            capture_output=True,
            timeout=_FORMAT_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            self.log_path.write_bytes(done.stdout + done.stderr)
            raise StartError(self._told("could not format its data folder"))

    def _launch(self, java: str, config: Path) -> bool:
        logging = f"-Dlog4j2.configurationFile={KAFKA_FILES / 'log4j2.yaml'}"
        command = self._java(java, logging, "kafka.Kafka", write_archive=True)
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches us, and we stop it cleanly.
            )
        # Should this process die without stopping the broker, its end of the pipe
        # closes and the guard stops the broker instead.
        self._guard = subprocess.Popen(
            ["sh", "-c", 'read _; kill "$0"', str(self._process.pid)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        if self._answers(self._process):
            return True
        self.kill()
        return False

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        # log_level 0: refused connections are expected until the broker listens.
        client = AdminClient(
            {
                "bootstrap.servers": self.bootstrap_servers,
                "log_level": 0,
                "reconnect.backoff.max.ms": 250,
            }
        )
        deadline = monotonic() + _START_TIMEOUT_S
        while monotonic() < deadline and process.poll() is None:
            try:
                # Brokers are listed once the node is registered and not fenced.
                if client.list_topics(timeout=1).brokers:
                    return True
            except KafkaException:
                continue
        return False

    def _told(self, what: str) -> str:
        log = self.log_path.read_text("utf-8", "replace")
        if "UnsupportedClassVersionError" in log:
            return "Kafka 4 needs Java 17 or newer; run `make setup` or set JAVA_HOME"
        tail = "\n".join(log.strip().splitlines()[-8:])
        return (
            f"Kafka at 127.0.0.1:{self._port} {what} (data in {self.data_dir}); its "
            f"log ends:\n{tail}"
        )


def _cluster_id() -> str:
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()
        if not made.startswith("-"):  # Java would take it for an option.
            return made
