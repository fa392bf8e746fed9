"""Tells the policy how surely an upload is part of a campaign."""

from dataclasses import dataclass

from schemas.records import Category, ContentSignals, ModelUse, UploaderHistory
from streams.scorers.base import Score


@dataclass(frozen=True, slots=True)
class InCampaign:
    """Gives the value of the campaign that an upload was found to be in.

    It is found beside `judge`, since it spans uploaders (`streams.campaign_watch`), and
    stands in the signals that are judged again.
    """

    name: str = "campaign"
    categories: tuple[Category, ...] = ()
    models: tuple[ModelUse, ...] = ()
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Give one score; none for an upload that is in no campaign."""
        fact = signals.campaign
        if fact is None:
            return ()
        value = min(max(fact.value, 0.0), 1.0) if fact.value == fact.value else 0.0
        reason = (
            f"one of {fact.uploads} near copies by {fact.uploaders} uploaders; alike: "
            f"{', '.join(fact.alike)}"
        )
        return (Score(self.name, value, reason),)
