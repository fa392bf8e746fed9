import json
import subprocess
import sys
from typing import Any

import pytest

from schemas.errors import HostileSchemaError
from schemas.guard import MAX_DEPTH, check_writer_schema


def a_record(*types: Any, name: str = "R") -> dict[str, Any]:
    """Build a record with a field of each type."""
    fields = [{"name": f"f{i}", "type": kind} for i, kind in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def nested(depth: int) -> Any:
    """Build arrays in arrays, `depth` types deep."""
    return "string" if depth == 1 else {"type": "array", "items": nested(depth - 1)}


def doubling(links: int) -> dict[str, Any]:
    """Build records of which each holds the one before twice: 2**links nulls."""
    last = a_record("null", name="R0")
    for link in range(1, links):
        last = a_record(last, last["name"], name=f"R{link}")
    return last


RECURSIVE = a_record(["null", "R"])
MUTUAL = a_record(a_record(["null", "A"], name="B"), name="A")
HOSTILE = {
    "direct recursion": (RECURSIVE, "recursive"),
    "mutual recursion": (MUTUAL, "recursive"),
    "recursion by full name": (
        {**a_record(["null", "x.R"]), "namespace": "x"},
        "recursive",
    ),
    "recursion in a map": (a_record({"type": "map", "values": "R"}), "recursive"),
    "array of null": ({"type": "array", "items": "null"}, "no bytes"),
    "map of null": ({"type": "map", "values": "null"}, "no bytes"),
    "array of empty records": ({"type": "array", "items": a_record()}, "no bytes"),
    "array of records of null": (
        {"type": "array", "items": a_record("null", a_record("null", name="I"))},
        "no bytes",
    ),
    "array of fixed(0)": (
        {"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}},
        "no bytes",
    ),
    "array of a named empty record": (
        a_record(a_record(name="E"), {"type": "array", "items": "E"}),
        "no bytes",
    ),
    "many nodes for one byte": (
        {"type": "array", "items": a_record("boolean", *["null"] * 100)},
        "in as little as 1 bytes",
    ),
    "too deep": (nested(MAX_DEPTH + 1), "deep"),
    "too deep by reference": (
        a_record(
            *[a_record(f"R{i - 1}" if i else "long", name=f"R{i}") for i in range(18)],
            name="Root",
        ),
        "deep",
    ),
    "too many nodes": (a_record(*["string"] * 2_000), "nodes"),
    "doubling references": (doubling(12), "nodes"),
    "undefined name": (a_record("Nobody"), "before defining"),
    "a name twice": (a_record(a_record(name="R")), "twice"),
    "no type at all": ({}, "deep|type"),
    "a number": (a_record(7), "int"),
    "an empty union": (a_record([]), "branches"),
    "a negative fixed": ({"type": "fixed", "name": "F", "size": -1}, "size"),
}


@pytest.mark.parametrize(("schema", "message"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_schema_is_refused(schema: Any, message: str) -> None:
    """Each way to crash or flood a reader is found, as text and as object."""
    with pytest.raises(HostileSchemaError, match=message):
        check_writer_schema(schema)
    with pytest.raises(HostileSchemaError, match=message):
        check_writer_schema(json.dumps(schema))


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '"' + "x" * 300_000 + '"', '{"type": ' * 5_000]
)
def test_a_text_that_is_no_schema_is_refused(text: str) -> None:
    """Text that is not JSON, or too much of it, never reaches the parser."""
    with pytest.raises(HostileSchemaError):
        check_writer_schema(text)


@pytest.mark.parametrize(
    "schema",
    [
        '"string"',
        nested(MAX_DEPTH),
        ["null", "long"],
        {"type": "array", "items": ["null", "string"]},
        {"type": {"type": "string"}},
        a_record(a_record("string", name="N"), "N", {"type": "array", "items": "N"}),
        {
            **a_record({"type": "enum", "name": "E", "symbols": ["A"]}, "n.E"),
            "namespace": "n",
        },
    ],
)
def test_an_honest_schema_passes(schema: Any) -> None:
    """Named types used again, unions with null and plain types are fine."""
    check_writer_schema(schema)


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process that may die."""
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


BARE = """
import io, fastavro
schema = fastavro.parse_schema({schema!r})
fastavro.schemaless_reader(io.BytesIO({body}), schema, None)
"""
GUARDED = """
from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.ids import RegisteredSchema
from schemas.records import ContentIngested
class Ids:
    def id_for(self, subject):
        return 7
    def schema_for(self, schema_id):
        return RegisteredSchema(frozenset({{"content.ingested.v1-value"}}), {schema!r})
try:
    Codec(Ids()).decode(b"\\0\\0\\0\\0\\7" + {body}, ContentIngested)
except CodecError as error:
    print(error.code)
"""
CRASHES = {
    "recursive": (RECURSIVE, 'b"\\2" * 1_000_000'),
    "mutual": (MUTUAL, 'b"\\2" * 1_000_000'),
    "skipped by our reader": (
        {**a_record("string"), "fields": RECURSIVE["fields"]},
        'b"\\2" * 1_000_000',
    ),
    "array of null": ({"type": "array", "items": "null"}, 'b"\\xfe\\xff\\xff\\x7f"'),
}


@pytest.mark.parametrize(("schema", "body"), CRASHES.values(), ids=CRASHES)
def test_hostile_bytes_leave_the_process_alive(schema: Any, body: str) -> None:
    """What kills or floods a bare fastavro is a code behind the guard."""
    found = run(GUARDED.format(schema=json.dumps(schema), body=body))

    assert (found.returncode, found.stdout.strip()) == (0, "hostile_schema")


@pytest.mark.parametrize("case", ["recursive", "mutual"])
def test_the_guard_is_needed(case: str) -> None:
    """Without it these bytes end the process by a signal, past any `except`."""
    schema, body = CRASHES[case]

    assert run(BARE.format(schema=schema, body=body)).returncode < 0
