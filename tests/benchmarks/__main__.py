"""`make bench`: prints one table and writes bench.json.

Every row is a ratio, or a figure against a limit, measured in this run on this machine;
two sides take turns, so that a busy moment hits both. What can't be measured here is a
row without a value that says why.
"""

import argparse
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch

from tests.benchmarks.groups import GROUPS, measured
from tests.benchmarks.peers import installed
from tests.benchmarks.table import print_table

PACKAGES = (
    "torch",
    "onnxruntime",
    "sentence-transformers",
    "openai-whisper",
    "faust-streaming",
    "confluent-kafka",
)


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
    found = measured(arguments.only, arguments.quick)
    rows = [row for group in found for row in group]
    versions = {name: version(name) for name in PACKAGES} | installed.versions()
    versions["threads"] = str(torch.get_num_threads())
    report = {"machine": machine(), "versions": versions, "rows": rows}
    arguments.out.write_text(json.dumps(report, indent=1) + "\n")
    print_table(rows)


if __name__ == "__main__":
    main()
