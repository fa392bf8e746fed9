"""Reads a policy's `rules`: each a mapping with a condition and an action."""

import re
from collections.abc import Iterator

from schemas.records import Action
from streams.policies import values
from streams.rules.conditions import Condition, condition
from streams.rules.parser import parse_condition
from streams.rules.rule import (
    ADULT_AGE,
    Effect,
    IfMissing,
    Markets,
    Validity,
    WrittenRule,
)
from streams.rules.softening import CLAUSES
from streams.rules.syntax import All, OneOf, Tree
from streams.rules.tokens import ConditionError
from streams.rules.vocabulary import KINDS, Vocabulary
from streams.yaml_tree import Node, quoted

_KEYS = (
    *("id", "owner", "clause", "why", "when", "action", "strength", "age", "for"),
    *("kinds", "markets", "valid", "if_missing", "brake"),
)
_REQUIRED = ("id", "when", "action")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# What decisions quote besides.
_RESERVED = ("missing.", "default.", "provisional.", *CLAUSES)


class RuleReader:
    """Reads rules with the names of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def read(self, node: Node, owner: str) -> Iterator[WrittenRule]:
        """Read a list of rules; `owner` is of those that name none.

        Raises:
            PolicyError: one can't be used.
        """
        remedy = "write - id: NAME, then when and action below it"
        for entry in node.entries("a list of rules", remedy):
            yield self._rule(entry, owner)

    def _rule(self, node: Node, owner: str) -> WrittenRule:
        parts: dict[str, Node] = {}
        for key, value in node.items("a rule's keys", "write id: NAME first"):
            parts[key.one_of(_KEYS, "a rule's key")] = value
        for wanted in _REQUIRED:
            if wanted not in parts:
                remedy = f"add a line `{wanted}: …`"
                raise node.place.error(f"no {wanted}", f"the key {wanted}", remedy)
        if "why" in parts:
            values.name(parts["why"], "a rule's reason")
        given, missing = parts.get("valid"), parts.get("if_missing")
        markets, brake = parts.get("markets"), parts.get("brake")
        return WrittenRule(
            id=_id(parts["id"]),
            condition=self._condition(parts["when"], parts.get("kinds")),
            effect=_effect(parts),
            owner=_said(node, parts, "owner", owner),
            clause=_said(node, parts, "clause", ""),
            markets=values.markets(markets) if markets else Markets(),
            valid=values.validity(given) if given else Validity(),
            if_missing=_if_missing(missing) if missing else IfMissing.HOLD,
            brake=values.brake(brake) if brake else None,
            place=node.place,
        )

    def _condition(self, node: Node, kinds: Node | None) -> Condition:
        text = node.text("a condition", "write score.hate >= 0.9")
        try:
            tree = parse_condition(text, self._vocabulary)
        except ConditionError as error:
            place = node.at(error.offset)
            raise place.error(error.found, error.expected, error.remedy) from error
        return condition(tree if kinds is None else self._of_kinds(kinds, tree))

    def _of_kinds(self, node: Node, tree: Tree) -> Tree:
        """Put the kinds of content before the condition, as part of it."""
        term = self._vocabulary.find("kind")
        assert term is not None, "kind is a word of every vocabulary"
        shape, remedy = "a list of kinds of content", f"use some of {', '.join(KINDS)}"
        entries = node.entries(shape, remedy)
        if not entries:
            remedy = "name one, or remove the line: then it is for all"
            raise node.place.error("an empty list", "a kind of content", remedy)
        named = tuple(entry.one_of(KINDS, "a kind of content") for entry in entries)
        return All((OneOf(term, named), tree))


def _id(node: Node) -> str:
    value = node.text("a rule's id", "write a short name: hate-in-podcasts")
    remedy = "use small letters, digits, dots and dashes: hate-in-podcasts"
    if not _ID.fullmatch(value):
        expected = "an id of at most 100 small letters, digits, . _ and -"
        raise node.place.error(quoted(value), expected, remedy)
    if value.startswith(_RESERVED):
        expected = f"an id that begins otherwise than {', '.join(_RESERVED)}"
        raise node.place.error(quoted(value), expected, "rename it")
    return value


def _said(node: Node, parts: dict[str, Node], key: str, default: str) -> str:
    """Return who answers for a rule, or what it stands for; nobody may be nobody."""
    value = values.name(parts[key], f"a rule's {key}") if key in parts else default
    if not value:
        what = "who answers for it" if key == "owner" else "which published rule it is"
        remedy = f"add a line `{key}: …` to say {what}"
        raise node.place.error(f"no {key}", f"the key {key}", remedy)
    return value


def _effect(parts: dict[str, Node]) -> Effect:
    action = values.action(parts["action"])
    strength, age, lasting = (parts.get(key) for key in ("strength", "age", "for"))
    _only_for(strength, "strength", action, (Action.LIMIT,))
    _only_for(age, "age", action, (Action.AGE_RESTRICT,))
    mild = (Action.LABEL, Action.AGE_RESTRICT, Action.LIMIT, Action.BLOCK)
    _only_for(lasting, "for", action, mild)
    if action is Action.ALLOW:
        raise parts["action"].place.error(
            "allow", "an action that does something", "allow is what no rule changes"
        )
    return Effect(
        action,
        _share(strength) if strength else 1.0,
        _age(age) if action is Action.AGE_RESTRICT else None,
        values.duration_s(lasting) if lasting else None,
    )


def _only_for(
    node: Node | None, key: str, action: Action, allowed: tuple[Action, ...]
) -> None:
    if node is not None and action not in allowed:
        names = " or ".join(a.lower() for a in allowed)
        found = f"`{key}` beside {action.lower()}"
        raise node.place.error(found, f"it beside {names} only", "remove the line")


def _share(node: Node) -> float:
    expected, remedy = "a share above 0 and up to 1", "write 0.5"
    value = node.number(expected, remedy)
    if not 0.0 < value <= 1.0:
        raise node.place.error(f"{value:g}", expected, remedy)
    return value


def _age(node: Node | None) -> int:
    return values.whole_number(node, 3, 21, "years") if node else ADULT_AGE


def _if_missing(node: Node) -> IfMissing:
    return IfMissing(
        node.one_of([m.value for m in IfMissing], "what to do without a signal")
    )
