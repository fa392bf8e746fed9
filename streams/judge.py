"""The judging core for one upload: score, decide, then learn.

    judged = judge.judge(signals, history)
    history = judge.learn(history, signals, judged.decision, encode(judged.decision))

Learning is a step of its own since the history keeps the decision's bytes, and
encoding is the caller's. The worker, `assess` and replay all call these two.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from schemas.records import (
    AnomalyScore,
    BrakedRule,
    CategoryScore,
    ContentSignals,
    Missing,
    ModelUse,
    RiskDecision,
    Stage,
    UploaderHistory,
)
from streams.braking import Holding, decide_held, nothing_held
from streams.decision_ids import decision_before, decision_id
from streams.fingerprint import unpack
from streams.history import AFTERWARDS, recall, remember
from streams.merged_scores import anomalies_of, by_category, rounded
from streams.policy import Consequence, Findings, Policy, Verdict
from streams.rules.gathering import gather
from streams.scorers.base import Score, Scorer, is_read
from streams.scorers.hash_match import match_value
from streams.wording import word_of


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
        categories, anomalies = by_category(scores), anomalies_of(scores)
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
            supersedes=decision_before(signals, self._policy.sha256),
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
            value = rounded(match_value(match))
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


def _with_consequence(consequence: Consequence) -> Missing:
    """Say what the policy did about a missing signal, after the reason's code."""
    missing = consequence.missing
    joint = ";" if ":" in missing.reason else ":"  # The code ends at the first colon.
    said = f"{missing.reason}{joint} policy says {consequence.action.lower()}"
    return replace(missing, reason=said)
