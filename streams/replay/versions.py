"""The versions that replay can judge by: policies and risk heads, found by hash."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.records import RiskDecision
from streams.judge import Judge
from streams.policy import Policy
from streams.scorers import Scorer
from streams.scorers.text_risk import NAME as TEXT_RISK

Scorers = tuple[Scorer, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What decided: a policy and a risk head, each by its SHA-256, lower-case hex.

    `head` is None where the decision used none: nothing was there for it to read.
    """

    policy: str
    head: str | None


class Versions:
    """The policies and heads that are here, and a judge for each pair of them."""

    def __init__(self, policies: Iterable[Policy], heads: Mapping[str, Scorers]):
        """Take what there is.

        Args:
            policies: those that can be judged by; of equal hash the first counts.
            heads: each head's SHA-256 to all scorers with it; the first is today's.
        """
        self._policies: dict[str, Policy] = {}
        for policy in policies:
            self._policies.setdefault(policy.sha256, policy)
        self._heads = dict(heads)
        self._today = next(iter(self._heads))
        self._judges: dict[tuple[str, str], Judge] = {}

    @property
    def policies(self) -> tuple[str, ...]:
        """The hashes of the policies that are here."""
        return tuple(self._policies)

    @property
    def heads(self) -> tuple[str, ...]:
        """The hashes of the risk heads that are here; the first is today's."""
        return tuple(self._heads)

    def judge(self, version: Version) -> Judge | None:
        """Return what judges as that version did; None where a part is not here."""
        head = version.head or self._today
        if version.policy not in self._policies or head not in self._heads:
            return None
        pair = (version.policy, head)
        if pair not in self._judges:
            policy = self._policies[version.policy]
            self._judges[pair] = Judge(self._heads[head], policy)
        return self._judges[pair]

    def lacking(self, version: Version) -> str:
        """Say in one clause which part of a version is not here."""
        if version.policy not in self._policies:
            return f"policy {version.policy[:12]}… is not here"
        return f"risk head {(version.head or '')[:12]}… is not here"


def version_of(decision: RiskDecision) -> Version:
    """Return what a decision says it was made by."""
    heads = [m.sha256 for m in decision.models if m.role == TEXT_RISK]
    return Version(decision.policy.sha256, heads[-1] if heads else None)
