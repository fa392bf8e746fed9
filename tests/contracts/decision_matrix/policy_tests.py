"""The cases as tests beside the policy's rules: what `headgate policy test` runs."""

import json
from collections.abc import Sequence
from typing import Any

from schemas.records import UploaderHistory
from streams.braking import PartitionBrakes
from streams.pipeline import Histories, decide_whole
from streams.policies.values import shown_duration
from streams.policy import Findings
from streams.rules.softening import SECOND_APPROVAL
from tests.contracts.decision_matrix.case import Expected, MatrixCase
from tests.contracts.decision_matrix.judging import CODEC, matrix_judge


def as_tests(cases: Sequence[MatrixCase]) -> str:
    """Write a file of tests; JSON is YAML too."""
    tests = [
        {
            "name": case.name,
            "given": _given(_found(case)) | {"braked": _braked(case.expected)},
            "expect": _expect(case.expected),
        }
        for case in cases
    ]
    return json.dumps({"tests": tests}, indent=1)


def _found(case: MatrixCase) -> Findings:
    """Return what is found in the last upload, after those before it."""
    histories: Histories = {}
    brakes = PartitionBrakes()
    for upload in case.uploads[:-1]:
        decide_whole(matrix_judge(), upload, histories, CODEC.encode, brakes)
    last = case.uploads[-1]
    by = last.event.uploader_id
    history = histories.get(by) or UploaderHistory(by)
    findings = matrix_judge().judge(last, history).findings
    assert findings is not None
    return findings


def _given(found: Findings) -> dict[str, Any]:
    given = {
        "stage": found.stage.lower(),
        "kind": found.kind.lower(),
        "uploader_id": found.uploader_id,
        "score": {c.lower(): value for c, value in found.categories.items()},
        "anomaly": dict(found.anomalies),
        "bank": dict(found.banks),
        "markets": list(found.territories),
        "missing": [missing.signal for missing in found.missing],
        "text": dict(found.texts),
        "event_time": found.event_time.isoformat() if found.event_time else None,
        "history": None if found.history is None else dict(found.history),
    }
    return {key: value for key, value in given.items() if value}


def _braked(expected: Expected) -> list[str]:
    """Return the rules that a limit or a jump held; an approval the policy knows."""
    return [rule_id for rule_id, why, _ in expected.held if why != SECOND_APPROVAL]


def _expect(expected: Expected) -> dict[str, Any]:
    duration_s = expected.duration_s
    expect = {
        "action": expected.action,
        "clause": expected.clause,
        "fired": list(expected.fired),
        "by_market": dict(expected.by_market),
        "unknown": list(expected.missing),
        "held": {rule_id: action for rule_id, _, action in expected.held},
        "strength": expected.strength,
        "age": expected.min_age,
        "for": None if duration_s is None else shown_duration(duration_s),
        "instead_of": expected.instead_of,
    }
    return {key: value for key, value in expect.items() if value is not None}
