"""A real worker that ends itself at a named point, as a power cut there would.

`python -m tests.chaos.worker [STAGE …]` is `headgate worker` with these variables:
CHAOS_KILL_AT=`stage:boundary:n` kills it at the n-th passing of that boundary,
CHAOS_FAKE_TEXT=1 takes cheap models instead of the real ones,
CHAOS_SLOW_MS holds each batch of texts for so long, so that work is in flight,
CHAOS_WINDOW_MS hears each window of sound for so long and counts it in CHAOS_HEARD,
CHAOS_COMMIT_EARLY=1 commits what was only taken on: the mutation the checker must see.
"""

import os
import sys
import time
from pathlib import Path

from streams.errors import HeadgateError
from streams.logs import set_up_logs
from streams.settings import load_settings
from tests.chaos import mutations, seams


def main() -> None:
    """Patch what the variables say, then run the worker until a signal."""
    settings = load_settings()
    set_up_logs(settings.log_level)
    slow_s = float(os.environ.get("CHAOS_SLOW_MS", "0")) / 1000
    if os.environ.get("CHAOS_FAKE_TEXT"):
        mutations.cheap_models(lambda: time.sleep(slow_s))
    if window_ms := os.environ.get("CHAOS_WINDOW_MS"):
        mutations.counting_speech(Path(os.environ["CHAOS_HEARD"]), float(window_ms))
    if os.environ.get("CHAOS_COMMIT_EARLY"):
        mutations.commit_early()
    if place := os.environ.get("CHAOS_KILL_AT"):
        log = os.environ.get("CHAOS_KILL_LOG")
        seams.kill_at(place, Path(log) if log else None)
    from streams.worker import STAGES, run_worker

    try:
        run_worker(settings, tuple(sys.argv[1:]) or STAGES)
    except HeadgateError as error:
        sys.stderr.write(f"{error}\n")  # As `headgate` itself: one sentence and a 2.
        sys.exit(2)


if __name__ == "__main__":
    main()
