"""A run's results: lines of all partitions, flips with evidence, a summary."""

import json
import shutil
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Final

from streams.errors import StartError
from streams.replay.tally import Tally, added_up
from streams.replaying.files import Files
from streams.replaying.lines import json_lines
from streams.replaying.report.counts import breakdowns
from streams.replaying.report.page import write_report
from streams.replaying.request import Plan, Request
from streams.replaying.state import Facts, read_facts
from streams.replaying.unmet import Unmet

ROWS: Final = 10_000  # Of a row group of Parquet.
_WORDS: Final = ("decision_id", "action", "clause", "policy", "policy_sha256")
_PLACE: Final = ("partition", "offset", "time_ms", "revision")
_TEXTS: Final = ("content_id", "uploader_id", "kind", "stage", "result", "reason")


def finish(
    folder: Path,
    request: Request,
    plan: Plan,
    *,
    unmet: Unmet,
    parquet: bool,
    restricted: Collection[str] = (),
) -> dict[str, Any]:
    """Write decisions.jsonl, flips.jsonl, report.html, summary.json; return the last.

    `unmet` is what was recorded without signals; `restricted` are categories in lower
    case whose evidence the report shows by its place alone.

    Raises:
        StartError: Parquet is asked for and pyarrow is not installed.
    """
    files = [Files(folder, part.read.partition) for part in plan.parts]
    if parquet:
        lines = chain.from_iterable(json_lines(file.lines) for file in files)
        write_parquet(folder / "decisions.parquet", lines)
    _join([file.lines for file in files], folder / "decisions.jsonl")
    _join([file.flips for file in files], folder / "flips.jsonl")
    facts = [read_facts(file.state) for file in files]
    summary = summary_of(request, plan, facts)
    summary["unreadable_decisions"] = unmet.unreadable
    # Of a part of the uploads, or of a window by offsets, it can't be told.
    is_whole = plan.uploader is None and request.snapshot is None and plan.span_ms
    lacking = unmet.decisions if is_whole else None
    summary["decisions_without_signals"] = lacking
    if not request.is_what_if:
        summary["equal"] = summary["equal"] and not lacking and not unmet.unreadable
    counts = write_report(folder, request, plan, summary, restricted)
    summary["breakdowns"] = breakdowns(counts)
    written = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
    (folder / "summary.json").write_text(written, "utf-8")
    for spent in ("parts", "said"):  # The state stays: it is a snapshot.
        shutil.rmtree(folder / spent, ignore_errors=True)
    return summary


def summary_of(request: Request, plan: Plan, facts: list[Facts]) -> dict[str, Any]:
    """Return what a replay came to, as JSON."""
    tally = added_up(one.tally for one in facts)
    summary: dict[str, Any] = {
        "replay_id": plan.id,
        "kind": "what_if" if request.is_what_if else "faithful",
        "events": tally.events,
        "histories": plan.told(),
        "histories_exact": all(one.exact for one in facts),
        "flips": tally.flips,
        **tally.to_json(),
    }
    if not request.is_what_if:
        summary["equal"] = is_equal(tally)
    return summary


def is_equal(tally: Tally) -> bool:
    """Whether everything that was compared is the same bytes."""
    return not tally.results["different"] and not tally.results["unknown"]


def write_parquet(path: Path, lines: Iterator[dict[str, Any]]) -> None:
    """Write lines as one flat table, a bounded number of rows in memory.

    Raises:
        StartError: pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise StartError(
            "Parquet needs pyarrow; install headgate[parquet], or leave --parquet out"
        ) from error
    columns = [(name, pa.int64()) for name in _PLACE]
    columns += [(name, pa.string()) for name in _TEXTS]
    columns += [
        (f"{w}_{when}", pa.string()) for when in ("then", "now") for w in _WORDS
    ]
    columns += [("uploads", pa.int64()), ("territories", pa.list_(pa.string()))]
    schema = pa.schema(columns)
    with pq.ParquetWriter(path, schema) as writer:
        rows: list[dict[str, Any]] = []
        for line in lines:
            rows.append(_row(line))
            if len(rows) == ROWS:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema))


def _row(line: dict[str, Any]) -> dict[str, Any]:
    row = {name: line[name] for name in (*_PLACE, *_TEXTS, "uploads", "territories")}
    for when in ("then", "now"):
        said = line[when] or {}
        row |= {f"{word}_{when}": said.get(word) for word in _WORDS}
    return row


def _join(sources: list[Path], target: Path) -> None:
    with target.open("wb") as joined:
        for source in sources:
            with source.open("rb") as part:
                shutil.copyfileobj(part, joined)
