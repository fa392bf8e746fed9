"""The tests that stand beside a policy's rules: findings in, the decision expected.

tests:
  - name: hate in a podcast is held
    given: {kind: podcast_episode, score: {hate: 0.7}, markets: [DE]}
    expect: {action: review, fired: [hate.review]}
  - name: spam waits for a person once it was limited too often
    given: {score: {fraud_spam: 0.7}, braked: [spam]}
    expect: {action: review, clause: brake.spam, held: {spam: limit}}
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.records import Action
from streams.policies import values
from streams.policies.given import Given, mapping, names
from streams.policy import Policy, Verdict
from streams.rules.findings import Findings
from streams.yaml_tree import Node, Place, parse_tree

_KEYS = ("name", "given", "expect")


@dataclass(frozen=True, slots=True)
class Case:
    """One test: what is found, and what the policy must say to it."""

    name: str
    place: Place
    findings: Findings
    action: Action
    clause: str | None = None  # None: any.
    fired: tuple[str, ...] | None = None  # Rules' ids, in any order.
    by_market: Mapping[str, Action] | None = None
    unknown: tuple[str, ...] | None = None  # The missing signals that held it.
    held: Mapping[str, Action] | None = None  # What waits for a person, by rule.
    # strength, age, for and instead_of, where the test says them.
    degree: Mapping[str, object] = field(default_factory=dict)
    braked: tuple[str, ...] = ()  # Rules that a brake holds.


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a test; `wrong` is empty where it passed."""

    case: Case
    wrong: tuple[str, ...]


def parse_cases(text: str, file: str, anomalies: tuple[str, ...]) -> tuple[Case, ...]:
    """Read a file of tests; `anomalies` are the names that scorers give.

    Raises:
        PolicyError: it can't be used.
    """
    root = parse_tree(text, file)
    cases: list[Case] = []
    for key, value in root.items("the key tests", "write tests: first"):
        key.one_of(("tests",), "the key tests")
        for entry in value.entries("a list of tests", "write - name: …"):
            cases.append(_case(entry, anomalies))
    return tuple(cases)


def run(policy: Policy, case: Case) -> Outcome:
    """Decide on a case, and say what is not as expected."""
    verdict = policy.decide(case.findings, case.braked)
    unbraked = (
        f"{rule_id} is given as braked, but the policy has no rule of that id with a "
        "brake"
        for rule_id in case.braked
        if rule_id not in policy.brakes
    )
    return Outcome(case, (*unbraked, *_differences(case, verdict)))


def _differences(case: Case, verdict: Verdict) -> Iterator[str]:
    if verdict.action is not case.action:
        yield (
            f"action is {verdict.action.lower()} by {verdict.clause}, "
            f"expected {case.action.lower()}"
        )
    if case.clause is not None and verdict.clause != case.clause:
        yield f"clause is {verdict.clause}, expected {case.clause}"
    found = [fired.rule.id for fired in verdict.fired]
    if case.fired is not None:
        yield from _listed("fired", found, case.fired)
    if case.by_market is not None:
        markets = {m.market: m.effect.action for m in verdict.by_market}
        yield from _mapped("in {} it is", markets, case.by_market, "as elsewhere")
    if case.unknown is not None:
        unknown = [c.missing.signal for c in verdict.consequences]
        yield from _listed("unknown", unknown, case.unknown)
    if case.held is not None:
        held = {one.rule_id: one.action for one in verdict.held}
        yield from _mapped("of {} waits", held, case.held, "nothing")
    for key, expected in case.degree.items():
        if (was := _DEGREE[key].of(verdict)) != expected:
            yield f"{key} is {_shown(was)}, expected {_shown(expected)}"


def _listed(what: str, found: list[str], expected: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(set(expected) - set(found)):
        yield f"{what} lacks {name}"
    for name in sorted(set(found) - set(expected)):
        yield f"{what} has {name}, which was not expected"


def _mapped(
    what: str, found: Mapping[str, Action], expected: Mapping[str, Action], without: str
) -> Iterator[str]:
    for name in sorted({*found, *expected}):
        was, wanted = found.get(name), expected.get(name)
        if was is not wanted:
            shown = [a.lower() if a else without for a in (was, wanted)]
            yield f"{what.format(name)} {shown[0]}, expected {shown[1]}"


def _shown(value: object) -> str:
    return "none" if value is None else str(value).lower()


def _case(node: Node, anomalies: tuple[str, ...]) -> Case:
    parts = mapping(node, _KEYS, "a test's key")
    for wanted in _KEYS:
        if wanted not in parts:
            remedy = f"add a line `{wanted}: …`"
            raise node.place.error(f"no {wanted}", f"the key {wanted}", remedy)
    expect = mapping(parts["expect"], _EXPECTED, "what a test may expect")
    if "action" not in expect:
        place = parts["expect"].place
        raise place.error("no action", "the key action", "add action: review")
    given = Given(parts["given"], anomalies)
    return Case(
        name=values.name(parts["name"], "a test's name"),
        place=node.place,
        findings=given.findings(),
        braked=given.braked,
        degree={
            key: one.read(expect[key]) for key, one in _DEGREE.items() if key in expect
        },
        **{key: read(expect[key]) for key, read in _READERS.items() if key in expect},
    )


def _actions(node: Node) -> dict[str, Action]:
    pairs = node.items("a mapping from name to action", "write {DE: block}")
    return {values.name(key, "a name"): values.action(v) for key, v in pairs}


def _clause(node: Node) -> str:
    return values.name(node, "a clause")


@dataclass(frozen=True, slots=True)
class _Degree:
    """How much of an action: how a test says it, and where a verdict has it."""

    read: Callable[[Node], object]
    of: Callable[[Verdict], object]


def _age(node: Node) -> int:
    return values.whole_number(node, 3, 21, "years")


def _share(node: Node) -> float:
    return node.number("a share above 0 and up to 1", "write 0.5")


_READERS: Final[Mapping[str, Callable[[Node], Any]]] = {
    "action": values.action,
    "clause": _clause,
    "fired": names,
    "by_market": _actions,
    "unknown": names,
    "held": _actions,
}
_DEGREE: Final[Mapping[str, _Degree]] = {
    "strength": _Degree(_share, lambda said: said.effect.strength),
    "age": _Degree(_age, lambda said: said.effect.min_age),
    "for": _Degree(values.duration_s, lambda said: said.effect.duration_s),
    "instead_of": _Degree(values.action, lambda said: said.instead_of),
}
_EXPECTED = (*_READERS, *_DEGREE)
