"""Brakes: limits on what rules do to uploads by themselves; beyond, a person decides.

    holds, state = brake(state, acting, uploader_id, upload_time)

A rule acts when it does anything but allow or hold for review. It is held (its uploads
go to review) where it has acted too often within an hour, or on one uploader, or where
its hit rate jumped (`hit_rate`), which quarantines it for a day. The state belongs to
one partition of content.signals.v1, so a decision stays a function of that partition.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from streams.hit_rate import HitRate

# Ours: long enough for somebody to be at work, short enough to notice that it is over.
QUARANTINE_HOURS: Final = 24
# Uploaders counted of a rule in an hour. Beyond, it is held: nothing is uncounted.
MOST_UPLOADERS: Final = 4096
# A rule that hit nothing for so long starts anew; so a state holds no dead rules.
FORGET_HOURS: Final = 24 * 30
_HOURS_A_DAY: Final = 24
_MOST_DAYS: Final = 9


@dataclass(frozen=True, slots=True)
class Limits:
    """What a rule may do by itself in a partition; None is without a limit."""

    per_hour: int | None = None
    per_uploader_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """A rule that would act on an upload."""

    rule_id: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True)
class Hold:
    """A rule that is held, and why."""

    rule_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleUse:
    """What one rule did: this hour, and how its hit rate stands."""

    hour: int  # Since 1970, of event times.
    acted: int = 0
    by_uploader: Mapping[str, int] = field(default_factory=dict)
    rate: HitRate = field(default_factory=HitRate)
    seen: int = 0  # The partition's uploads when it hit last.
    held_until_hour: int | None = None


@dataclass(frozen=True, slots=True)
class BrakeState:
    """The brakes of a partition; bounded by its rules that hit within 30 days."""

    uploads: int = 0
    hour: int = 0
    days: tuple[tuple[int, int], ...] = ()  # Each day, and the uploads before it.
    rules: Mapping[str, RuleUse] = field(default_factory=dict)


def shared(limits: Limits, partitions: int) -> Limits:
    """Return one partition's share of a rule's hourly limit, 1 at the least.

    An uploader is in one partition only, so that limit is not shared.
    """
    if limits.per_hour is None:
        return limits
    return replace(limits, per_hour=max(1, limits.per_hour // partitions))


def brake(
    state: BrakeState, acting: Sequence[Acting], uploader_id: str, upload_time: datetime
) -> tuple[tuple[Hold, ...], BrakeState]:
    """Say which of the rules that would act on an upload are held, and count them.

    Args:
        state: what the partition's uploads so far led to.
        acting: the rules that fired and would act; may be empty, but each upload must
            be told, or rates are wrong.
        uploader_id: whose upload it is.
        upload_time: the event's time; a late one counts as of the latest hour.
    """
    state = _moved_on(state, upload_time)
    holds: list[Hold] = []
    rules = dict(state.rules)
    for rule in acting:
        use = _brought_up(rules.get(rule.rule_id), state)
        reason = _reason(use, rule.limits, uploader_id, state.hour)
        rules[rule.rule_id] = _counted(use, uploader_id, acted=reason is None)
        if reason is not None:
            holds.append(Hold(rule.rule_id, reason))
    return tuple(holds), replace(state, rules=rules)


def standing(
    state: BrakeState, acting: Sequence[Acting], uploader_id: str
) -> tuple[Hold, ...]:
    """Say which rules are held as things stand; nothing is counted."""
    holds = []
    for rule in acting:
        use = _standing_use(state, rule.rule_id)
        reason = _reason(use, rule.limits, uploader_id, state.hour)
        if reason is not None:
            holds.append(Hold(rule.rule_id, reason))
    return tuple(holds)


def at_hour(state: BrakeState, hour: int) -> BrakeState:
    """Return the state as of an hour since 1970, if it is not past that already."""
    return replace(state, hour=max(state.hour, hour))


def acted_beside(
    state: BrakeState, rule_ids: Iterable[str], uploader_id: str
) -> BrakeState:
    """Count rules that acted on an uploader beside the stream, in the state's hour.

    No upload is counted and no hit rate moves: what corrections are about is chosen,
    and says nothing of how often a rule hits.
    """
    rules = dict(state.rules)
    for rule_id in rule_ids:
        use = _standing_use(state, rule_id)
        rules[rule_id] = _counted(use, uploader_id, acted=True)
    return replace(state, rules=rules)


def _standing_use(state: BrakeState, rule_id: str) -> RuleUse:
    """Return a rule's use as it stands, in the state's hour."""
    use = _in_hour(state.rules.get(rule_id, RuleUse(state.hour)), state.hour)
    if use.held_until_hour is not None and state.hour >= use.held_until_hour:
        return replace(use, held_until_hour=None)
    return use


def _moved_on(state: BrakeState, upload_time: datetime) -> BrakeState:
    """Count the upload; on a new day let go of what is long past."""
    hour = max(state.hour, int(upload_time.astimezone(UTC).timestamp() // 3600))
    uploads, day = state.uploads + 1, hour // _HOURS_A_DAY
    if state.days and state.days[-1][0] == day:
        return replace(state, uploads=uploads, hour=hour)
    days = (*state.days, (day, state.uploads))[-_MOST_DAYS:]
    kept = {n: u for n, u in state.rules.items() if u.hour > hour - FORGET_HOURS}
    return BrakeState(uploads, hour, days, kept)


def _brought_up(use: RuleUse | None, state: BrakeState) -> RuleUse:
    """Bring a rule to this upload: what it missed since, and this hit."""
    hour, before = state.hour, state.uploads - 1
    if use is None:
        use = RuleUse(hour, seen=state.days[0][1])
    rate = use.rate
    for day, missed in _uploads_by_day(state.days, use.seen, before):
        rate = rate.missed(day, missed)
    use = _in_hour(use, hour)
    use = replace(use, rate=rate.hit(hour // _HOURS_A_DAY), seen=state.uploads)
    return _quarantined(use, hour)


def _in_hour(use: RuleUse, hour: int) -> RuleUse:
    """Return a rule's use with what it did in that hour."""
    if use.hour == hour:
        return use
    return replace(use, hour=hour, acted=0, by_uploader={})


def _uploads_by_day(
    days: Sequence[tuple[int, int]], first: int, end: int
) -> Iterator[tuple[int, int]]:
    """Yield each day with how many of the uploads `first` to `end` are of it."""
    ends = [before for _, before in days[1:]]
    for (day, begin), until in zip(days, [*ends, end], strict=True):
        yield day, max(0, min(until, end) - max(begin, first))


def _quarantined(use: RuleUse, hour: int) -> RuleUse:
    if use.held_until_hour is not None and hour >= use.held_until_hour:
        use = replace(use, held_until_hour=None, rate=use.rate.accepted())
    if use.held_until_hour is None and use.rate.has_jumped():
        return replace(use, held_until_hour=hour + QUARANTINE_HOURS)
    return use


def _reason(use: RuleUse, limits: Limits, uploader_id: str, hour: int) -> str | None:
    """Say why the rule must not act; None if it may."""
    if use.held_until_hour is not None:
        hours = use.held_until_hour - hour
        return f"hit_rate: jumped; to people for {hours} hours more"
    if limits.per_hour is not None and use.acted >= limits.per_hour:
        return f"per_hour: acted {use.acted} times in this hour and partition"
    most = limits.per_uploader_per_hour
    if most is None:
        return None
    done = use.by_uploader.get(uploader_id)
    if done is None and len(use.by_uploader) >= MOST_UPLOADERS:
        return f"per_uploader_per_hour: acted on {MOST_UPLOADERS} uploaders"
    if (done or 0) >= most:
        return f"per_uploader_per_hour: acted {done} times on this uploader"
    return None


def _counted(use: RuleUse, uploader_id: str, *, acted: bool) -> RuleUse:
    if not acted:
        return use
    done = use.by_uploader.get(uploader_id, 0) + 1
    known = use.by_uploader
    if uploader_id in known or len(known) < MOST_UPLOADERS:
        known = {**known, uploader_id: done}
    return replace(use, acted=use.acted + 1, by_uploader=known)
