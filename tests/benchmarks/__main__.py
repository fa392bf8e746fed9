"""`make bench`: prints one table and writes bench.json.

Every row is a ratio against a named peer or limit, measured in this run on this
machine, alternating the two sides so that a busy moment hits both.
"""

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from encoders.embedding_cache import EmbeddingCache
from encoders.text import load_text_encoder
from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import ContentSignals, Stage, TextSignal
from streams.batch_judge import BatchJudging
from streams.dead_letters import DeadLetterLimit, DeadLetters
from streams.judge import Judge
from streams.messages import Record
from streams.retries import RetryBounds
from streams.scorers import default_scorers
from streams.settings import default_policy
from streams.telemetry import EventLog
from streams.wiring import build_text_risk, read_policy
from tests.benchmarks.hashes import hash_row
from tests.benchmarks.rows import ratio, row, texts
from tests.benchmarks.text import text_rows
from tests.builders import an_event
from tests.fakes import FakeGuard

PACKAGES = (
    "torch",
    "onnxruntime",
    "sentence-transformers",
    "faust-streaming",
    "confluent-kafka",
)


def judge_row(count: int, rounds: int) -> dict[str, object]:
    """Judging from signals, against embedding the same uploads' texts."""
    encoder = load_text_encoder("all-MiniLM-L6-v2", device="cpu", allow_download=False)
    codec = Codec(CommittedIds())
    judge = Judge(default_scorers(build_text_risk()), read_policy(default_policy()))
    letters = DeadLetters("judge", "bench", DeadLetterLimit(50, 1000))
    judging = BatchJudging(
        judge, codec, letters, FakeGuard(), RetryBounds(1, 1), EventLog()
    )
    sample = texts(count, offset=100_000)
    vectors = encoder.embed(sample)
    records = [
        Record(
            "content.signals.v1",
            0,
            n,
            0,
            None,
            codec.encode(
                ContentSignals(
                    an_event(f"c{n}", uploader_id=f"u{n}"),
                    Stage.COMPLETE,
                    texts=(TextSignal("title", text, vectors[n].tobytes()),),
                )
            ),
        )
        for n, text in enumerate(sample)
    ]

    def embed() -> None:
        encoder._cache = EmbeddingCache()  # type: ignore[attr-defined]
        encoder.embed(sample)

    found = ratio(lambda: judging(records, {}), embed, rounds)
    return row("uploads judged a second", found, "embedding their texts", 5.0)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that rows run")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    arguments = parser.parse_args()
    count, rounds = (40, 1) if arguments.quick else (400, 5)
    rows = [
        *text_rows(count, rounds),
        judge_row(count, rounds),
        hash_row(arguments.quick),
    ]
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    versions = {name: version(name) for name in PACKAGES}
    versions["threads"] = str(torch.get_num_threads())
    report = {"machine": machine, "versions": versions, "rows": rows}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    table = Table("row", "ratio", "against", "target", "met")
    for one in rows:
        table.add_row(
            *(str(one[k]) for k in ("name", "value", "against", "target")),
            "yes" if one["met"] else "no",
        )
    Console(width=None if os.isatty(1) else 140).print(table)


if __name__ == "__main__":
    main()
