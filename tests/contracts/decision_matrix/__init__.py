"""One matrix of decisions, as data: rules, missing signals, markets, brakes, lateness.

Each case is a few uploads of one uploader, judged in order, and what must be said of
the last. Every way to a decision (the judge, policy tests, `assess`, the worker,
shadow, replay) is given the same ones and must give the same decisions:

    for case in CASES:
        ... judge case.uploads in order; said(the last decision) == case.expected

Cases are judged in the order of CASES: those with brakes come last, and later.
"""

from tests.contracts.decision_matrix.approvals import APPROVALS
from tests.contracts.decision_matrix.case import (
    Expected,
    MatrixCase,
    said,
    said_by_shadow,
    spaced,
)
from tests.contracts.decision_matrix.judging import (
    CODEC,
    StatedScores,
    judged,
    last_words,
    matrix_judge,
)
from tests.contracts.decision_matrix.jumps import JUMPS
from tests.contracts.decision_matrix.late import LATE
from tests.contracts.decision_matrix.limits import LIMITS
from tests.contracts.decision_matrix.markets import MARKETS
from tests.contracts.decision_matrix.missing import MISSING
from tests.contracts.decision_matrix.policy import FILES
from tests.contracts.decision_matrix.thresholds import THRESHOLDS

BRAKED: tuple[MatrixCase, ...] = spaced((*LIMITS, *APPROVALS, *JUMPS))
CASES: tuple[MatrixCase, ...] = (*THRESHOLDS, *MISSING, *MARKETS, *LATE, *BRAKED)

__all__ = [
    "BRAKED",
    "CASES",
    "CODEC",
    "FILES",
    "Expected",
    "MatrixCase",
    "StatedScores",
    "judged",
    "last_words",
    "matrix_judge",
    "said",
    "said_by_shadow",
]
