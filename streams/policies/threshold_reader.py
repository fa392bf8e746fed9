"""Reads tables of thresholds: NAME: {review: 0.5, block: 0.95}."""

import itertools
from collections.abc import Iterator

from schemas.records import Action
from streams.policies.values import ACTION_NAMES, brake, name
from streams.policy import SEVERITY, Rule, Subject
from streams.rules.rule import Brake
from streams.yaml_tree import Node

_RULE_ACTIONS = ACTION_NAMES[1:]  # `allow` needs no threshold.
_WORDS = ("clause", "owner")


def read_thresholds(
    node: Node, subject: Subject, allowed: tuple[str, ...] | None, owner: str
) -> Iterator[Rule]:
    """Read one table; `allowed` are the names that it may have, None for any.

    Raises:
        PolicyError: it can't be used.
    """
    shape = f"a mapping from {subject} to thresholds"
    for key, thresholds in node.items(shape, "write NAME: {review: 0.5}"):
        if allowed is None:
            subject_name = name(key, f"a {subject}'s name")
        else:
            subject_name = key.one_of(allowed, f"a known {subject}")
        yield from _ladder(thresholds, subject, subject_name, owner)


def _ladder(node: Node, subject: Subject, named: str, owner: str) -> list[Rule]:
    """Read one subject's thresholds; a harder action must not be easier to reach."""
    steps: list[tuple[Action, float, Node]] = []
    words = {"owner": owner, "clause": ""}
    limits: Brake | None = None
    remedy = f"write {named}: {{review: 0.5}}"
    known = (*_RULE_ACTIONS, *_WORDS, "brake")
    for key, value in node.items("a mapping from action to threshold", remedy):
        word = key.one_of(known, "an action with a threshold")
        if word in _WORDS:
            words[word] = name(value, f"a rule's {word}")
        elif word == "brake":
            limits = brake(value)
        else:
            steps.append((Action(word.upper()), _threshold(value), value))
    steps.sort(key=lambda step: SEVERITY[step[0]])
    for (mild, low, _), (hard, high, value) in itertools.pairwise(steps):
        if high < low:
            raise value.place.error(
                f"{hard.lower()} at {high:g}",
                f"at least {low:g}, where {mild.lower()} begins",
                f"raise it or lower {mild.lower()}",
            )
    said = (words["owner"], words["clause"], limits)
    return [
        Rule(subject, named, action, at, *said, value.place)
        for action, at, value in steps
    ]


def _threshold(node: Node) -> float:
    remedy = "write a probability such as 0.9"
    value = node.number("a number in [0, 1]", remedy)
    if not 0.0 <= value <= 1.0:
        raise node.place.error(f"{value:g}", "a number in [0, 1]", remedy)
    return value
