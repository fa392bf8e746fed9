"""The judging core for one upload: score, decide, then learn.

    judged = judge.judge(signals, history)
    history = judge.learn(history, signals, judged.decision, encode(judged.decision))

Learning is a step of its own since the history keeps the decision's bytes, and
encoding is the caller's. The worker, `assess` and replay all call these two.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from schemas.records import (
    CATEGORIES,
    AnomalyScore,
    BrakedRule,
    Category,
    CategoryScore,
    ContentSignals,
    Evidence,
    Missing,
    ModelUse,
    RiskDecision,
    Stage,
    UploaderHistory,
)
from streams.braking import Holding, decide_held, nothing_held
from streams.fingerprint import unpack
from streams.history import AFTERWARDS, recall, remember, stage_key
from streams.policy import Consequence, Findings, Policy, Verdict
from streams.rules.gathering import gather
from streams.scorers.base import Score, Scorer, is_read
from streams.scorers.hash_match import match_value
from streams.wording import word_of

# Ours, made once; every decision id hangs on it.
DECISION_NAMESPACE = uuid.UUID("6f1d7c1e-52a5-4f0e-9a3b-0c7e5d2b8a41")
# Probabilities are rounded before policy sees them: their low bits differ between
# processors, and a decision must not.
PROBABILITY_DECIMALS = 4
TOP_EVIDENCE = 5  # Spans a category; a reviewer reads no more at a glance.
_UNSCORED = {category: CategoryScore(category, None) for category in CATEGORIES}


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging one upload gave.

    `duplicate` is `no`: a new `decision`, to be encoded, learned and emitted.
    `again`: judged before; emit `recorded` as it is, learn nothing.
    `old`: judged before, or a provisional word after the final one; emit nothing, log
    it. `history` is the one that was passed in.
    """

    decision: RiskDecision | None
    history: UploaderHistory
    duplicate: Literal["no", "again", "old"] = "no"
    recorded: bytes | None = None
    scores: tuple[Score, ...] = ()
    findings: Findings | None = None  # What the policy was asked about …
    verdict: Verdict | None = None  # … and what it said.


class Judge:
    """Scorers and a policy; pure, so one judge serves every thread."""

    def __init__(self, scorers: tuple[Scorer, ...], policy: Policy) -> None:
        self._scorers = scorers
        self._policy = policy

    def under(self, policy: Policy) -> "Judge":
        """Return a judge with the same scorers and another policy."""
        return Judge(self._scorers, policy)

    @property
    def policy(self) -> Policy:
        """The policy it decides by."""
        return self._policy

    def judge(
        self,
        signals: ContentSignals,
        history: UploaderHistory,
        hold: Holding = nothing_held,
    ) -> Judged:
        """Decide on an upload, or recognise one that was judged before.

        Args:
            signals: all that was found in it.
            history: its uploader's.
            hold: says which rules must not act by themselves; asked once for each
                upload that is decided on.

        Raises:
            ValueError: the history is another uploader's.
        """
        if history.uploader_id != signals.event.uploader_id:
            raise ValueError(
                f"history is of uploader {history.uploader_id!r}; expected "
                f"{signals.event.uploader_id!r}; look it up by the event's uploader_id"
            )
        known = recall(history, signals)
        if known is not None:
            duplicate: Literal["again", "old"] = "again" if known.decision else "old"
            return Judged(None, history, duplicate, known.decision)
        # It is long in its history by then, and would look like its own copy.
        is_again = signals.stage in AFTERWARDS
        seen = UploaderHistory(history.uploader_id) if is_again else history
        scored = [(s, s.score(signals, seen)) for s in self._scorers]
        scores = tuple(score for _, given in scored for score in given)
        models = (m for scorer, given in scored if given for m in scorer.models)
        categories, anomalies = _by_category(scores), _anomalies(scores)
        findings = self._findings(signals, history, categories, anomalies)
        verdict, brakes = decide_held(self._policy, signals, findings, hold)
        decision = self._decision(
            signals, categories, anomalies, verdict, brakes, models
        )
        return Judged(
            decision, history, scores=scores, findings=findings, verdict=verdict
        )

    def learn(
        self,
        history: UploaderHistory,
        signals: ContentSignals,
        decision: RiskDecision,
        decision_bytes: bytes,
    ) -> UploaderHistory:
        """Return the next history; see `streams.history.remember`."""
        return remember(history, signals, decision, decision_bytes)

    def _decision(
        self,
        signals: ContentSignals,
        categories: tuple[CategoryScore, ...],
        anomalies: tuple[AnomalyScore, ...],
        verdict: Verdict,
        brakes: tuple[BrakedRule, ...],
        models: Iterable[ModelUse],
    ) -> RiskDecision:
        event = signals.event
        campaign = signals.campaign
        return RiskDecision(
            decision_id=decision_id(signals, signals.stage, self._policy.sha256),
            content_id=event.content_id,
            revision=event.revision,
            uploader_id=event.uploader_id,
            kind=event.kind,
            provisional=signals.stage is Stage.SCREENED,
            supersedes=_decision_before(signals, self._policy.sha256),
            categories=categories,
            anomalies=anomalies,
            campaign_id=campaign.campaign_id if campaign else None,
            policy=self._policy.ref,
            models=tuple(dict.fromkeys((*signals.models, *models))),
            missing=tuple(_with_consequence(c) for c in verdict.consequences),
            automated_detection=True,  # Nothing but machines speaks here.
            event_time=event.event_time,
            stage_times=signals.stage_times,
            brakes=brakes,
            **word_of(verdict),
        )

    def _findings(
        self,
        signals: ContentSignals,
        history: UploaderHistory,
        categories: tuple[CategoryScore, ...],
        anomalies: tuple[AnomalyScore, ...],
    ) -> Findings:
        banks: dict[str, float] = {}
        for match in signals.matches:
            value = _rounded(match_value(match))
            banks[match.bank] = max(value, banks.get(match.bank, 0.0))
        found = {
            c.category: c.probability for c in categories if c.probability is not None
        }
        return gather(
            signals,
            history,
            categories=found,
            anomalies={a.name: a.value for a in anomalies},
            banks=banks,
            missing=(
                *signals.missing,
                *_unembedded(signals),
                *self._unread(signals),
            ),
        )

    def _unread(self, signals: ContentSignals) -> Iterator[Missing]:
        """Name the texts whose language a scorer doesn't read."""
        for scorer in self._scorers:
            known = {
                text.source: text.language
                for text in signals.texts
                if not is_read(text.language, scorer.languages)
            }
            for source, language in known.items():
                reads = ", ".join(sorted(scorer.languages or ()))
                reason = f"unsupported: {language}, {scorer.name} reads {reads}"
                yield Missing(f"language:{source}", reason)


def _unembedded(signals: ContentSignals) -> Iterator[Missing]:
    """Name the texts that no embedding speaks for, so that no scorer can."""
    mute = (text.source for text in signals.texts if unpack(text.embedding) is None)
    for source in dict.fromkeys(mute):
        yield Missing(f"text:{source}", "no_embedding: none, or not of finite numbers")


def decision_id(signals: ContentSignals, stage: Stage, policy_sha256: str) -> str:
    """Return the id of the decision on these signals: UUIDv5, so it is always the same.

    Of policy, stage, revision and content id; the last may hold anything, the others
    hold no line end.
    """
    event = signals.event
    key = stage_key(signals, stage)
    return decision_id_of(event.content_id, event.revision, key, policy_sha256)


def decision_id_of(
    content_id: str, revision: int, stage: str, policy_sha256: str
) -> str:
    """Return the id of a decision by what it is made of; `stage` is a `stage_key`."""
    name = f"{policy_sha256}\n{stage}\n{revision}\n{content_id}"
    return str(uuid.uuid5(DECISION_NAMESPACE, name))


def _decision_before(signals: ContentSignals, policy_sha256: str) -> str | None:
    """Return the id of the decision that this one takes the place of."""
    before: Stage | None = None
    if signals.stage is Stage.CAMPAIGN:
        before = Stage.SWEPT if signals.sweep else Stage.COMPLETE
    elif signals.stage is Stage.SWEPT and signals.campaign is not None:
        before, signals = Stage.CAMPAIGN, replace(signals, sweep=())
    elif signals.stage is Stage.SWEPT:
        before = Stage.COMPLETE
    elif signals.provisional_sent and signals.stage is not Stage.SCREENED:
        before = Stage.SCREENED
    return decision_id(signals, before, policy_sha256) if before else None


def _by_category(scores: tuple[Score, ...]) -> tuple[CategoryScore, ...]:
    """Merge the scores into every category, in CATEGORIES' order."""
    found: dict[Category, list[Score]] = {}
    for score in scores:
        if score.category is not None:
            found.setdefault(score.category, []).append(score)
    return tuple(
        _merged(category, found[category]) if category in found else unscored
        for category, unscored in _UNSCORED.items()
    )


def _merged(category: Category, scores: list[Score]) -> CategoryScore:
    """Take the highest score and the strongest evidence of all."""
    spans = [_rounded_evidence(e) for score in scores for e in score.evidence]
    spans.sort(key=lambda e: -1.0 if e.score is None else e.score, reverse=True)
    highest = max(score.value for score in scores)
    return CategoryScore(category, _rounded(highest), tuple(spans[:TOP_EVIDENCE]))


def _anomalies(scores: tuple[Score, ...]) -> tuple[AnomalyScore, ...]:
    return tuple(
        AnomalyScore(score.name, _rounded(score.value), score.reason)
        for score in scores
        if score.category is None
    )


def _rounded(value: float) -> float:
    return round(float(value), PROBABILITY_DECIMALS)


def _rounded_evidence(evidence: Evidence) -> Evidence:
    if evidence.score is None:
        return evidence
    return replace(evidence, score=_rounded(evidence.score))


def _with_consequence(consequence: Consequence) -> Missing:
    """Say what the policy did about a missing signal, after the reason's code."""
    missing = consequence.missing
    joint = ";" if ":" in missing.reason else ":"  # The code ends at the first colon.
    said = f"{missing.reason}{joint} policy says {consequence.action.lower()}"
    return replace(missing, reason=said)
