"""Facts about the .avsc files: they mirror the records and can evolve."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, fields
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

import pytest

import schemas
from schemas import records
from schemas.guard import check_writer_schema

FOLDER = Path(schemas.__file__).parent
FILES = sorted(FOLDER.glob("*.avsc"))
AVRO = {"str": "string", "int": "long", "bool": "boolean", "float": "double"}


def definitions(node: Any) -> Iterator[dict[str, Any]]:
    """List every record and enum that a schema defines."""
    if isinstance(node, list):
        for inner in node:
            yield from definitions(inner)
    elif isinstance(node, dict):
        if node.get("type") in ("record", "enum"):
            yield node
        yield from definitions([node.get(k) for k in ("type", "fields", "items")])


def schema_of(file: Path) -> Any:
    """Read a schema."""
    return json.loads(file.read_text("utf-8"))


ALL = [
    pytest.param(found, id=f"{file.name}:{found['name']}")
    for file in FILES
    for found in definitions(schema_of(file))
]
RECORDS = [p for p in ALL if p.values[0]["type"] == "record"]  # type: ignore[index]
ENUMS = [p for p in ALL if p.values[0]["type"] == "enum"]  # type: ignore[index]


def expected_type(hint: Any) -> Any:
    """Say which Avro type a field of a record has to have; names stand for all else."""
    arguments = get_args(hint)
    if NoneType in arguments:
        return ["null", *(expected_type(a) for a in arguments if a is not NoneType)]
    if hint == tuple[tuple[str, str], ...]:
        return {"array": "NamedText"}
    if get_origin(hint) is tuple:
        return {"array": expected_type(arguments[0])}
    if hint.__name__ == "datetime":
        return "timestamp-micros"
    return AVRO.get(hint.__name__, hint.__name__)


def found_type(node: Any) -> Any:
    """Write an Avro type in the same words."""
    if isinstance(node, list):
        return [found_type(inner) for inner in node]
    if isinstance(node, str):
        return node
    if node["type"] == "array":
        return {"array": found_type(node["items"])}
    return node.get("logicalType") or node.get("name") or node["type"]


@pytest.mark.parametrize(
    "schema",
    # A NamedText is a pair in Python.
    [p for p in RECORDS if "NamedText" not in str(p.id)],
)
def test_a_record_mirrors_its_dataclass(schema: dict[str, Any]) -> None:
    """Same fields, same order, same types, and a default wherever there is one."""
    record = getattr(records, schema["name"])
    hints = get_type_hints(record)

    assert {f["name"]: found_type(f["type"]) for f in schema["fields"]} == {
        f.name: expected_type(hints[f.name]) for f in fields(record)
    }
    assert [f["name"] for f in schema["fields"]] == [f.name for f in fields(record)]
    for field in fields(record):
        if field.default is not MISSING:
            (found,) = (f for f in schema["fields"] if f["name"] == field.name)
            default = [] if field.default == () else field.default
            default = "" if default == b"" else default
            assert found["default"] == default


@pytest.mark.parametrize("schema", ENUMS)
def test_an_enum_mirrors_its_class(schema: dict[str, Any]) -> None:
    """Same symbols in the same order; UNKNOWN stands for newer ones."""
    kind: type[StrEnum] = getattr(records, schema["name"])

    assert schema["symbols"] == [symbol.value for symbol in kind]
    assert schema["default"] == "UNKNOWN"


@pytest.mark.parametrize("schema", ALL)
def test_everything_has_a_doc(schema: dict[str, Any]) -> None:
    """Every record, enum and field says what it is."""
    assert schema["doc"]
    assert all(field["doc"] for field in schema.get("fields", ()))


@pytest.mark.parametrize("schema", RECORDS)
def test_optional_fields_default_to_null(schema: dict[str, Any]) -> None:
    """Null comes first, as Avro asks of a union with default null."""
    for field in schema["fields"]:
        if isinstance(field["type"], list):
            assert field["type"][0] == "null"
            assert field["default"] is None
        if isinstance(field["type"], dict) and field["type"]["type"] == "array":
            assert field["default"] == []


def test_a_name_means_the_same_in_every_file() -> None:
    """A type that several files define is defined alike."""
    seen: dict[str, Any] = {}
    for parameter in ALL:
        (found,) = parameter.values
        assert isinstance(found, dict)
        # Inner definitions become names after their first use in a file.
        outline = [
            (field["name"], found_type(field["type"]), field["doc"])
            for field in found.get("fields", ())
        ] or found.get("symbols")
        assert seen.setdefault(found["name"], outline) == outline


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_our_own_schemas_pass_the_guard(file: Path) -> None:
    """What we write can be read; names live in headgate.v1."""
    check_writer_schema(file.read_text("utf-8"))

    assert schema_of(file)["namespace"] == "headgate.v1"
