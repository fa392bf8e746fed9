"""The tests that stand beside a policy's rules: findings in, the decision expected.

tests:
  - name: hate in a podcast is held
    given: {kind: podcast_episode, score: {hate: 0.7}, markets: [DE]}
    expect: {action: review, fired: [hate.review]}
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.records import CATEGORIES, Action, Category, Kind, Missing, Stage
from streams.policies import values
from streams.policy import Policy, Verdict
from streams.rules.findings import Findings
from streams.rules.vocabulary import HISTORY, KINDS, STAGES
from streams.yaml_tree import Node, Place, parse_tree, quoted

_KEYS = ("name", "given", "expect")
_EXPECTED = ("action", "clause", "fired", "by_market", "unknown")
_OTHERS = "others"  # The probability of every category that is not given.
_CATEGORY_NAMES = tuple(category.lower() for category in CATEGORIES)


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
    return Outcome(case, tuple(_differences(case, policy.decide(case.findings))))


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
        for market in sorted({*markets, *case.by_market}):
            was, wanted = markets.get(market), case.by_market.get(market)
            if was is not wanted:
                shown = [a.lower() if a else "as elsewhere" for a in (was, wanted)]
                yield f"in {market} it is {shown[0]}, expected {shown[1]}"
    if case.unknown is not None:
        held = [c.missing.signal for c in verdict.consequences]
        yield from _listed("unknown", held, case.unknown)


def _listed(what: str, found: list[str], expected: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(set(expected) - set(found)):
        yield f"{what} lacks {name}"
    for name in sorted(set(found) - set(expected)):
        yield f"{what} has {name}, which was not expected"


def _case(node: Node, anomalies: tuple[str, ...]) -> Case:
    parts = _mapping(node, _KEYS, "a test's key")
    for wanted in _KEYS:
        if wanted not in parts:
            remedy = f"add a line `{wanted}: …`"
            raise node.place.error(f"no {wanted}", f"the key {wanted}", remedy)
    expect = _mapping(parts["expect"], _EXPECTED, "what a test may expect")
    if "action" not in expect:
        place = parts["expect"].place
        raise place.error("no action", "the key action", "add action: review")
    clause, fired = expect.get("clause"), expect.get("fired")
    markets, unknown = expect.get("by_market"), expect.get("unknown")
    return Case(
        name=values.name(parts["name"], "a test's name"),
        place=node.place,
        findings=_Given(parts["given"], anomalies).findings(),
        action=values.action(expect["action"]),
        clause=values.name(clause, "a clause") if clause else None,
        fired=_names(fired) if fired else None,
        by_market=_actions(markets) if markets else None,
        unknown=_names(unknown) if unknown else None,
    )


class _Given:
    """What a test gives; what it doesn't say is missing, or empty."""

    def __init__(self, node: Node, anomalies: tuple[str, ...]) -> None:
        self._parts = _mapping(node, tuple(_READERS), "a finding")
        self._anomalies = anomalies

    def findings(self) -> Findings:
        """Return the findings."""
        return Findings(
            stage=Stage(self._one_of("stage", STAGES, "complete").upper()),
            categories=self._scores(),
            anomalies=self._numbers("anomaly", self._anomalies),
            banks=self._numbers("bank", None),
            missing=tuple(
                Missing(signal, "in a test") for signal in self._list("missing")
            ),
            labels=self._numbers("label", None),
            history=self._numbers("history", HISTORY, most=None)
            if "history" in self._parts
            else None,
            kind=Kind(self._one_of("kind", KINDS, "unknown").upper()),
            uploader_id=self._text("uploader_id") or "",
            revision=int(self._number("revision")),
            territories=self._list("markets"),
            language=self._text("language"),
            texts=self._texts(),
            heard=self._heard(),
            media_s=self._number("media_s"),
            event_time=self._time(),
            uploads=int(self._numbers("history", HISTORY, most=None).get("uploads", 0)),
        )

    def _scores(self) -> dict[Category, float]:
        given = self._numbers("score", (*_CATEGORY_NAMES, _OTHERS))
        others = given.pop(_OTHERS, None)
        scores = {} if others is None else dict.fromkeys(_CATEGORY_NAMES, others)
        return {Category(n.upper()): v for n, v in {**scores, **given}.items()}

    def _numbers(
        self, key: str, allowed: tuple[str, ...] | None, most: float | None = 1.0
    ) -> dict[str, float]:
        node = self._parts.get(key)
        if node is None:
            return {}
        found: dict[str, float] = {}
        for name, value in node.items("a mapping to numbers", "write {NAME: 0.9}"):
            known = name.one_of(allowed, "a known name") if allowed else None
            found[known or values.name(name, "a name")] = _number(value, most)
        return found

    def _number(self, key: str) -> float:
        return _number(self._parts[key], None) if key in self._parts else 0.0

    def _one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        node = self._parts.get(key)
        return default if node is None else node.one_of(allowed, f"a {key}")

    def _list(self, key: str) -> tuple[str, ...]:
        return _names(self._parts[key]) if key in self._parts else ()

    def _text(self, key: str) -> str | None:
        node = self._parts.get(key)
        return None if node is None else node.text("a text", "write it in quotes")

    def _texts(self) -> dict[str, str]:
        node = self._parts.get("text")
        if node is None:
            return {}
        pairs = node.items("a mapping to texts", 'write {title: "…"}')
        return {
            values.name(name, "a text's name"): value.text("a text", "write it out")
            for name, value in pairs
        }

    def _heard(self) -> tuple[str, ...] | None:
        heard = self._text("transcript")
        missing = any(s.startswith("transcript") for s in self._list("missing"))
        if heard is None and (
            missing or self._one_of("stage", STAGES, "") == "screened"
        ):
            return None
        return () if heard is None else (heard,)

    def _time(self) -> datetime | None:
        node = self._parts.get("event_time")
        return None if node is None else values.time(node)


_READERS = (
    *("kind", "stage", "score", "anomaly", "bank", "label", "history", "missing"),
    *("markets", "uploader_id", "language", "revision", "text", "transcript"),
    *("media_s", "event_time"),
)


def _mapping(node: Node, allowed: tuple[str, ...], what: str) -> dict[str, Node]:
    pairs = node.items("a mapping", f"write {allowed[0]}: …")
    return {key.one_of(allowed, what): value for key, value in pairs}


def _names(node: Node) -> tuple[str, ...]:
    entries = node.entries("a list of names", "write [NAME]")
    return tuple(values.name(entry, "a name") for entry in entries)


def _actions(node: Node) -> dict[str, Action]:
    pairs = node.items("a mapping from territory to action", "write {DE: block}")
    return {values.name(key, "a territory"): values.action(v) for key, v in pairs}


def _number(node: Node, most: float | None) -> float:
    expected = "a number in [0, 1]" if most else "a number of at least 0"
    value = node.number(expected, "write 0.9")
    if value < 0.0 or (most is not None and value > most):
        raise node.place.error(quoted(f"{value:g}"), expected, "write 0.9")
    return value
