"""The matrix in the judge, over the wire, in a what-if and as a policy's tests.

`tests/integration/test_decision_matrix.py` has the other ways to a decision.
"""

import pytest

from schemas.json_form import decision_to_json
from schemas.records import RiskDecision, UploaderHistory
from streams.replay.rejudge import Item, Rejudging
from streams.replay.versions import Version, Versions
from tests.contracts.decision_matrix import (
    BRAKED,
    CASES,
    CODEC,
    FILES,
    StatedScores,
    judged,
    matrix_judge,
    said,
)
from tests.contracts.decision_matrix.policy_tests import as_tests
from tests.streams.cli.test_commands import headgate, lines


def test_the_matrix_is_large_and_its_cases_share_nothing():
    """Sixty cases at least, with names, uploaders and contents of their own."""
    uploaders = {case.uploads[-1].event.uploader_id for case in CASES}

    assert len({case.name for case in CASES}) == len(uploaders) == len(CASES) >= 60
    assert len({case.content_id for case in CASES}) == len(CASES)
    assert len(BRAKED) >= 30


def test_cases_with_brakes_come_later_and_later():
    """So that in one partition none finds what another's rules did."""
    times = [[u.event.event_time for u in case.uploads] for case in CASES]
    quiet, braked = times[: -len(BRAKED)], times[-len(BRAKED) :]

    assert max(map(max, quiet)) < min(map(min, braked))
    assert [max(case) for case in braked] == sorted(max(case) for case in braked)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_decided_as_expected(case):
    """Action, clause, fired rules, territories, degrees, missing signals, brakes."""
    decision = judged(case)

    assert said(decision) == case.expected
    assert decision.braked == (case.expected.instead_of is not None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_decision_of_the_matrix_survives_the_wire(case):
    """Bytes and back, and as JSON."""
    decision = judged(case)

    assert CODEC.decode(CODEC.encode(decision), RiskDecision) == decision
    assert decision_to_json(decision)["action"] == case.expected.action


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_what_if_decides_alike_but_for_limits(case):
    """In a what-if no limit of a brake holds a rule; second approvals are asked for."""
    judge = matrix_judge()
    today = Version(judge.policy.sha256, "ab" * 32)
    versions = Versions((judge.policy,), {"ab" * 32: (StatedScores(),)})
    rejudging = Rejudging(CODEC, versions, today, candidate=judge)
    history = UploaderHistory(case.uploads[0].event.uploader_id)

    for number, upload in enumerate(case.uploads):
        done = rejudging.judge(Item(0, number, number, upload), history)
        history = done.history

    assert said(done.outcome.now) == (case.expected.unlimited or case.expected)


def test_each_case_is_a_test_that_stands_beside_the_policy(tmp_path):
    """`headgate policy test` finds the same; counts of brakes are given to it.

    Second approvals are not: a policy's tests come to them by uploader and history.
    """
    for name, text in (FILES | {"tests/matrix.yaml": as_tests(CASES)}).items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    result = headgate("policy", "test", tmp_path, "--json")

    wrong = {found["test"]: found["wrong"] for found in lines(result)}
    assert wrong == {case.name: [] for case in CASES}
    assert result.returncode == 0
