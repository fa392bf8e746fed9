"""Campaigns: are near copies across uploaders joined, how soon, and at what price?"""

from typing import Final, cast

from streams.campaigns import Campaigns
from streams.evaluation.campaign_figures import (
    WINDOW_MS,
    Interval,
    figures,
    watch,
)
from streams.evaluation.campaign_traffic import as_signals
from streams.evaluation.figures import (
    Estimate,
    Figure,
    NotMeasuredError,
    Section,
    Target,
)
from streams.evaluation.made_campaigns import traffic
from streams.evaluation.scored_rows import Inputs

UPLOADS: Final = 20_000
SEED: Final = 404  # On which nothing was tuned or looked at.


def campaigns(inputs: Inputs) -> Section:
    """Look for campaigns in made traffic, a minute or two.

    Raises:
        NotMeasuredError: there is no text model.
    """
    if inputs.embed is None:
        raise NotMeasuredError("no text model was given to read the traffic with")
    made = traffic(SEED, UPLOADS, "report")
    finder = Campaigns(window_ms=WINDOW_MS, most_uploads=200_000, most_members=1000)
    outcome = watch(finder, as_signals(made, inputs.embed))
    found = figures(outcome, [u.campaign for u in made], [u.kind for u in made])
    return campaigns_section(
        _estimate(found["precision"]),
        _estimate(found["recall"]),
        _estimate(found["uploads_until_found"]),
        cast(float, found["uploads_per_s"]),
        UPLOADS,
        f"{found['campaigns']} campaigns among {UPLOADS:,} made-up uploads, a fiftieth "
        f"of which they are; real text model, covers and sounds as hashes. `headgate "
        "eval campaigns` makes 100,000.",
    )


def _estimate(figure: object) -> Estimate:
    assert isinstance(figure, Interval)
    return Estimate(figure.value, figure.low, figure.high)


def campaigns_section(
    precision: Estimate,
    recall: Estimate,
    median_uploads: Estimate,
    uploads_per_s: float,
    n_uploads: int,
    about: str,
) -> Section:
    """Return the section, each figure with the issue's target.

    Args:
        precision: Share of flagged uploads that are in a campaign.
        recall: Share of the campaigns' uploads that are flagged.
        median_uploads: After how many of its uploads half of campaigns are flagged.
        uploads_per_s: On one core, embeddings given.
        n_uploads: Length of the traffic.
        about: What the traffic is, in a sentence.
    """
    speed = Estimate(uploads_per_s, why_not="no interval: one run")
    figures = (
        Figure(
            "precision",
            precision,
            n_uploads,
            target=Target(0.95),
            key="campaigns.precision",
        ),
        Figure(
            "recall", recall, n_uploads, target=Target(0.90), key="campaigns.recall"
        ),
        Figure(
            "uploads until half of campaigns are flagged",
            median_uploads,
            n_uploads,
            target=Target(8, "at most"),
            key="campaigns.uploads_to_flag",
            decimals=1,
        ),
        Figure(
            "uploads a second, one core",
            speed,
            n_uploads,
            target=Target(2000),
            key="campaigns.uploads_per_s",
            decimals=0,
        ),
    )
    return Section("campaigns", "", about, figures)
