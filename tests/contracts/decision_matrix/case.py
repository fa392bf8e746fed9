"""A case of the matrix: uploads, what is expected of the last, and how both are built.

Scores travel in the signals, as labels of a model that nobody has; so each way to a
decision can be given the same ones.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from schemas.records import (
    BankMatch,
    Category,
    ContentSignals,
    Kind,
    Missing,
    PictureLabel,
    RiskDecision,
    ShadowDecision,
)
from tests.builders import an_event, signals

MODEL = "matrix"
HOUR_S = 3_600.0
DAY_S = 86_400
DE, US = ("DE",), ("US",)
PODCAST = "podcast_episode"
# A rule's counts are its partition's, and cases share partitions. So far apart none
# finds what another left: brakes forget a rule after 30 days.
_APART = timedelta(days=40)


@dataclass(frozen=True)
class Expected:
    """What must be decided; `fired` in the order of strictness."""

    action: str
    clause: str
    fired: tuple[str, ...] = ()
    by_market: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    duration_s: int | None = None
    min_age: int | None = None
    strength: float = 1.0
    # What had to wait for a person: its rule, why, and what it would have done.
    held: tuple[tuple[str, str, str], ...] = ()
    instead_of: str | None = None
    # What is said where no limit holds a rule: by a shadow, in a what-if. None: this.
    unlimited: "Expected | None" = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class MatrixCase:
    """Uploads of one uploader, whom no other case has, and what is said of the last."""

    name: str
    uploads: tuple[ContentSignals, ...]
    expected: Expected

    @property
    def content_id(self) -> str:
        """The last upload's; no other case has it."""
        return self.uploads[-1].event.content_id


def said(decision: RiskDecision) -> Expected:
    """Return what a decision says, in the form of what is expected of one."""
    instead_of = decision.instead_of
    return Expected(
        action=decision.action.lower(),
        clause=decision.clause,
        fired=tuple(rule.rule_id for rule in decision.rules),
        by_market={m.market: m.action.lower() for m in decision.by_market},
        missing=tuple(m.signal for m in decision.missing),
        duration_s=decision.duration_s,
        min_age=decision.min_age,
        strength=decision.strength,
        held=tuple(
            (b.rule_id, b.reason.partition(":")[0], b.action.lower())
            for b in decision.brakes
        ),
        instead_of=None if instead_of is None else instead_of.lower(),
    )


def said_by_shadow(word: ShadowDecision) -> Expected:
    """Return what a candidate says, as far as its word tells it."""
    return Expected(
        action=word.action.lower(),
        clause=word.clause,
        fired=word.rules,
        by_market={
            m.market: m.action.lower()
            for m in word.by_market
            if m.action != word.action
        },
    )


def case(
    name: str,
    expected: Expected,
    *before: ContentSignals,
    uploader: str | None = None,
    **fields: Any,
) -> MatrixCase:
    """Build a case; `fields` are the last upload's, `uploader` is for named ones."""
    by = uploader or "-".join(re.findall(r"[a-z]+", name.lower()))
    uploads = (*before, upload(**fields))
    return MatrixCase(name, tuple(_owned(one, by) for one in uploads), expected)


def spaced(cases: Sequence[MatrixCase]) -> tuple[MatrixCase, ...]:
    """Return cases with brakes, each so long after the one before that it is alone."""
    return tuple(
        replace(one, uploads=tuple(_later(u, n * _APART) for u in one.uploads))
        for n, one in enumerate(cases, start=1)
    )


def upload(content_id: str = "c1", **fields: Any) -> ContentSignals:
    """Build signals that state scores; `kind` and `title` are the event's."""
    stated = {f"score:{name}": v for name, v in fields.pop("score", {}).items()}
    stated |= {f"anomaly:{name}": v for name, v in fields.pop("anomaly", {}).items()}
    labels = tuple(PictureLabel("cover", MODEL, n, v) for n, v in stated.items())
    missing = tuple(Missing(s, "not_found") for s in fields.pop("missing", ()))
    bank = fields.pop("bank", None)
    match = BankMatch("cover", "takedowns", "e1", Category.OTHER_POLICY, "pdq", 0)
    title = fields.pop("title", None)
    own = {k: fields.pop(k) for k in ("at_s", "territories") if k in fields}
    event = an_event(
        content_id,
        kind=Kind(fields.pop("kind", "track").upper()),
        texts=(("title", title),) if title else (),
        **own,
    )
    return signals(
        content_id,
        event=event,
        labels=labels,
        missing=missing,
        matches=(match,) if bank else (),
        **fields,
    )


def expect(action: str, clause: str, *fired: str, **more: Any) -> Expected:
    """Build what is expected of a case in which rules fired."""
    return Expected(action, clause, fired, **more)


def _owned(one: ContentSignals, by: str) -> ContentSignals:
    event = one.event
    content_id = f"{by}/{event.content_id}"
    return replace(one, event=replace(event, uploader_id=by, content_id=content_id))


def _later(one: ContentSignals, by: timedelta) -> ContentSignals:
    event = one.event
    return replace(one, event=replace(event, event_time=event.event_time + by))


ALLOW = Expected("allow", "default.allow")
HATE_REVIEW = Expected("review", "hate.review>=0.5", ("hate.review",))
HATE_BLOCK = Expected("block", "hate.block>=0.95", ("hate.block", "hate.review"))
