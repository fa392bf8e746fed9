"""NAB's shared series: our scoring against published scores, our detector's quality."""

import math

import numpy as np
import pytest

from streams.nab.corpus import read_corpus
from streams.nab.running import detect
from streams.nab.scoring import STANDARD, count, gained_at, normalised

# Raw scores of NAB's Windowed Gaussian detector at threshold 1.0, standard profile, as
# published in numenta/NAB, results/windowedGaussian/, file
# windowedGaussian_standard_scores.csv (commit 487c0f97): TP, FP, score. Series that are
# shorter than its window of thousands of points.
PUBLISHED = {
    "realAWSCloudwatch/ec2_network_in_257a54.csv": (4, 0, 0.8606718242697022),
    "realAWSCloudwatch/elb_request_count_8c0756.csv": (1, 0, -0.13844919792440225),
    "realAWSCloudwatch/ec2_cpu_utilization_24ae8d.csv": (2, 11, -1.266678759349383),
    "realAWSCloudwatch/ec2_cpu_utilization_c6585a.csv": (0, 12, -1.32),
    "realAdExchange/exchange-3_cpc_results.csv": (5, 1, 2.5026632611866138),
    "realAdExchange/exchange-4_cpc_results.csv": (3, 4, 0.2922884634276035),
    "realTraffic/TravelTime_387.csv": (1, 6, -1.7959813307852819),
    "realKnownCause/ec2_request_latency_system_failure.csv": (
        3, 0, -0.06591011872780705,
    ),
}  # fmt: skip
# A series or two of each category, for seconds.
SLICE = (
    "artificialNoAnomaly/art_daily_small_noise.csv",
    "artificialWithAnomaly/art_daily_flatmiddle.csv",
    "realAWSCloudwatch/ec2_network_in_257a54.csv",
    "realAWSCloudwatch/rds_cpu_utilization_e47b3b.csv",
    "realAdExchange/exchange-3_cpc_results.csv",
    "realKnownCause/nyc_taxi.csv",
    "realTraffic/speed_t4013.csv",
)
# The best threshold of all 31 series when the settings were chosen.
THRESHOLD = 0.9288


@pytest.fixture(scope="module")
def corpus(shared_data):
    """Read the shared part of NAB by name."""
    return {series.truth.name: series for series in read_corpus(shared_data("nab"))}


def windowed_gaussian(values):
    """Score by the tail of a normal distribution over all values so far."""
    scores = np.zeros(len(values))
    for at in range(1, len(values)):
        known = values[:at]
        spread = float(np.std(known)) or 1e-6
        above = (values[at] - float(np.mean(known))) / spread
        scores[at] = 1 - 0.5 * math.erfc(max(0.0, above) / math.sqrt(2))
    return scores


@pytest.mark.parametrize("name", PUBLISHED)
def test_scoring_gives_what_nab_published(corpus, name):
    """The same alarms get the same points and the same score to ten digits."""
    series = corpus[name]
    found = count(
        series.truth, windowed_gaussian(np.array(series.values)), 1.0, STANDARD
    )

    assert (found.tp, found.fp) == PUBLISHED[name][:2]
    assert found.score == pytest.approx(PUBLISHED[name][2], abs=1e-10)


def test_the_corpus_is_read_whole(corpus):
    """31 series of 179,391 points, 57 windows, as the folder's README says."""
    assert len(corpus) == 31
    assert sum(series.truth.points for series in corpus.values()) == 179_391
    assert sum(len(series.truth.windows) for series in corpus.values()) == 57


def test_the_detector_keeps_its_quality(corpus):
    """A change that loses quality on a slice fails; 92.0 when the slice was made."""
    chosen = [corpus[name] for name in SLICE]
    truths = [series.truth for series in chosen]
    gained = [
        gained_at(series.truth, detect(series), THRESHOLD, STANDARD)
        for series in chosen
    ]

    assert normalised(sum(gained), truths, STANDARD) > 87.0
