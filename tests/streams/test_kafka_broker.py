"""Facts about starting and stopping a real Apache Kafka."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from streams.errors import StartError
from streams.java import ClassArchive, find_java
from streams.kafka_broker import KafkaBroker, free_port
from streams.kafka_jars import KAFKA_FILES, default_jars_dir, fetch_jars
from streams.kafka_tail import tail
from streams.messages import Output
from streams.producer import DeliveringProducer
from streams.topic_admin import apply_topics


@dataclass(frozen=True)
class Row:
    """As much of a row of schemas.topics as creating a topic needs."""

    name: str
    partitions: int = 2
    config: dict[str, str] = field(default_factory=dict)


needs_java = pytest.mark.skipif(
    shutil.which("java") is None or shutil.which("mvn") is None,
    reason="no Java or no Maven for Apache Kafka; `make setup` installs them",
)


def test_no_java_is_one_clear_sentence(monkeypatch, tmp_path):
    """Without Java the broker says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(StartError, match=r"java is not on the PATH.*make setup"):
        find_java()


def test_no_maven_is_one_clear_sentence(monkeypatch, tmp_path):
    """Without Maven the jars can't be had, and the message says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(StartError, match=r"mvn is not on the PATH.*make setup"):
        fetch_jars(tmp_path / "libs")


def test_jars_are_fetched_once_and_again_for_another_pom(monkeypatch, tmp_path):
    """Maven runs when the folder does not belong to this pom, and only then."""
    fake = tmp_path / "bin" / "mvn"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        f"echo ran >> {tmp_path}/runs\n"
        'for a in "$@"; do case $a in -DoutputDirectory=*) d=${a#*=};; esac; done\n'
        'mkdir -p "$d"; : > "$d/kafka_2.13.jar"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    libs = tmp_path / "libs"

    fetch_jars(libs)
    fetch_jars(libs)
    (libs / "pom.sha256").write_text("of an older pom")
    fetch_jars(libs)

    assert (tmp_path / "runs").read_text().split() == ["ran", "ran"]
    assert sorted(p.name for p in libs.iterdir()) == ["kafka_2.13.jar", "pom.sha256"]


def test_maven_that_fails_leaves_nothing_half_fetched(monkeypatch, tmp_path):
    """A failed fetch tells what Maven said and the next try starts afresh."""
    fake = tmp_path / "mvn"
    fake.write_text("#!/bin/sh\necho 'cannot reach mirror'; exit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(StartError, match="cannot reach mirror"):
        fetch_jars(tmp_path / "libs")

    assert not (tmp_path / "libs").exists()


def test_jars_of_a_checkout_stay_in_it():
    """A checkout keeps its jars in `build/`, which git ignores."""
    root = Path(__file__).resolve().parents[2]

    assert default_jars_dir() == root / "build" / "kafka" / "libs"
    assert (KAFKA_FILES / "pom.xml").is_file()


def test_a_cut_short_class_archive_is_not_kept(tmp_path):
    """Only what a JVM finished writing speeds up the next start."""
    archive = ClassArchive(tmp_path)
    fresh = Path(archive.options(write=True)[-1].split("=")[1])

    fresh.write_text("half")
    archive.keep(whole=False)
    assert list(tmp_path.iterdir()) == []

    fresh.write_text("all")
    archive.keep(whole=True)
    assert archive.options(write=True)[-1].endswith("classes.jsa")


def test_a_broker_that_cannot_start_shows_its_log(monkeypatch, tmp_path):
    """A taken port given by the caller is not changed silently: the log is shown."""
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'Address already in use'; exit 1\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(StartError, match="its log ends:\nAddress already in use"):
        KafkaBroker(tmp_path / "data", port=free_port(), jars=tmp_path).start()


@needs_java
@pytest.mark.kafka
@pytest.mark.slow
def test_data_outlives_a_restart_and_a_kill(tmp_path):
    """Confirmed records are there after a clean restart, a kill and a new context."""
    with KafkaBroker(tmp_path / "data") as broker:
        address = broker.bootstrap_servers
        apply_topics(address, [Row("kept")])
        producer = DeliveringProducer(address)
        producer.send_all([Output("kept", b"k", b"1")])
        broker.restart()
        producer.send_all([Output("kept", b"k", b"2")])
        broker.kill()
        assert broker.pid is None
        broker.start()
        producer.send_all([Output("kept", b"k", b"3")])
        producer.close()
        assert broker.bootstrap_servers == address

    with KafkaBroker(tmp_path / "data") as again:
        values = [r.value for r in tail(again.bootstrap_servers, ["kept"], until_end=1)]
    assert values == [b"1", b"2", b"3"]


OWNER = """
import sys, time
from pathlib import Path
from streams.kafka_broker import KafkaBroker
with KafkaBroker(Path(sys.argv[1])) as broker:
    print(broker.bootstrap_servers, flush=True)
    time.sleep(600)
"""


@needs_java
@pytest.mark.kafka
@pytest.mark.slow
def test_it_does_not_outlive_an_owner_that_was_killed(tmp_path):
    """SIGKILL of the process that started Kafka leaves no Java process behind."""
    # In a folder that pytest clears away later: Java may still be writing its last.
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    address = owner.stdout.readline().decode().strip()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()

    assert wait_until_refused(int(address.split(":")[1]))


def wait_until_refused(port: int) -> bool:
    """Return whether nothing listens on the port within 30 s."""
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.1)
    return False
