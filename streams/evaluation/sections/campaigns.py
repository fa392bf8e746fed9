"""Campaigns: are near copies across uploaders joined, how soon, and at what price?"""

from streams.evaluation.figures import (
    Estimate,
    Figure,
    NotMeasuredError,
    Section,
    Target,
)
from streams.evaluation.scored_rows import Inputs


def campaigns(inputs: Inputs) -> Section:
    """Measure campaigns in generated traffic.

    Raises:
        NotMeasuredError: there is nothing to run.
    """
    raise NotMeasuredError(
        "the detector is not wired to the scorecard yet; its place is "
        "streams/evaluation/sections/campaigns.py: run it over generated traffic and "
        "return `campaigns_section(…)`"
    )


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
