"""The bench's rows in groups, each a file beside this one, measured by itself."""

import multiprocessing
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module

from tests.benchmarks.table import Aim, Row, timed

# Each with `rows(quick)`; those that need quiet come first.
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


def measured(groups: Sequence[str], quick: bool) -> Iterator[list[Row]]:
    """Yield the rows of each group: one after the other, or in haste two at a time.

    Side by side they take each other's time, which only rows that say nothing may do.
    """
    if not quick:
        yield from (rows_of(group, quick) for group in groups)
        return
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(partial(rows_of, quick=True), groups)
