"""A real schema registry (Apicurio) for the contract tests: fetched, started, stopped.

Apicurio 3 where a JDK of 21 or newer is found, else 2.6 on JDK 17; both in memory.
"""

import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
POM = ROOT / "deploy" / "registry" / "pom.xml"
READY_S = 120  # Seven seconds on an idle machine; tests share theirs.


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that was found."""

    major: int
    program: Path


@contextmanager
def running_registry(log: Path) -> Iterator[str]:
    """Start a registry with an empty store; yields the address of its API."""
    java = find_java()
    version = "3.3.3" if java.major >= 21 else "2.6.13.Final"
    home = fetch(version)
    port, management_port = free_port(), free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                str(java.program),
                "-Xmx384m",
                "-XX:TieredStopAtLevel=1",  # Starts in half the time.
                "-Dquarkus.http.host=127.0.0.1",
                f"-Dquarkus.http.port={port}",
                "-Dquarkus.management.host=127.0.0.1",
                f"-Dquarkus.management.port={management_port}",
                "-jar",
                str(_program(home)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        # Apicurio 2 has no management port: health is beside the API.
        health = management_port if java.major >= 21 else port
        wait_until_ready(process, f"http://127.0.0.1:{health}/health/ready", log)
        yield f"http://127.0.0.1:{port}/apis/ccompat/v7"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _program(home: Path) -> Path:
    """Find what to run: 3.x is a Quarkus folder, 2.x a runner jar."""
    quarkus = home / "quarkus-run.jar"
    return quarkus if quarkus.exists() else next(home.glob("*-runner.jar"))


def find_java() -> Java:
    """Find the newest Java, or skip by name."""
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    homes += Path("/usr/lib/jvm").glob("*")
    found = [_java(home) for home in homes]
    usable = [java for java in found if java is not None and java.major >= 17]
    if not usable:
        pytest.skip("no JDK of 17 or newer for the registry; `make setup` installs it")
    return max(usable, key=lambda java: java.major)


def _java(home: Path) -> Java | None:
    release, program = home / "release", home / "bin" / "java"
    if not release.is_file() or not program.is_file():
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.MULTILINE)
    return Java(int(version[1]), program) if version else None


def fetch(version: str) -> Path:
    """Fetch the registry with Maven into build/, once; or skip by name."""
    home = ROOT / "build" / "registry" / version
    complete = home / ".complete"  # A run that was cut short leaves half a folder.
    if complete.exists():
        return home
    maven = shutil.which("mvn")
    if maven is None:
        pytest.skip("no Maven to fetch the registry; `make setup` installs it")
    fetched = subprocess.run(
        [
            maven,
            "--quiet",
            "--batch-mode",
            f"--file={POM}",
            f"-Dapicurio.version={version}",
            "-Dmdep.overWriteReleases=true",
            "dependency:unpack",
        ],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    if fetched.returncode != 0:
        pytest.skip(
            f"Maven could not fetch Apicurio {version}: {fetched.stdout[-300:]}"
        )
    complete.touch()
    return home


def free_port() -> int:
    """Ask the system for a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait for readiness: an open port is not enough."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.25)
    pytest.fail(f"the registry did not start: {log.read_text()[-2000:]}")
