"""`headgate` that scores by what signals state, as the cases of the matrix do.

All else is the real command: `python -m tests.contracts.matrix_headgate worker`, and so
on for `assess` and `replay`.
"""

from streams import wiring
from streams.replaying import here
from tests.contracts.decision_matrix import StatedScores


def stated(*_: object) -> tuple[StatedScores]:
    """Return the only scorer, whatever the risk head."""
    return (StatedScores(),)


# Below no guard: a replay's processes import this module, and need the same scorer.
wiring.default_scorers = stated
here.default_scorers = stated

if __name__ == "__main__":
    from streams.cli import main

    main()
