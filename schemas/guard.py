"""Check a writer schema before fastavro sees it; runs once per schema id.

A recursive schema and a few KB of bytes kill the process with SIGSEGV, which no
`except` stops; an array of items that take no bytes makes a list of any length from
five bytes. Neither is needed, so both are refused.
"""

import json
from dataclasses import dataclass
from typing import Any

from schemas.errors import HostileSchemaError

MAX_SCHEMA_BYTES = 256 * 1024  # Our largest takes 12 KiB.
MAX_DEPTH = 16  # Ours is 6 deep.
# Ours has 150. References count in full: a chain of them doubles at each link.
MAX_NODES = 2_000
# Bounds the work one byte can cause when it stands for an item; ours needs 5.
MAX_NODES_PER_ITEM_BYTE = 64

_SIZES = {
    "null": 0,
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 4,
    "double": 8,
    "bytes": 1,
    "string": 1,
}


@dataclass(frozen=True, slots=True)
class _Weight:
    """What reading one value takes: `bytes_` at least; `nodes` and `depth` at most."""

    bytes_: int
    nodes: int
    depth: int


def check_writer_schema(schema: str | dict[str, Any] | list[Any]) -> None:
    """Refuse a schema that could crash the reader or make it do endless work.

    Raises:
        HostileSchemaError: it is recursive, too deep or too large, repeats items of no
            bytes, or is no Avro schema.
    """
    if isinstance(schema, str):
        schema = _parse(schema)
    try:
        _Walk().weigh(schema, "", 1)
    except RecursionError:
        raise HostileSchemaError("the schema is nested too deep to walk") from None


def _parse(text: str) -> Any:
    if len(text) > MAX_SCHEMA_BYTES:
        raise HostileSchemaError(
            f"the schema has {len(text)} characters, "
            f"expected {MAX_SCHEMA_BYTES} at most"
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise HostileSchemaError("the schema is not JSON of sane depth") from None


class _Walk:
    """One walk over a schema, depth first, as Avro defines names."""

    def __init__(self) -> None:
        self._open: set[str] = set()  # Names whose definition the walk is inside of.
        self._known: dict[str, _Weight] = {}

    def weigh(self, schema: Any, namespace: str, depth: int) -> _Weight:
        """Weigh one type; `depth` counts from the root, which is 1."""
        if depth > MAX_DEPTH:
            raise HostileSchemaError(f"the schema is more than {MAX_DEPTH} deep")
        if isinstance(schema, str):
            weight = self._reference(schema, namespace)
        elif isinstance(schema, list):
            weight = self._union(schema, namespace, depth)
        elif isinstance(schema, dict):
            weight = self._complex(schema, namespace, depth)
        else:
            raise HostileSchemaError(f"a type is a JSON {type(schema).__name__}")
        # A reference is as deep as what it names, below the place where it stands.
        if depth + weight.depth - 1 > MAX_DEPTH:
            raise HostileSchemaError(f"the schema is more than {MAX_DEPTH} deep")
        if weight.nodes > MAX_NODES:
            raise HostileSchemaError(
                f"the schema has more than {MAX_NODES} nodes, with references in full"
            )
        return weight

    def _reference(self, name: str, namespace: str) -> _Weight:
        if name in _SIZES:
            return _Weight(_SIZES[name], 1, 1)
        full = _full_name(name, namespace)
        # A name that has no namespace of its own may also be one without any.
        for candidate in (full, name):
            if candidate in self._open:
                raise HostileSchemaError("the schema is recursive")
            if candidate in self._known:
                return self._known[candidate]
        raise HostileSchemaError("the schema uses a type before defining it")

    def _union(self, branches: list[Any], namespace: str, depth: int) -> _Weight:
        if not branches:
            raise HostileSchemaError("a union has no branches")
        parts = [self.weigh(branch, namespace, depth + 1) for branch in branches]
        least = 1 + min(part.bytes_ for part in parts)  # The branch's index is a byte.
        return _Weight(least, _nodes(parts), _depth(parts))

    def _complex(self, schema: dict[str, Any], namespace: str, depth: int) -> _Weight:
        kind = schema.get("type")
        if not isinstance(kind, str):
            return self.weigh(kind, namespace, depth + 1)
        if kind == "array":
            return self._items(schema.get("items"), 0, namespace, depth)
        if kind == "map":
            return self._items(schema.get("values"), 1, namespace, depth)
        if kind in ("record", "error", "enum", "fixed"):
            return self._named(schema, kind, namespace, depth)
        return self._reference(kind, namespace)

    def _items(self, items: Any, key_bytes: int, namespace: str, depth: int) -> _Weight:
        part = self.weigh(items, namespace, depth + 1)
        # A map's key takes a byte, yet nothing of ours needs empty values either.
        if part.bytes_ == 0:
            raise HostileSchemaError("an array or map has items that take no bytes")
        if part.nodes > MAX_NODES_PER_ITEM_BYTE * (part.bytes_ + key_bytes):
            raise HostileSchemaError(
                f"an array or map has items of {part.nodes} nodes in as little as "
                f"{part.bytes_ + key_bytes} bytes"
            )
        return _Weight(1, _nodes([part]), _depth([part]))

    def _named(
        self, schema: dict[str, Any], kind: str, namespace: str, depth: int
    ) -> _Weight:
        name, inner = _definition(schema, namespace)
        if name in self._known or name in self._open or name in _SIZES:
            raise HostileSchemaError("the schema defines a name twice")
        self._open.add(name)
        if kind == "enum":
            weight = _Weight(1, 1, 1)
        elif kind == "fixed":
            weight = _Weight(_fixed_size(schema), 1, 1)
        else:
            weight = self._record(schema, inner, depth)
        self._open.remove(name)
        self._known[name] = weight
        return weight

    def _record(self, schema: dict[str, Any], namespace: str, depth: int) -> _Weight:
        fields = schema.get("fields")
        if not isinstance(fields, list):
            raise HostileSchemaError("a record has no list of fields")
        parts: list[_Weight] = []
        for field in fields:
            if not isinstance(field, dict) or "type" not in field:
                raise HostileSchemaError("a field of a record has no type")
            parts.append(self.weigh(field["type"], namespace, depth + 1))
        return _Weight(sum(part.bytes_ for part in parts), _nodes(parts), _depth(parts))


def _nodes(parts: list[_Weight]) -> int:
    return 1 + sum(part.nodes for part in parts)


def _depth(parts: list[_Weight]) -> int:
    return 1 + max((part.depth for part in parts), default=0)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _definition(schema: dict[str, Any], namespace: str) -> tuple[str, str]:
    """Return a definition's full name and the namespace inside it."""
    name = schema.get("name")
    inside = schema.get("namespace", namespace)
    if not isinstance(name, str) or not isinstance(inside, str) or not name:
        raise HostileSchemaError("a record, enum or fixed has no name")
    full = _full_name(name, inside)
    return full, full.rpartition(".")[0]


def _fixed_size(schema: dict[str, Any]) -> int:
    size = schema.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise HostileSchemaError("a fixed has no size")
    return size
