"""The rights that each role needs at Kafka, as `deploy/kafka/acls.yaml` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Operation = Literal["read", "write", "describe"]
Kind = Literal["topic", "group", "transactional_id"]
_SECTIONS: dict[str, Kind] = {
    "topics": "topic",
    "groups": "group",
    "transactional_ids": "transactional_id",
}


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """One operation that one role may do on one resource."""

    role: str
    operation: Operation
    kind: Kind
    name: str
    prefixed: bool = False  # `name` stands for all that begin so.


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Every role's user and rights."""

    principals: Mapping[str, str]  # Role to "User:name".
    rights: tuple[Right, ...]

    def of(self, *roles: str) -> tuple[Right, ...]:
        """Return the rights of roles."""
        return tuple(right for right in self.rights if right.role in roles)


def read_access_rules(app_id: str) -> AccessRules:
    """Return the rules that come with Headgate, for workers called `app_id`."""
    data = _data()
    rights = [
        right
        for section, kind in _SECTIONS.items()
        for name, operations in data[section].items()
        for right in _rights(kind, name.format(app_id=app_id), operations)
    ]
    return AccessRules(data["principals"], tuple(rights))


@cache
def _data() -> dict[str, Any]:
    text = (files("deploy") / "kafka" / "acls.yaml").read_text("utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def _rights(
    kind: Kind, name: str, operations: Mapping[Operation, list[str]]
) -> list[Right]:
    stem, prefixed = name.removesuffix("*"), name.endswith("*")
    return [
        Right(role, operation, kind, stem, prefixed)
        for operation, roles in operations.items()
        for role in roles
    ]
