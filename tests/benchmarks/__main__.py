"""`make bench`: prints one table and writes bench.json.

Every row is a ratio, or a figure against a limit, measured in this run on this machine;
two sides take turns, so that a busy moment hits both. What can't be measured here is a
row without a value that says why.
"""

import argparse
import json
import os
import platform
import traceback
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch

from tests.benchmarks.peers import installed
from tests.benchmarks.table import Aim, Row, print_table, timed

# Files beside this one, each with `rows(quick)`; those that need quiet come first.
GROUPS = (
    "streaming",
    "scaling",
    "memory",
    "text",
    "speech",
    "fast_speech",
    "hashes",
    "series",
    "judging",
    "replay",
)
PACKAGES = (
    "torch",
    "onnxruntime",
    "sentence-transformers",
    "openai-whisper",
    "faust-streaming",
    "confluent-kafka",
)


def rows_of(group: str, quick: bool) -> list[Row]:
    """Return a group's rows; one that fails as a whole is a row that says so."""
    found: list[Row] = []

    def measure() -> None:
        found.extend(import_module(f"tests.benchmarks.{group}").rows(quick))

    try:
        spent_s = timed(measure)
    except Exception as error:
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
        return [Aim(group, "all of its rows", 0.0).unmeasured(reason)]
    for one in found:
        one.setdefault("group", group)
    print(f"{group}: {len(found)} rows in {spent_s:.0f} s", flush=True)  # noqa: T201
    return found


def machine() -> str:
    """Say what this ran on."""
    return f"{platform.machine()}, {os.cpu_count()} cores"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only see that rows run")
    parser.add_argument("--only", nargs="*", choices=GROUPS, default=GROUPS)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    arguments = parser.parse_args()
    rows = [row for group in arguments.only for row in rows_of(group, arguments.quick)]
    versions = {name: version(name) for name in PACKAGES} | installed.versions()
    versions["threads"] = str(torch.get_num_threads())
    report = {"machine": machine(), "versions": versions, "rows": rows}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print_table(rows)


if __name__ == "__main__":
    main()
