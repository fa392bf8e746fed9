"""From all that is asked for an upload to the one word on it."""

from collections.abc import Collection

from streams.rules.conflicts import (
    Candidate,
    Consequence,
    Fired,
    InMarket,
    Verdict,
    of_unknown,
    resolve,
)
from streams.rules.softening import soften


def weigh(
    asked: tuple[Candidate, ...],
    territories: tuple[str, ...],
    missing: tuple[Consequence, ...] = (),
    *,
    held: Collection[str] = (),
    approval: str | None = None,
) -> Verdict:
    """Return the strictest that is asked for, in general and where it is another.

    Args:
        asked: by the rules, for what is missing, and by the policy itself.
        territories: where the upload is to be released; empty: anywhere.
        missing: what the policy says of each missing signal.
        held: ids of rules that a brake holds: they ask for review.
        approval: why the uploader needs a second approval; None: doesn't.
    """
    candidates, waiting = soften(asked, held, approval)
    decided = resolve(candidates, territories)
    free = resolve(list(asked), territories) if waiting else decided
    strictest, by_market = decided
    fired = sorted(candidates, key=lambda candidate: candidate.rank, reverse=True)
    return Verdict(
        strictest.effect.action,
        strictest.clause,
        (*missing, *of_unknown(candidates)),
        strictest.effect,
        tuple(Fired(c.rule, c.effect) for c in fired if c.rule),
        by_market,
        waiting,
        None if _done(free) == _done(decided) else free[0].effect.action,
        asked,
    )


def _done(resolved: tuple[Candidate, tuple[InMarket, ...]]) -> tuple[object, ...]:
    """Return what is done, in general and where that is told apart; not by whom."""
    general, by_market = resolved
    return general.effect, [(market.market, market.effect) for market in by_market]
