"""What the signals of an upload tell the rules, beside the scores."""

from collections.abc import Mapping
from datetime import datetime

from schemas.records import (
    Category,
    ContentSignals,
    Missing,
    Stage,
    UploaderHistory,
)
from streams.rules.findings import Findings

_DAY_S = 86_400.0
_NO_MEDIUM = ("media", "mime")  # Missing, these leave open what the medium was.

# Stages that come when the upload is long in its uploader's history.
_AFTERWARDS = (Stage.SWEPT, Stage.CAMPAIGN)


def gather(
    signals: ContentSignals,
    history: UploaderHistory,
    *,
    categories: Mapping[Category, float],
    anomalies: Mapping[str, float],
    banks: Mapping[str, float],
    missing: tuple[Missing, ...],
) -> Findings:
    """Return all that rules can read of an upload; `missing` has every lacking signal.

    A swept upload has no history: how things were on the day it came is not kept. How
    many uploads its uploader has by now is told all the same.
    """
    event = signals.event
    lost = {m.signal.partition(":")[0] for m in missing}
    time = None if "event_time" in lost else event.event_time
    return Findings(
        stage=signals.stage,
        categories=categories,
        anomalies=anomalies,
        banks=banks,
        missing=missing,
        labels=_labels(signals, lost),
        history=None if signals.stage in _AFTERWARDS else _history(history, time),
        kind=event.kind,
        uploader_id=event.uploader_id,
        revision=event.revision,
        territories=event.territories,
        language=event.language,
        texts=_texts(signals),
        heard=_heard(signals, lost),
        media_s=_media_s(signals, lost),
        event_time=event.event_time,
        uploads=history.uploads,
    )


def _history(history: UploaderHistory, time: datetime | None) -> dict[str, float]:
    """Return how many uploads were learned and for how long; 0 days for a late one."""
    known = {"uploads": float(history.uploads)}
    if time is not None:
        first = history.first_seen or time
        known["age_days"] = max(0.0, (time - first).total_seconds() / _DAY_S)
    return known


def _labels(signals: ContentSignals, lost: set[str]) -> Mapping[str, float] | None:
    """Return the highest probability of each label; None where pictures went unseen."""
    if lost.intersection((*_NO_MEDIUM, "frames")):
        return None
    if not signals.labels and any(fact.width_px for fact in signals.media):
        return None  # There is no classifier, or it failed.
    found: dict[str, float] = {}
    for label in signals.labels:
        found[label.label] = max(label.probability, found.get(label.label, 0.0))
    return found


def _texts(signals: ContentSignals) -> dict[str, str]:
    """Return the event's texts, each followed by what stood there in disguise."""
    texts = dict(signals.event.texts)
    for text in signals.texts:
        if text.normalised and text.source in texts:
            texts[text.source] += "\n" + text.normalised
    return texts


def _heard(signals: ContentSignals, lost: set[str]) -> tuple[str, ...] | None:
    if signals.stage is Stage.SCREENED or lost.intersection(
        (*_NO_MEDIUM, "transcript")
    ):
        return None
    texts = signals.texts
    return tuple(t.text for t in texts if t.source.startswith("transcript:"))


def _media_s(signals: ContentSignals, lost: set[str]) -> float | None:
    if lost.intersection(_NO_MEDIUM):
        return None
    lengths = (fact.duration_s for fact in signals.media)
    return max((length for length in lengths if length is not None), default=0.0)
