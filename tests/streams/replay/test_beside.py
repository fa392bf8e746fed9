"""Facts about the brakes on corrections: the stream's counts, and then their own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.records import Action, FiredRule
from streams.brakes import Acting, BrakeState, Limits, RuleUse, brake
from streams.policy_file import parse_policy
from streams.replay.beside import BesideBrakes
from tests.builders import NOON, a_decision, signals

HOUR = int(NOON.timestamp()) // 3600
POLICY = parse_policy(
    """
id: p
version: "1"
owner: me
rules:
  - {id: spam, clause: c, when: score.fraud_spam >= 0.5, action: limit,
     brake: {per_hour: 6, per_uploader_per_hour: 2}}
  - {id: free, clause: c, when: score.hate >= 0.5, action: block}
""",
    "p.yaml",
)


def a_correction(n, uploader="u", rule="spam", action=Action.LIMIT):
    """Build the n-th correction, which a rule made."""
    upload = signals(f"c{n}", uploader_id=f"{uploader}{n}")
    return a_decision(upload, action=action, rules=(FiredRule(rule, "c", action),))


def brakes(states=None, hour=HOUR, partitions=2, place=lambda uploader: 0):
    """Build brakes on top of what the stream counted."""
    return BesideBrakes(
        POLICY, states or {}, hour=hour, place=place, partitions=partitions
    )


def held(corrections, on):
    """Return the reasons, a correction each; none where it may act."""
    return ["".join(hold.reason for hold in on.hold(one)) for one in corrections]


def after(times, uploader="live", hour=HOUR):
    """Return the state of a partition in which the stream limited some uploads."""
    state = BrakeState()
    when = datetime.fromtimestamp(hour * 3600, UTC)
    for n in range(times):
        acting = (Acting("spam", Limits(3, 2)),)
        _, state = brake(state, acting, f"{uploader}{n}", when)
    return state


def test_corrections_are_limited_by_a_partitions_share_of_the_hour():
    """The first may act; the rest are told why they may not, as the stream's are."""
    found = held([a_correction(n) for n in range(5)], brakes())

    assert found[:3] == ["", "", ""]
    assert set(found[3:]) == {"per_hour: acted 3 times in this hour and partition"}


def test_what_the_stream_did_in_this_hour_counts():
    """And what it did in another does not."""
    corrections = [a_correction(n) for n in range(3)]

    assert held(corrections, brakes({0: after(2)})).count("") == 1
    assert held(corrections, brakes({0: after(2)}, hour=HOUR + 1)).count("") == 3


def test_each_partition_has_its_own():
    """An uploader's is where their uploads are."""
    own = brakes({0: after(3)}, place=lambda uploader: int(uploader[-1]) % 2)

    found = held([a_correction(n) for n in range(4)], own)

    assert [bool(reason) for reason in found] == [True, False, True, False]


def test_one_uploader_is_limited_for_himself():
    """However many corrections are on them, and whatever the stream did to others."""
    found = held([a_correction(0)] * 3, brakes())

    assert found[2] == "per_uploader_per_hour: acted 2 times on this uploader"
    assert found[:2] == ["", ""]


def test_what_earlier_corrections_did_counts_too():
    """Two applies within an hour have one limit."""
    own = brakes()
    for n in range(3):
        own.count(a_correction(n))

    assert held([a_correction(9)], own)[0].startswith("per_hour: ")


def test_a_quarantine_of_the_stream_holds_every_correction():
    """Until it is over."""
    use = RuleUse(HOUR, held_until_hour=HOUR + 5)
    state = replace(after(0), hour=HOUR, rules={"spam": use})

    during = held([a_correction(1)], brakes({0: state}))
    later = held([a_correction(1)], brakes({0: state}, hour=HOUR + 5))

    assert during == ["hit_rate: jumped; to people for 5 hours more"]
    assert later == [""]


@pytest.mark.parametrize(
    "correction",
    [
        a_correction(1, rule="free", action=Action.BLOCK),
        a_correction(1, action=Action.REVIEW),
        a_correction(1, rule="unheard-of"),
    ],
    ids=["no brake", "asks a person", "no rule of it"],
)
def test_what_no_brake_is_on_is_neither_held_nor_counted(correction):
    """However often it comes."""
    own = brakes()

    assert held([correction] * 9, own) == [""] * 9
    assert held([a_correction(2)], own) == [""]


def test_hit_rates_are_left_alone():
    """Picked out, a hundred hits in a row are no jump, as they would be live."""
    acting, state = (Acting("spam", Limits()),), BrakeState()
    for n in range(1200):  # One in a hundred, over two days.
        when = datetime.fromtimestamp((HOUR - 48 + n // 50) * 3600, UTC)
        _, state = brake(state, acting if n % 100 == 0 else (), f"u{n}", when)
    corrections = [a_correction(n) for n in range(100)]

    beside = held(corrections, brakes({0: state}, partitions=1))
    live = []
    for one in corrections:
        holds, state = brake(state, acting, one.uploader_id, NOON)
        live += [hold.reason for hold in holds]

    assert any(reason.startswith("hit_rate: jumped") for reason in live)
    assert not any(reason.startswith("hit_rate: ") for reason in beside)
