"""Row of the bench about memory: a worker beside the bare models it holds."""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch
import whisper

from schemas.topics import TOPICS
from streams.kafka_broker import KafkaBroker
from streams.topic_admin import apply_topics
from tests.benchmarks.flow import Flow
from tests.benchmarks.table import Aim, Row
from tests.benchmarks.uploads import texts, uploads, with_sound
from tests.integration.worker_process import WorkerProcess

MEMORY = Aim(
    "peak memory of a worker with MiniLM and Whisper tiny",
    "a process that loads both by their own libraries and runs each once, plus",
    500.0,
    unit="MB",
    at_most=True,
)
SAMPLES = Path(__file__).resolve().parents[2] / "deploy" / "samples" / "media"
SOUND = "podcast_intro.flac"
TEXTS = 64
TOKENS = 448  # Whisper's own window of text.
# Random weights never end a sentence: each window of sound is decoded to the last.
TOKENS_QUICK = 16
# whisper's `tiny`; the weights are random, for none can be had offline.
TINY = {
    "n_mels": 80,
    "n_audio_ctx": 1500,
    "n_audio_state": 384,
    "n_audio_head": 6,
    "n_audio_layer": 4,
    "n_vocab": 51_865,
    "n_text_state": 384,
    "n_text_head": 6,
    "n_text_layer": 4,
}


def rows(quick: bool) -> list[Row]:
    """Run the worker over texts and a sound, and the models alone over the same."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = write_tiny(Path(folder), TOKENS_QUICK if quick else TOKENS)
        alone_mb = _alone_mb(checkpoint)
        worker_mb, processes = _worker_mb(Path(folder), checkpoint)
    note = (
        f"{worker_mb:.0f} MB in {processes} processes (decoders are confined in their "
        f"own) to {alone_mb:.0f} MB"
    )
    why = "Faust, Kafka's clients, a second lane's decoding, the sandboxed decoders"
    return [MEMORY.row(worker_mb - alone_mb, note, why)]


def write_tiny(folder: Path, tokens: int) -> Path:
    """Write a checkpoint as OpenAI's `tiny` is: half precision, 39 M parameters."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        dims = TINY | {"n_text_ctx": tokens}
        model = whisper.Whisper(whisper.ModelDimensions(**dims))
        for weights in model.parameters():
            torch.nn.init.normal_(weights, std=0.02)
    state = {name: value.half() for name, value in model.state_dict().items()}
    path = folder / "tiny-random.pt"
    torch.save({"dims": dims, "model_state_dict": state}, path)
    return path


def peak_mb(pids: Iterable[int]) -> float:
    """Return the most memory that processes ever held, in MB (10^6 bytes).

    Pages that several of them map, as decoders do a library, count once: what stands
    in Rss more often than in Pss (Linux, proc_pid_smaps(5)) at the end.
    """
    kb = sum(
        _kb(pid, "status", "VmHWM")
        - _kb(pid, "smaps_rollup", "Rss")
        + _kb(pid, "smaps_rollup", "Pss")
        for pid in pids
    )
    return kb * 1024 / 1e6


def _kb(pid: int, file: str, name: str) -> int:
    text = Path(f"/proc/{pid}/{file}").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    if found is None:
        raise RuntimeError(f"/proc/{pid}/{file} has no {name}: the process has ended")
    return int(found[1])


def _alone_mb(checkpoint: Path) -> float:
    module = "tests.benchmarks.models_alone"
    done = subprocess.run(
        [sys.executable, "-m", module, checkpoint, SAMPLES / SOUND, str(TEXTS)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"models alone: {done.stderr.strip()[-300:]}")
    return float(done.stdout.split()[-1])


def _worker_mb(folder: Path, checkpoint: Path) -> tuple[float, int]:
    """Return the peak of the worker and its children, and how many processes."""
    with KafkaBroker() as broker:
        bootstrap = broker.bootstrap_servers
        apply_topics(bootstrap, TOPICS)
        with (
            Flow(bootstrap) as flow,
            WorkerProcess(
                folder / "worker.log",
                bootstrap_servers=bootstrap,
                asr=f"whisper:{checkpoint}",
                media_root=str(SAMPLES),
            ) as worker,
        ):
            worker.wait_ready()
            made = uploads("memory", texts(TEXTS, 600_000))
            flow.decide([*made[1:], with_sound(made[0], (SAMPLES / SOUND).as_uri())])
            pids = _tree(worker.pid)
            return peak_mb(pids), len(pids)


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    below = [int(c) for task in tasks for c in (task / "children").read_text().split()]
    return [pid, *(p for child in below for p in _tree(child))]
