"""Gather Apache Kafka's jars with Maven, once; edge, beside streams/kafka_broker.py."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from importlib.resources import files
from pathlib import Path

from streams.errors import StartError

KAFKA_FILES = Path(str(files("deploy") / "kafka"))
_STAMP = "pom.sha256"  # Written last: a folder without it was left half fetched.
_MAVEN_TIMEOUT_S = 600.0  # 43 MB; 12 s here, minutes behind a slow line.


def default_jars_dir() -> Path:
    """Return where jars are kept: `build/` in a checkout, else the user's cache."""
    root = KAFKA_FILES.parent.parent
    if (root / "pyproject.toml").is_file():
        return root / "build" / "kafka" / "libs"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "headgate" / "kafka" / "libs"


def fetch_jars(target: Path | None = None) -> Path:
    """Return a folder with the jars of `deploy/kafka/pom.xml`, fetched if need be.

    Safe to call from several processes at once.

    Raises:
        StartError: Maven is missing or could not fetch them.
    """
    target = target or default_jars_dir()
    pom = KAFKA_FILES / "pom.xml"
    wanted = hashlib.sha256(pom.read_bytes()).hexdigest()
    if _stamp(target) == wanted:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the rename stays on one file system and is atomic.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        fresh = Path(scratch) / "libs"
        _run_maven(pom, fresh)
        (fresh / _STAMP).write_text(wanted)
        _swap_in(fresh, target, wanted)
    return target


def _stamp(folder: Path) -> str:
    try:
        return (folder / _STAMP).read_text()
    except OSError:
        return ""


def _run_maven(pom: Path, target: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise StartError(
            "mvn is not on the PATH; Maven gathers the real broker's jars: run "
            "`make setup`, or install Maven and a JDK 17 (Debian: apt-get install "
            "maven openjdk-17-jdk-headless)"
        )
    command = [maven, "-q", "-B", "-f", str(pom), "dependency:copy-dependencies"]
    try:
        done = subprocess.run(
            [*command, f"-DoutputDirectory={target}", "-DincludeScope=runtime"],
            capture_output=True,
            text=True,
            timeout=_MAVEN_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise StartError(
            f"mvn did not fetch Kafka's jars in {_MAVEN_TIMEOUT_S:g} s; try again, or "
            "point Maven at a nearer mirror in its settings.xml"
        ) from error
    if done.returncode or not any(target.glob("kafka_*.jar")):
        told = "\n".join((done.stdout + done.stderr).strip().splitlines()[:8])
        raise StartError(
            f"mvn could not fetch Kafka's jars (exit code {done.returncode}); check "
            f"the network and Maven's settings.xml; it said:\n{told}"
        )


def _swap_in(fresh: Path, target: Path, wanted: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    try:
        fresh.rename(target)
    except OSError:
        # Another process got there first; the same pom gives the same jars.
        if _stamp(target) != wanted:
            raise
