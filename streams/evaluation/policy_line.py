"""A category's line of the policy with one threshold replaced."""

from schemas.records import Action, Category
from streams.policy import SEVERITY, Policy


def policy_line(
    policy: Policy, category: Category, action: Action, threshold: float
) -> tuple[str, float]:
    """Return the line as YAML, and the threshold that stands in it.

    A policy refuses a harder action that is easier to reach, so the threshold is
    raised to where the milder ones begin; a promise holds there too, since a higher
    score is not more often wrong. Harder actions that would come first are raised too.
    """
    ladder = {
        rule.action: rule.threshold
        for rule in policy.rules
        if rule.subject == "category" and rule.name == category.lower()
    }
    milder = [t for a, t in ladder.items() if SEVERITY[a] < SEVERITY[action]]
    kept = max([threshold, *milder])
    for other, value in ladder.items():
        if SEVERITY[other] > SEVERITY[action]:
            ladder[other] = max(value, kept)
    ladder[action] = kept
    steps = sorted(ladder.items(), key=lambda item: SEVERITY[item[0]])
    inner = ", ".join(f"{a.lower()}: {t:g}" for a, t in steps)
    return f"{category.lower()}: {{{inner}}}", kept
