import csv
import json

import pytest
from typer.testing import CliRunner

from streams.cli import app
from streams.errors import StartError

NAME = "made/steps.csv"


@pytest.fixture
def folder(tmp_path):
    """Write a NAB folder of one series with a jump, and one without."""
    (tmp_path / "data" / "made").mkdir(parents=True)
    (tmp_path / "labels").mkdir()
    for name, jump in (("steps", 50.0), ("quiet", 0.0)):
        rows = ["timestamp,value"]
        for n in range(600):
            value = n * 7 % 11 + (jump if 400 <= n < 410 else 0.0)
            rows.append(
                f"2015-01-{1 + n // 144:02} {n // 6 % 24:02}:{n % 6}0:00,{value}"
            )
        (tmp_path / "data" / "made" / f"{name}.csv").write_text("\n".join(rows) + "\n")
    window = ["2015-01-03 17:20:00.000000", "2015-01-03 22:20:00.000000"]
    windows = {NAME: [window], "made/quiet.csv": []}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    return tmp_path


def run(*arguments):
    """Run the command; a StartError is what `main` turns into a sentence."""
    found = CliRunner().invoke(app, ["eval", "nab", *map(str, arguments)])
    if isinstance(found.exception, StartError):
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.stdout


def test_results_are_laid_out_as_nab_does(folder, tmp_path):
    """One row a point, in the place and with the columns that NAB's scorer reads."""
    out = tmp_path / "out"
    run(folder, "--out", out)

    with (out / "headgate" / "made" / "headgate_steps.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["timestamp", "value", "anomaly_score", "label"]
    assert len(rows) == 600
    assert rows[0]["timestamp"] == "2015-01-01 00:00:00"
    assert sum(int(row["label"]) for row in rows) == 31
    assert all(0 <= float(row["anomaly_score"]) <= 1 for row in rows)


def test_scores_are_told_for_each_profile(folder, tmp_path):
    """The jump is found, so the score is high and its threshold a real one."""
    lines = run(folder, "--out", tmp_path / "out", "--json").splitlines()
    found = {line["profile"]: line for line in map(json.loads, lines)}

    assert list(found) == ["standard", "reward_low_FP_rate", "reward_low_FN_rate"]
    assert found["standard"]["score"] > 50
    assert found["standard"]["windows"] == 1
    final = json.loads((tmp_path / "out" / "final_results.json").read_text())
    assert final["headgate"]["standard"] == pytest.approx(
        found["standard"]["score"], abs=0.01
    )


def test_the_files_of_scores_add_up(folder, tmp_path):
    """The last row is the sum; every point after probation is counted once."""
    run(folder, "--out", tmp_path / "out")

    path = tmp_path / "out" / "headgate" / "headgate_standard_scores.csv"
    with path.open() as lines:
        *files, totals = csv.DictReader(lines)
    assert [row["File"] for row in files] == ["made/quiet.csv", NAME]
    counted = sum(int(totals[name]) for name in ("TP", "TN", "FP", "FN"))
    assert counted == 2 * (600 - 90)


def test_a_folder_without_series_is_told(tmp_path):
    """The message says what was expected where."""
    (tmp_path / "combined_windows.json").write_text("{}")

    with pytest.raises(StartError, match=r"no data/CATEGORY/FILE\.csv"):
        run(tmp_path, "--out", tmp_path / "out")


def test_a_row_that_is_no_number_is_told_with_its_file(folder):
    """A broken file is named, not skipped."""
    with (folder / "data" / NAME).open("a") as lines:
        lines.write("2015-01-09 00:00:00,many\n")

    with pytest.raises(StartError, match=r"steps\.csv.*many"):
        run(folder, "--out", folder / "out")
