"""NAB's result files: a score a point, the thresholds, and what they come to.

OUT/DETECTOR/CATEGORY/DETECTOR_FILE.csv    timestamp,value,anomaly_score,label
OUT/DETECTOR/DETECTOR_PROFILE_scores.csv   a row for each file
OUT/thresholds.json, OUT/final_results.json
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from streams.nab.corpus import Series
from streams.nab.scoring import PROFILES, Best, Counts, Floats, count

DETECTOR = "headgate"
POINT_COLUMNS = ("timestamp", "value", "anomaly_score", "label")
FILE_COLUMNS = (
    "Detector", "Profile", "File", "Threshold", "Score", "TP", "TN", "FP", "FN",
    "Total_Count",
)  # fmt: skip


def write_points(out: Path, series: Series, scores: Floats) -> Path:
    """Write one series' scores; returns the file."""
    path = out / DETECTOR / series.category / f"{DETECTOR}_{series.file}"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(POINT_COLUMNS)
        points = zip(
            series.timestamps,
            series.values,
            scores.tolist(),
            series.labels,
            strict=True,
        )
        writer.writerows(points)
    return path


def write_scores(
    out: Path, corpus: Sequence[Series], scores: Sequence[Floats], best: dict[str, Best]
) -> None:
    """Write each profile's rows, the thresholds and the final results."""
    thresholds = {}
    for profile in PROFILES:
        threshold = best[profile.name].threshold
        counts = [
            count(series.truth, score, threshold, profile)
            for series, score in zip(corpus, scores, strict=True)
        ]
        _write_files(out, profile.name, threshold, corpus, counts)
        total = sum(one.score for one in counts)
        thresholds[profile.name] = {"threshold": threshold, "score": total}
    final = {name: one.score for name, one in best.items()}
    _write_json(out / "thresholds.json", {DETECTOR: thresholds})
    _write_json(out / "final_results.json", {DETECTOR: final})


def _write_files(
    out: Path,
    profile: str,
    threshold: float,
    corpus: Sequence[Series],
    counts: Sequence[Counts],
) -> None:
    path = out / DETECTOR / f"{DETECTOR}_{profile}_scores.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        (one.score, one.tp, one.tn, one.fp, one.fn, series.truth.points)
        for series, one in zip(corpus, counts, strict=True)
    ]
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(FILE_COLUMNS)
        for series, row in zip(corpus, rows, strict=True):
            writer.writerow([DETECTOR, profile, series.truth.name, threshold, *row])
        totals = [sum(column) for column in zip(*rows, strict=True)]
        writer.writerow(["Totals", "", "", "", *totals])


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
