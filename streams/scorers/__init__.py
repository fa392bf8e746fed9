"""The scorers that are on: what you see in the lists below is what runs.

To add one: write `NAME.py` beside these, list it here, give it a threshold in the
policy. The contract tests pick it up.
"""

from streams.scorers.anomaly import Anomaly
from streams.scorers.base import Score, Scorer
from streams.scorers.campaign import InCampaign
from streams.scorers.dormancy import Dormancy
from streams.scorers.evasion import Evasion
from streams.scorers.habits import Habits
from streams.scorers.hash_match import HashMatch
from streams.scorers.near_duplicate import NearDuplicate
from streams.scorers.pattern import PatternScorer
from streams.scorers.velocity import Velocity

DEFAULT_SCORERS: tuple[Scorer, ...] = (
    HashMatch(),
    Velocity(),
    Anomaly(),
    NearDuplicate(),
    InCampaign(),
    Evasion(),
    Habits(),
    Dormancy(),
    PatternScorer(),
)

# The names a policy may set anomaly thresholds for.
ANOMALY_NAMES: tuple[str, ...] = tuple(
    scorer.name for scorer in DEFAULT_SCORERS if not scorer.categories
)


def default_scorers(text_risk: Scorer) -> tuple[Scorer, ...]:
    """Return every scorer; `text_risk` is passed in since it needs its weights."""
    return (text_risk, *DEFAULT_SCORERS)


__all__ = ["ANOMALY_NAMES", "DEFAULT_SCORERS", "Score", "Scorer", "default_scorers"]
