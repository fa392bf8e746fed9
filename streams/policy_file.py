"""Reads a policy from YAML text; what can't be used is refused with its line.

Takes text and not a path: the wiring reads the file.
"""

import hashlib
import itertools
from collections.abc import Iterator

from schemas.records import CATEGORIES, Action, Category
from streams.policy import MISSING_SIGNALS, SEVERITY, Policy, Rule, Subject
from streams.scorers import ANOMALY_NAMES
from streams.yaml_tree import Node, nearest, parse_tree, quoted

_KEYS = (
    "id",
    "version",
    "categories",
    "anomalies",
    "banks",
    "missing",
    "provisional",
    "restricted",
)
_REQUIRED = ("id", "version", "categories")  # Without the last, all would be allowed.
_CATEGORY_NAMES = tuple(category.lower() for category in CATEGORIES)
_ACTION_NAMES = tuple(action.lower() for action in SEVERITY)
_RULE_ACTIONS = _ACTION_NAMES[1:]  # `allow` needs no threshold.
_MAX_NAME_CHARS = 200  # Ids, versions and bank names travel with every decision.


def parse_policy(text: str, file: str) -> Policy:
    """Read a policy; `file` only names it in errors.

    Its hash is of the text in UTF-8 with plain line ends and no byte order mark, so a
    checkout on another system has the same one.

    Raises:
        PolicyError: `FILE:LINE:COLUMN: found X; expected Y; do Z`.
    """
    root = parse_tree(text, file)
    parts = _parts(root)
    restricted = frozenset(_restricted(parts.get("restricted")))
    provisional = parts.get("provisional")
    missing = dict(_missing(parts.get("missing")))
    return Policy(
        id=_name(parts["id"], "the policy's id"),
        version=_name(parts["version"], "the policy's version"),
        sha256=policy_sha256(text),
        rules=(
            *_rules(parts["categories"], "category", _CATEGORY_NAMES, restricted),
            *_rules(parts.get("anomalies"), "anomaly", ANOMALY_NAMES),
            *_rules(parts.get("banks"), "bank", None),
        ),
        missing_default=missing.pop("default", Action.REVIEW),
        missing=tuple(missing.items()),
        provisional=_action(provisional) if provisional else Action.REVIEW,
        restricted=restricted,
    )


def policy_sha256(text: str) -> str:
    """Return the hash that names a policy file in decisions, lower-case hex."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return hashlib.sha256(plain.encode()).hexdigest()


def _parts(root: Node) -> dict[str, Node]:
    parts: dict[str, Node] = {}
    for key, value in root.items("a policy's keys", f"write {_KEYS[0]}: NAME first"):
        parts[key.one_of(_KEYS, "a policy's key")] = value
    for name in _REQUIRED:
        if name not in parts:
            raise root.place.error(
                f"no {name}", f"the key {name}", f"add a line `{name}: …`"
            )
    return parts


def _name(node: Node, expected: str) -> str:
    value = node.text(expected, "write it as plain text")
    if len(value) > _MAX_NAME_CHARS:
        most = f"{expected} of at most {_MAX_NAME_CHARS} characters"
        raise node.place.error(f"{len(value)} characters", most, "shorten it")
    return value


def _action(node: Node) -> Action:
    return Action(node.one_of(_ACTION_NAMES, "an action").upper())


def _rules(
    node: Node | None,
    subject: Subject,
    allowed: tuple[str, ...] | None,
    restricted: frozenset[Category] = frozenset(),
) -> Iterator[Rule]:
    if node is None:
        return
    shape = f"a mapping from {subject} to thresholds"
    for key, thresholds in node.items(shape, "write NAME: {review: 0.5}"):
        if allowed is None:
            name = _name(key, f"a {subject}'s name")
        else:
            name = key.one_of(allowed, f"a known {subject}")
        rules = _ladder(thresholds, subject, name)
        if any(name == category.lower() for category in restricted):
            _refuse_label(thresholds, rules)
        yield from rules


def _ladder(node: Node, subject: Subject, name: str) -> list[Rule]:
    """Read one subject's thresholds; a harder action must not be easier to reach."""
    rules: list[tuple[Rule, Node]] = []
    remedy = f"write {name}: {{review: 0.5}}"
    for key, value in node.items("a mapping from action to threshold", remedy):
        action = key.one_of(_RULE_ACTIONS, "an action with a threshold")
        rule = Rule(subject, name, Action(action.upper()), _threshold(value))
        rules.append((rule, value))
    rules.sort(key=lambda pair: SEVERITY[pair[0].action])
    for (mild, _), (hard, place) in itertools.pairwise(rules):
        if hard.threshold < mild.threshold:
            raise place.place.error(
                f"{hard.action.lower()} at {hard.threshold:g}",
                f"at least {mild.threshold:g}, where {mild.action.lower()} begins",
                f"raise it or lower {mild.action.lower()}",
            )
    return [rule for rule, _ in rules]


def _threshold(node: Node) -> float:
    remedy = "write a probability such as 0.9"
    value = node.number("a number in [0, 1]", remedy)
    if not 0.0 <= value <= 1.0:
        raise node.place.error(f"{value:g}", "a number in [0, 1]", remedy)
    return value


def _refuse_label(node: Node, rules: list[Rule]) -> None:
    if any(rule.action is Action.LABEL for rule in rules):
        raise node.place.error(
            "a label on a restricted category",
            "no label, since it would be shown",
            "use review or block, or take the category off `restricted`",
        )


def _missing(node: Node | None) -> Iterator[tuple[str, Action]]:
    if node is None:
        return
    shape = "a mapping from signal to action"
    for key, value in node.items(shape, "write transcript: review"):
        yield _signal(key), _action(value)


def _signal(key: Node) -> str:
    """Read a signal's name: a kind, `KIND:ROLE` or `default`."""
    name = _name(key, "a signal's name")
    kind, _, role = name.partition(":")
    known = (*MISSING_SIGNALS, "default")
    if kind not in known or (kind == "default" and role):
        raise key.place.error(quoted(name), "a known signal", nearest(kind, known))
    return name


def _restricted(node: Node | None) -> Iterator[Category]:
    if node is None:
        return
    for entry in node.entries("a list of categories", "write [child_safety]"):
        yield Category(entry.one_of(_CATEGORY_NAMES, "a known category").upper())
