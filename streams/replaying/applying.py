"""From a what-if's flips to corrections of what was decided, under the brakes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import CodecError
from schemas.json_form import record_from_json
from schemas.records import CATEGORIES, RiskDecision
from streams.errors import StartError
from streams.policy import Policy
from streams.replay.beside import BesideBrakes
from streams.replay.compensation import promoted
from streams.replay.held_back import asked_from_json, held_back
from streams.replaying.manifest import Correction

# Why a flip is no correction: what is left of it was decided already.
HELD_AS_THEN = "held, and that is what was decided"


class FlipsToApply:
    """The corrections of a finished what-if; `left` counts, by why, what is none."""

    def __init__(
        self, folder: Path, policy: Policy, brakes: BesideBrakes | None
    ) -> None:
        """Prepare.

        Args:
            folder: of the what-if's results.
            policy: the one that it judged by.
            brakes: what its rules may still do by themselves; None: anything.
        """
        self._folder, self._policy, self._brakes = folder, policy, brakes
        self.left: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Correction]:
        """Yield a correction for each flip of a final decision in flips.jsonl.

        In their order, so that what comes first has the limits first.

        Raises:
            StartError: a line is no flip of this version, or the policy was changed
                since the replay.
        """
        with (self._folder / "flips.jsonl").open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    found = self._correction(json.loads(line))
                except (ValueError, KeyError, CodecError) as error:
                    where = f"{self._folder}/flips.jsonl:{number}"
                    raise StartError(f"{where} is no flip: {error}") from error
                if found is not None:
                    yield found

    def _correction(self, flip: Mapping[str, Any]) -> Correction | None:
        if flip["then"] is None or flip["now"] is None:
            return None
        then, free = _decision(flip["then"]), _decision(flip["now"])
        if then.provisional or free.provisional or then.action is free.action:
            return None
        check_policy(free, self._policy)
        now = self._under_brakes(flip, free)
        if then.action is now.action:
            self.left[HELD_AS_THEN] += 1
            return None
        word, clause = then.action.lower(), then.clause
        return Correction(word, clause, "what_if", promoted(then, now))

    def _under_brakes(
        self, flip: Mapping[str, Any], free: RiskDecision
    ) -> RiskDecision:
        holds = () if self._brakes is None else self._brakes.hold(free)
        if not holds:
            return free
        asked = asked_from_json(flip["asked"], self._policy)
        return held_back(free, asked, tuple(flip["territories"]), holds)


def check_policy(decision: RiskDecision, policy: Policy) -> None:
    """See that a what-if's decision is by this policy, whose brakes are to count.

    Raises:
        StartError: it is another's.
    """
    if decision.policy.sha256 != policy.sha256:
        raise StartError(
            f"the replay judged by policy {decision.policy.sha256[:12]}…, which is now "
            f"{policy.sha256[:12]}…: it was changed since; replay into another --out"
        )


def check_allowed(
    corrections: Iterable[Correction],
    policy: Policy,
    brakes: BesideBrakes,
    is_due: Callable[[Correction], bool],
) -> None:
    """See that the brakes still allow what a manifest does without a person.

    Args:
        corrections: of the manifest that is agreed to.
        policy: whose brakes they are.
        brakes: how they stand now; counted on.
        is_due: says whether one is still to be sent.

    Raises:
        StartError: they allow less than when the manifest was made, or the policy was
            changed.
    """
    over: Counter[str] = Counter()
    for correction in corrections:
        check_policy(correction.now, policy)
        if is_due(correction):
            for hold in brakes.hold(correction.now):
                over[f"{hold.rule_id}: {hold.reason.partition(':')[0]}"] += 1
    if over:
        told = ", ".join(f"{n} by {name}" for name, n in over.most_common())
        raise StartError(
            f"the brakes allow less than when the manifest was made: they would hold "
            f"{told} of the corrections. Nothing was sent. Make the manifest anew, by "
            "the same command without --yes"
        )


def _decision(written: Mapping[str, Any]) -> RiskDecision:
    """Read a decision whose categories are those that something spoke on."""
    unsaid: dict[str, Any] = {
        c.lower(): {"probability": None, "evidence": []} for c in CATEGORIES
    }
    whole = {**written, "categories": unsaid | written["categories"]}
    return record_from_json(whole, RiskDecision)
