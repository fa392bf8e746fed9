import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.models
@pytest.mark.slow
def test_every_row_of_the_bench_runs(tmp_path):
    """The quick bench writes a whole report; its numbers are not judged here."""
    out = tmp_path / "bench.json"
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", "--out", out],
        cwd=ROOT,
        check=True,
        timeout=300,
    )

    report = json.loads(out.read_text())
    assert {"machine", "versions", "rows"} <= set(report)
    for row in report["rows"]:
        assert set(row) == {"name", "value", "against", "target", "met"}
        assert row["value"] > 0
