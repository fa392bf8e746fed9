from functools import cache

import pytest

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.json_form import decision_to_json
from schemas.records import RiskDecision
from streams.judge import Judge
from streams.pipeline import Histories, decide
from tests.contracts.decision_matrix import CASES, MatrixCase, matrix_judge

CODEC = Codec(CommittedIds())


@cache
def judge() -> Judge:
    """Build the judge once."""
    return matrix_judge()


def last_decision(case: MatrixCase) -> RiskDecision:
    """Judge a case's uploads as `assess` and the worker do; return the last word."""
    histories: Histories = {}
    word: RiskDecision | bytes | None = None
    for upload in case.uploads:
        word = decide(judge(), upload, histories, CODEC.encode)
    assert isinstance(word, RiskDecision)
    return word


def test_the_matrix_is_large_and_its_cases_have_names_of_their_own():
    """Sixty cases at least."""
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_is_decided_as_expected(case):
    """Action, clause, every rule that fired, territories, degrees, missing signals."""
    decision, expected = last_decision(case), case.expected

    assert (decision.action.lower(), decision.clause) == (
        expected.action,
        expected.clause,
    )
    assert tuple(rule.rule_id for rule in decision.rules) == expected.fired
    markets = {m.market: m.action.lower() for m in decision.by_market}
    assert markets == dict(expected.by_market or {})
    assert tuple(m.signal for m in decision.missing) == expected.missing
    degree = (decision.duration_s, decision.min_age, decision.strength)
    assert degree == (expected.duration_s, expected.min_age, expected.strength)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_decision_of_the_matrix_survives_the_wire(case):
    """Bytes and back, and as JSON."""
    decision = last_decision(case)

    assert CODEC.decode(CODEC.encode(decision), RiskDecision) == decision
    assert decision_to_json(decision)["action"] == case.expected.action
