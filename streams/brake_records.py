"""The brakes of a partition as records of their changelog, and back."""

from collections.abc import Iterable

from schemas.records import BrakeCount, BrakeDay, BrakeUploader
from streams.brakes import BrakeState, RuleUse
from streams.hit_rate import DayCount, HitRate

# Keys the record of the partition's uploads; no rule's id begins with a colon.
PARTITION_KEY = ":partition"


def changed_records(
    before: BrakeState, after: BrakeState
) -> dict[str, BrakeCount | None]:
    """Return what changed, by key; None where a rule was forgotten."""
    if after is before:
        return {}
    found: dict[str, BrakeCount | None] = {PARTITION_KEY: _of_partition(after)}
    for rule_id, use in after.rules.items():
        if before.rules.get(rule_id) is not use:
            found[rule_id] = _of_rule(rule_id, use)
    gone = before.rules.keys() - after.rules.keys()
    return found | dict.fromkeys(sorted(gone))


def state_of(records: Iterable[BrakeCount]) -> BrakeState:
    """Return the state that these records are all of."""
    state, rules = BrakeState(), {}
    for record in records:
        if record.rule_id:
            rules[record.rule_id] = _use(record)
        else:
            days = tuple((day.day, day.uploads) for day in record.days)
            state = BrakeState(record.uploads, record.hour, days)
    return BrakeState(state.uploads, state.hour, state.days, rules)


def _of_partition(state: BrakeState) -> BrakeCount:
    days = tuple(BrakeDay(day, before) for day, before in state.days)
    return BrakeCount("", state.hour, state.uploads, days)


def _of_rule(rule_id: str, use: RuleUse) -> BrakeCount:
    return BrakeCount(
        rule_id=rule_id,
        hour=use.hour,
        uploads=use.seen,
        days=tuple(BrakeDay(d.day, d.uploads, d.hits) for d in use.rate.days),
        acted=use.acted,
        by_uploader=tuple(BrakeUploader(*one) for one in use.by_uploader.items()),
        evidence=use.rate.evidence,
        held_until_hour=use.held_until_hour,
    )


def _use(record: BrakeCount) -> RuleUse:
    rate = HitRate(
        tuple(DayCount(d.day, d.uploads, d.hits) for d in record.days), record.evidence
    )
    # Another version looked for other jumps: its evidence is not ours.
    same = len(record.evidence) == len(HitRate().evidence)
    return RuleUse(
        hour=record.hour,
        acted=record.acted,
        by_uploader={one.uploader_id: one.acted for one in record.by_uploader},
        rate=rate if same else rate.accepted(),
        seen=record.uploads,
        held_until_hour=record.held_until_hour,
    )
