"""The chaos run: one command, seeded, everything goes wrong and nothing gets lost.

`python -m tests.chaos.run --seed 1 --events 20000 --rate 14 [--brokers 3] [--json]`
starts Kafka, topics, a media store and workers, sends uploads at a steady rate while
the schedule's faults strike, waits until all is decided, and runs the checker. The last
line is one JSON object; the exit code is 0 only if nothing was lost or contradicted.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from tests.chaos.chaos import Chaos, Options
from tests.chaos.schedule import Plan


def main() -> int:
    """Run once with what the command line says."""
    given = _arguments()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="headgate-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan() if given.kills is None else replace(Plan(), kills=given.kills)
    options = Options(
        seed=given.seed,
        events=given.events,
        rate=given.rate,
        brokers=given.brokers,
        judge_mode=given.judge_mode,
        cheap_models=given.cheap_models,
        deadline_s=given.deadline_s,
        plan=plan,
    )
    show = sys.stderr.isatty() and not given.json
    with Chaos(options, folder, show=show) as chaos:
        found, clean = chaos.run()
    if not given.json:
        sys.stdout.write("".join(f"{k:>20}  {v}\n" for k, v in found.items()))
        sys.stdout.write(f"logs: {folder}\n")
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if clean else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=14, help="events a second")
    parser.add_argument("--brokers", type=int, choices=(1, 3), default=1)
    parser.add_argument("--kills", type=int, help="from outside; as many at boundaries")
    parser.add_argument(
        "--judge-mode", choices=("transactional", "ledger"), default="transactional"
    )
    parser.add_argument("--cheap-models", action="store_true", help="no real models")
    parser.add_argument("--deadline-s", type=float, default=300, help="after the last")
    parser.add_argument("--folder", type=Path, help="where logs and media go")
    parser.add_argument("--json", action="store_true", help="the last line alone")
    return parser.parse_args()


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    sys.exit(main())
