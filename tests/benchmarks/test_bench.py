import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.flow import steady_per_s
from tests.benchmarks.groups import rows_of
from tests.benchmarks.table import Aim

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"name", "value", "against", "target", "met"}


def test_a_limit_is_met_from_below():
    """A row where less is better is met at most at its target, others at least."""
    limit = Aim("delay", "limit", 250.0, unit="ms", at_most=True)

    assert limit.row(250.0)["met"]
    assert not limit.row(251.0)["met"]
    assert Aim("rate", "peer", 2.0).row(2.0)["met"]
    assert not Aim("rate", "peer", 2.0).row(1.9)["met"]


def test_only_a_missed_target_says_what_limits_it():
    """A reader of a missed row need not ask why."""
    aim = Aim("rate", "peer", 2.0)

    assert aim.row(1.0, "1/s to 1/s", "the disk")["note"].endswith("the disk")
    assert "disk" not in aim.row(3.0, "3/s to 1/s", "the disk")["note"]


def test_a_group_that_fails_is_a_row_that_says_why():
    """What can't be measured here never ends the bench."""
    (row,) = rows_of("no_such_group", quick=True)

    assert set(row) >= KEYS
    assert row["value"] is None
    assert "no_such_group" in row["note"]


def test_bursts_count_from_the_end_of_one_to_the_end_of_another():
    """Four bursts of 100, a second apart, are 100 a second, not 133."""
    times_ms = [second * 1000 for second in range(4) for _ in range(100)]

    assert steady_per_s(times_ms) == 100


@pytest.mark.kafka
@pytest.mark.models
@pytest.mark.slow
def test_every_row_of_the_bench_runs(tmp_path):
    """The quick bench writes a whole report; its numbers are not judged here."""
    out = tmp_path / "bench.json"
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--out", out],
        cwd=ROOT,
        check=True,
        timeout=500,
    )

    report = json.loads(out.read_text())
    assert {"machine", "versions", "rows"} <= set(report)
    for row in report["rows"]:
        assert set(row) >= KEYS
    # A peer that is not installed is no fault; one that can't run is.
    assert not [row for row in report["rows"] if "Error" in row.get("note", "")]
