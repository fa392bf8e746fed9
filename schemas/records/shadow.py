"""What a candidate would have done."""

from dataclasses import dataclass
from datetime import datetime

from schemas.records.decision import PolicyRef
from schemas.records.words import Action, Category, Kind, Stage


@dataclass(frozen=True, slots=True)
class ShadowMarket:
    """What both policies say in one territory, where one of them tells it apart."""

    market: str  # ISO 3166-1 alpha-2.
    live_action: Action
    action: Action


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """What a candidate would have said, beside the decision that acts; never acted on.

    Scores and evidence are in the live decision, which it names.
    """

    shadow: str  # The candidate's name.
    decision_id: str  # Of the live decision.
    content_id: str
    revision: int
    uploader_id: str
    kind: Kind
    stage: Stage
    event_time: datetime
    live_action: Action
    action: Action
    same_degree: bool  # Action, strength, age, duration: all equal, and everywhere.
    live_clause: str
    clause: str
    # Of the rule that gave the harder of the two actions; None where it reads none.
    category: Category | None
    live_rules: tuple[str, ...]  # Ids of the rules that fired, strictest first.
    rules: tuple[str, ...]
    territories: tuple[str, ...]  # Where it is to be released; empty: anywhere.
    by_market: tuple[ShadowMarket, ...]
    uploads: int | None  # Of the uploader before this one; None: not known here.
    percent: float  # Of uploaders that the candidate is asked about, in (0, 100].
    live_policy: PolicyRef
    policy: PolicyRef
    head: str | None = None  # SHA-256 of the candidate's own risk head.
