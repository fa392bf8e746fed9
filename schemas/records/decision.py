"""What is done about an upload, and why."""

from dataclasses import dataclass
from datetime import datetime

from schemas.records.signals import Missing, ModelUse, StageTime
from schemas.records.words import Action, Category, Kind


@dataclass(frozen=True, slots=True)
class Evidence:
    """The span that carried a score."""

    source: str  # A text's name, transcript:ROLE, a media role, uploader.
    reason: str
    start_char: int | None = None
    end_char: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One category of a decision; None where no model covers it or its input lacks."""

    category: Category
    probability: float | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class AnomalyScore:
    """How unusual an upload is for its uploader."""

    name: str
    value: float  # In [0, 1]; higher is riskier.
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which policy decided."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of the policy that held for the upload."""

    rule_id: str
    clause: str  # Of the published platform rules that it stands for; may be empty.
    action: Action


@dataclass(frozen=True, slots=True)
class MarketAction:
    """What to do in one territory, where that is not what to do elsewhere."""

    market: str  # ISO 3166-1 alpha-2.
    action: Action
    clause: str
    strength: float = 1.0
    min_age: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class BrakedRule:
    """A rule that must not act by itself on an upload."""

    rule_id: str  # Of an action for something missing: its clause.
    # A reason code, then details: per_hour, per_uploader_per_hour, hit_rate,
    # second_approval.
    reason: str
    action: Action  # What it asks for where it is not held.


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """The word on an upload that other services act on."""

    decision_id: str
    content_id: str
    revision: int
    uploader_id: str
    kind: Kind
    action: Action
    provisional: bool
    supersedes: str | None
    clause: str  # The clause of the policy that fired.
    categories: tuple[CategoryScore, ...]  # Every category, in CATEGORIES' order.
    anomalies: tuple[AnomalyScore, ...]
    campaign_id: str | None
    policy: PolicyRef
    models: tuple[ModelUse, ...]
    missing: tuple[Missing, ...]
    braked: bool
    automated_detection: bool
    automated_decision: bool
    event_time: datetime
    stage_times: tuple[StageTime, ...]
    rules: tuple[FiredRule, ...] = ()  # Every rule that fired, strictest first.
    by_market: tuple[MarketAction, ...] = ()  # Where `action` is not what to do.
    strength: float = 1.0  # Of `limit`: the share of promotion that is taken away.
    min_age: int | None = None  # Of `age_restrict`, in years.
    duration_s: int | None = None  # How long the action stays; None: until revised.
    brakes: tuple[BrakedRule, ...] = ()  # Automatic actions that were held, and why.
    instead_of: Action | None = None  # What would have been done; None: not braked.
