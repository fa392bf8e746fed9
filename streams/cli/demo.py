"""`headgate demo`: real uploads become decisions, on a broker inside this process."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from time import monotonic
from typing import IO, Annotated

import typer
from rich.progress import Progress

from schemas.codec import Codec
from schemas.dead_letter import parse_dead_letter
from schemas.ids import CommittedIds
from schemas.json_form import decision_to_json
from schemas.records import RiskDecision
from schemas.topics import DECISION, INGESTED, TOPICS, dead_letter_topic
from streams.cli.terminal import (
    complain,
    output_console,
    progress_console,
    write_json,
)
from streams.messages import Output, Record
from streams.settings import Settings, load_settings

SAMPLES = Path(str(files("deploy") / "samples"))
TOLD = (
    *("bootstrap_servers", "judge_mode", "app_id", "asr", "log_level"),
    "transcribe_batch_size",
)
# The embedded broker asks for no login, whatever the variables say of another.
_PLAIN: dict[str, object] = {
    name: None for name in Settings.model_fields if name.startswith("kafka_")
} | {"kafka_security_protocol": "plaintext", "kafka_sasl_mechanism": "SCRAM-SHA-512"}
LONGEST_S = 180.0  # A cold cache and two busy cores; usually it takes under 30.


@dataclass(slots=True)
class Tally:
    """What came out so far."""

    decisions: dict[str, tuple[RiskDecision, Record]] = field(default_factory=dict)
    dead_letters: dict[tuple[str, int, int], Record] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Final decisions, by distinct id, and dead letters, by distinct origin."""
        return len(self.decisions) + len(self.dead_letters)


def demo(
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One JSON object a decision, then a summary."),
    ] = False,
    log_file: Annotated[
        Path | None, typer.Option("--log", help="Keep the worker's log here.")
    ] = None,
) -> None:
    """Watch sample uploads turn into decisions: nothing to install, nothing to start.

    Starts the embedded broker and a worker, sends the samples of deploy/samples, shows
    each decision and counts: events in = decisions + dead letters, else exit code 1.

    Example:
    headgate demo --json
    """
    started_s = monotonic()
    settings = _settings()
    from streams.embedded_broker import EmbeddedBroker

    codec = Codec(CommittedIds())
    with EmbeddedBroker() as broker, _open_log(log_file) as log:
        broker.ensure_topics(topic.name for topic in TOPICS)
        settings = settings.model_copy(
            update={"bootstrap_servers": broker.bootstrap_servers}
        )
        # The worker first: it loads its models while the events are sent.
        with _worker(settings, log) as worker:
            events_in = _send(settings, codec)
            tally = _watch(settings, codec, events_in, worker)
        if worker.returncode not in (0, -signal.SIGTERM):
            _show_log(log)
    seconds = round(monotonic() - started_s, 1)
    if as_json:
        _print_json(tally, events_in, seconds)
    else:
        _print_table(tally, events_in, seconds)
    raise typer.Exit(0 if tally.total == events_in else 1)


def _open_log(path: Path | None) -> IO[str]:
    return tempfile.TemporaryFile("w+") if path is None else path.open("w+")


def _settings() -> Settings:
    """Return settings for the samples; speech falls back to what needs no weights."""
    settings = load_settings(
        judge_mode="ledger",  # The embedded broker has no transactions.
        media_root=SAMPLES,
        banks=(SAMPLES / "bank.csv",),
        registry_url=None,
        **_PLAIN,
        app_id="headgate-demo",
        transcribe_batch_size=16,  # All of the samples' speech, side by side.
        log_level="info",
    )
    from encoders.speech import weights_problem

    problem = weights_problem(settings.asr, allow_download=settings.allow_download)
    if problem is None:
        return settings
    complain(f"{problem}; listening with PocketSphinx instead, about 20 % word errors")
    return settings.model_copy(update={"asr": "sphinx"})


def _send(settings: Settings, codec: Codec) -> int:
    """Write the sample events, and one record that is not Avro."""
    from datetime import UTC, datetime

    from streams.cli.produce import event_outputs
    from streams.event_files import read_sources
    from streams.producer import DeliveringProducer

    now = datetime.now(UTC)
    sources = read_sources(str(SAMPLES / "events.jsonl"), now)
    events = [source.event for source in sources if source.event is not None]
    broken = (SAMPLES / "not_avro.bin").read_bytes()
    outputs = [*event_outputs(codec, events), Output(INGESTED.name, b"?", broken)]
    producer = DeliveringProducer(settings.kafka)
    try:
        return producer.send_all(outputs)
    finally:
        producer.close()


@contextmanager
def _worker(settings: Settings, log: IO[str]) -> Iterator["subprocess.Popen[str]"]:
    """Run `headgate worker` as users do: a process of its own, told by variables."""
    told = {f"HEADGATE_{name.upper()}": str(getattr(settings, name)) for name in TOLD}
    told["HEADGATE_MEDIA_ROOT"] = str(SAMPLES)
    state = tempfile.TemporaryDirectory(prefix="headgate-demo-")
    told["HEADGATE_STATE_DIR"] = state.name
    told["HEADGATE_BANKS"] = f'["{SAMPLES / "bank.csv"}"]'
    dropped = ("HEADGATE_REGISTRY_URL", "HEADGATE_KAFKA_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    process = subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "worker"],
        env={**inherited, **told},
        stdout=log,
        stderr=log,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(settings.drain_timeout_s + 10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        state.cleanup()


def _watch(
    settings: Settings, codec: Codec, events_in: int, worker: "subprocess.Popen[str]"
) -> Tally:
    """Read decisions and dead letters until all events are accounted for."""
    from streams.kafka_tail import tail

    sources = [topic.name for topic in TOPICS if topic.name.endswith(".dlq")]
    assert dead_letter_topic(INGESTED.name) in sources
    tally = Tally()
    deadline_s = monotonic() + LONGEST_S

    def over() -> bool:
        ended = worker.poll() is not None or monotonic() > deadline_s
        return ended or tally.total >= events_in

    with Progress(console=progress_console(), transient=True) as progress:
        task = progress.add_task("loading models, judging", total=events_in)
        records = tail(settings.kafka, [DECISION.name, *sources], stop_when=over)
        for record in records:
            _count(tally, codec, record)
            progress.update(task, completed=tally.total)
    return tally


def _count(tally: Tally, codec: Codec, record: Record) -> None:
    if record.topic != DECISION.name:
        origin, _ = parse_dead_letter(record.headers)
        place = (origin.topic, origin.partition, origin.offset)
        tally.dead_letters.setdefault(place, record)
        return
    decision = codec.decode(record.value, RiskDecision)
    if not decision.provisional:
        tally.decisions.setdefault(decision.decision_id, (decision, record))


def _show_log(log: IO[str]) -> None:
    log.seek(0)
    complain("the worker stopped by itself; its last lines:")
    sys.stderr.writelines(log.readlines()[-15:])


def _print_json(tally: Tally, events_in: int, seconds: float) -> None:
    for decision, _ in tally.decisions.values():
        write_json(decision_to_json(decision))
    write_json(
        {
            "events_in": events_in,
            "decisions": len(tally.decisions),
            "dead_letters": len(tally.dead_letters),
            "seconds": seconds,
        }
    )


def _print_table(tally: Tally, events_in: int, seconds: float) -> None:
    from streams.cli.decision_table import decision_table

    console = output_console()
    letters = list(tally.dead_letters.values())
    console.print(decision_table(list(tally.decisions.values()), letters))
    adds_up = "=" if tally.total == events_in else "≠"
    console.print(
        f"{events_in} events in {adds_up} {len(tally.decisions)} decisions + "
        f"{len(tally.dead_letters)} dead letters, in {seconds} s"
    )
