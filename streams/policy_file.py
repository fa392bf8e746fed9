"""Reads a policy from YAML texts; what can't be used is refused with its line.

A policy is one file or a folder of them. Takes texts and not paths: `policy_folder`
reads the files.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from schemas.records import CATEGORIES, Action, Category
from streams.policies.coverage import Coverage
from streams.policies.rule_reader import RuleReader
from streams.policies.threshold_reader import read_thresholds
from streams.policies.values import action, name, second_approval
from streams.policy import MISSING_SIGNALS, Policy, Rule
from streams.rules.rule import WrittenRule
from streams.rules.softening import SecondApproval
from streams.rules.vocabulary import Vocabulary
from streams.scorers import ANOMALY_NAMES
from streams.yaml_tree import Node, Place, nearest, parse_tree, quoted

_ONCE = ("id", "version", "missing", "provisional", "restricted", "second_approval")
_TABLES = ("categories", "anomalies", "banks")
_KEYS = (*_ONCE, *_TABLES, "rules", "owner")
_CATEGORY_NAMES = tuple(category.lower() for category in CATEGORIES)
MAX_RULES = 20_000
VOCABULARY = Vocabulary(ANOMALY_NAMES)
TESTS = "tests/"  # Files below it hold the policy's tests and no rules.


def parse_policy(text: str, file: str) -> Policy:
    """Read a policy of one file; `file` only names it in errors.

    Its hash is of the text in UTF-8 with plain line ends and no byte order mark, so a
    checkout on another system has the same one.

    Raises:
        PolicyError: `FILE:LINE:COLUMN: found X; expected Y; do Z`.
    """
    return _policy({file: text}, policy_sha256(text)).policy


@dataclass(slots=True)
class CheckedPolicy:
    """A policy, and the ids of its rules that were not compared with all others."""

    policy: Policy
    undecided: tuple[str, ...]


def parse_policy_folder(files: Mapping[str, str], folder: str) -> CheckedPolicy:
    """Read a policy of several files, by their paths within the folder.

    The files count in the order of their paths. The hash is over all of them, tests
    too, each by its path and its own hash.

    Raises:
        PolicyError: `FOLDER/FILE:LINE:COLUMN: found X; expected Y; do Z`.
    """
    listed = "".join(f"{path} {policy_sha256(files[path])}\n" for path in sorted(files))
    sha256 = hashlib.sha256(listed.encode()).hexdigest()
    rules = {
        f"{folder}/{path}": files[path]
        for path in sorted(files)
        if not path.startswith(TESTS)
    }
    if not rules:
        raise Place(folder, 1, 1).error(
            "no policy file", "policy.yaml", "add one with id, version and rules"
        )
    return _policy(rules, sha256)


def policy_sha256(text: str) -> str:
    """Return the hash that names a policy file in decisions, lower-case hex."""
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(slots=True)
class _Parts:
    """What the files say, before it is put together."""

    once: dict[str, tuple[Node, Node]] = field(default_factory=dict)  # Key and value.
    lines: list[Rule] = field(default_factory=list)
    rules: list[WrittenRule] = field(default_factory=list)
    speaks: bool = False  # Some file has thresholds or rules.


def _policy(files: Mapping[str, str], sha256: str) -> CheckedPolicy:
    parts = _Parts()
    for file, text in files.items():
        _read_file(parse_tree(text, file), parts)
    _require(Place(next(iter(files)), 1, 1), parts)
    _check_ids(parts)
    restricted = frozenset(_restricted(parts))
    _refuse_labels(parts, restricted)
    missing = dict(_missing(parts))
    policy = Policy(
        id=name(parts.once["id"][1], "the policy's id"),
        version=name(parts.once["version"][1], "the policy's version"),
        sha256=sha256,
        rules=tuple(parts.lines),
        written=tuple(parts.rules),
        missing_default=missing.pop("default", Action.REVIEW),
        missing=tuple(missing.items()),
        provisional=_provisional(parts),
        restricted=restricted,
        second_approval=_second_approval(parts),
    )
    coverage = Coverage(policy.all_rules, len(policy.rules))
    coverage.check()
    return CheckedPolicy(policy, tuple(dict.fromkeys(coverage.undecided)))


def _read_file(root: Node, parts: _Parts) -> None:
    keys: dict[str, tuple[Node, Node]] = {}
    for key, value in root.items("a policy's keys", f"write {_KEYS[0]}: NAME first"):
        keys[key.one_of(_KEYS, "a policy's key")] = (key, value)
    for once in _ONCE:
        if once in keys and once in parts.once:
            before = f"one in all files (it is at {parts.once[once][0].place} too)"
            remedy = "remove one of the two"
            raise keys[once][0].place.error(quoted(once), before, remedy)
        if once in keys:
            parts.once[once] = keys[once]
    owner = name(keys["owner"][1], "an owner") if "owner" in keys else ""
    for table in _TABLES:
        if table in keys:
            parts.lines += _table(table, keys[table][1], owner)
    if "rules" in keys:
        parts.rules += RuleReader(VOCABULARY).read(keys["rules"][1], owner)
    # Without either, all would be allowed; a policy of banks alone says so with {}.
    parts.speaks |= "categories" in keys or "rules" in keys


def _table(table: str, node: Node, owner: str) -> Iterator[Rule]:
    if table == "categories":
        return read_thresholds(node, "category", _CATEGORY_NAMES, owner)
    if table == "anomalies":
        return read_thresholds(node, "anomaly", ANOMALY_NAMES, owner)
    return read_thresholds(node, "bank", None, owner)


def _require(start: Place, parts: _Parts) -> None:
    lacks = [key for key in ("id", "version") if key not in parts.once]
    if not parts.speaks:
        lacks.append("categories")
    for key in lacks:
        remedy = f"add a line `{key}: …`"
        raise start.error(f"no {key}", f"the key {key}", remedy)


def _check_ids(parts: _Parts) -> None:
    count = len(parts.lines) + len(parts.rules)
    seen: dict[str, Place | None] = {}
    listed: list[Rule | WrittenRule] = [*parts.lines, *parts.rules]
    for rule in listed:
        place = rule.place or Place("policy", 1, 1)
        if rule.id in seen:
            first = f"each rule once (it is at {seen[rule.id]} too)"
            remedy = "rename or remove one of the two"
            raise place.error(f"rule {rule.id!r}", first, remedy)
        seen[rule.id] = place
        if count > MAX_RULES:
            remedy = "list what is alike in a bank"
            raise place.error(f"{count} rules", f"at most {MAX_RULES}", remedy)


def _provisional(parts: _Parts) -> Action:
    given = parts.once.get("provisional")
    return action(given[1]) if given else Action.REVIEW


def _second_approval(parts: _Parts) -> SecondApproval:
    given = parts.once.get("second_approval")
    return second_approval(given[1]) if given else SecondApproval()


def _refuse_labels(parts: _Parts, restricted: frozenset[Category]) -> None:
    names = {f"score.{category.lower()}" for category in restricted}
    for rule in (*(line.written for line in parts.lines), *parts.rules):
        labels = rule.effect.action is Action.LABEL
        if labels and any(term.name in names for term in rule.condition.terms):
            raise (rule.place or Place("policy", 1, 1)).error(
                "a label on a restricted category",
                "no label, since it would be shown",
                "use review or block, or take the category off `restricted`",
            )


def _missing(parts: _Parts) -> Iterator[tuple[str, Action]]:
    given = parts.once.get("missing")
    if given is None:
        return
    shape = "a mapping from signal to action"
    for key, value in given[1].items(shape, "write transcript: review"):
        yield _signal(key), action(value)


def _signal(key: Node) -> str:
    """Read a signal's name: a kind, `KIND:ROLE` or `default`."""
    given = name(key, "a signal's name")
    kind, _, role = given.partition(":")
    known = (*MISSING_SIGNALS, "default")
    if kind not in known or (kind == "default" and role):
        raise key.place.error(quoted(given), "a known signal", nearest(kind, known))
    return given


def _restricted(parts: _Parts) -> Iterator[Category]:
    given = parts.once.get("restricted")
    if given is None:
        return
    for entry in given[1].entries("a list of categories", "write [child_safety]"):
        yield Category(entry.one_of(_CATEGORY_NAMES, "a known category").upper())
