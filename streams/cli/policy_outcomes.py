"""Runs the tests that stand beside a policy's rules; for the commands of `policy`."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streams.policies.cases import Outcome
    from streams.policy import Policy
    from streams.policy_folder import PolicyFiles


def outcomes_of(files: "PolicyFiles", policy: "Policy") -> "list[Outcome]":
    """Return what each test came to.

    Raises:
        PolicyError: a file of tests is none.
    """
    from streams.policies.cases import parse_cases, run
    from streams.scorers import ANOMALY_NAMES

    return [
        run(policy, case)
        for name, text in files.tests.items()
        for case in parse_cases(text, name, ANOMALY_NAMES)
    ]
