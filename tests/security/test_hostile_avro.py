"""Hostile schemas and values, each in a process of its own that has to live.

`tests/schemas/test_guard.py` shows that a bare fastavro dies of the same bytes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CPU_S, MEMORY_BYTES = 2.0, 300_000_000
OURS = "headgate.v1.ContentIngested"
TOPIC = "content.ingested.v1-value"


def a_record(*types, name="R"):
    """Build a record with a field of each type."""
    fields = [{"name": f"f{i}", "type": kind} for i, kind in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields}


def a_list(items):
    """Build an array type."""
    return {"type": "array", "items": items}


def doubling(links):
    """Build records of which each holds the one before twice."""
    last = a_record("null", name="R0")
    for link in range(1, links):
        last = a_record(last, last["name"], name=f"R{link}")
    return last


def nested(depth):
    """Build arrays in arrays."""
    schema = "string"
    for _ in range(depth):
        schema = a_list(schema)
    return schema


RECURSIVE = a_record(["null", "R"])
MANY = "b'\\xfe\\xff\\xff\\xff\\x0f'"  # A count of 2**31 - 1, as Avro writes it.
HUGE = "b'\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x80\\x01'"  # 2**62.
# Schema (None: ours), body as an expression, subject, the code that must come.
CASES = {
    "recursive, a small body": (RECURSIVE, "b'\\2' * 4_700", TOPIC, "hostile_schema"),
    "recursive, a large body": (RECURSIVE, "b'\\2' * 10**6", TOPIC, "hostile_schema"),
    "mutually recursive": (
        a_record(a_record(["null", "A"], name="B"), name="A"),
        "b'\\2' * 10**6",
        TOPIC,
        "hostile_schema",
    ),
    "recursive where our reader skips": (
        a_record(["null", OURS], name=OURS),
        "b'\\2' * 40_000",
        TOPIC,
        "hostile_schema",
    ),
    "recursive in another's subject": (
        RECURSIVE,
        "b'\\2' * 100_000",
        "someone.else-value",
        "wrong_subject",
    ),
    "of another subject of ours": (
        a_record("string"),
        "b'\\0'",
        "risk.decision.v1-value",
        "wrong_subject",
    ),
    "array of null": (a_list("null"), MANY, TOPIC, "hostile_schema"),
    "array of empty records": (a_list(a_record()), MANY, TOPIC, "hostile_schema"),
    "map of null": (
        {"type": "map", "values": "null"},
        MANY,
        TOPIC,
        "hostile_schema",
    ),
    "a doubling chain": (doubling(30), "b''", TOPIC, "hostile_schema"),
    "nested 400 deep": (nested(400), "b''", TOPIC, "hostile_schema"),
    "a fixed of 2**62 bytes": (
        a_record({"type": "fixed", "name": "F", "size": 2**62}, name=OURS),
        "b'x'",
        TOPIC,
        "undecodable",
    ),
    "a string of 2**62 bytes": (None, HUGE, TOPIC, "undecodable"),
    "an array of 2**62 strings": (
        a_record(a_list("string"), name=OURS),
        HUGE,
        TOPIC,
        "undecodable",
    ),
    "a number without end": (
        a_record("long", name=OURS),
        "b'\\xff' * 10**6",
        TOPIC,
        "undecodable",
    ),
    "a body beyond the limit": (a_record("bytes"), "bytes(10**7)", TOPIC, "too_large"),
    "bytes behind the record": (None, "b'\\0' * 10**6", TOPIC, "trailing_bytes"),
}

SCRIPT = """
import json, resource, sys, time
from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.ids import RegisteredSchema, schema_text
from schemas.records import ContentIngested
text, subject = {text!r} or schema_text({topic!r}), {subject!r}
class Ids:
    def id_for(self, subject):
        return 7
    def schema_for(self, schema_id):
        return RegisteredSchema(frozenset([subject]), text)
codec, body = Codec(Ids()), b"\\0\\0\\0\\0\\7" + {body}
used = resource.getrusage(resource.RUSAGE_SELF)
code = None
try:
    codec.decode(body, ContentIngested)
except CodecError as error:
    code = error.code
now = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({{
    "code": code,
    "cpu_s": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime,
    "memory_bytes": (now.ru_maxrss - used.ru_maxrss) * 1024,
}}))
"""


def decoded_elsewhere(schema, body, subject):
    """Decode in a process that may die; return what it says."""
    text = json.dumps(schema) if schema else None
    script = SCRIPT.format(text=text, topic=TOPIC, subject=subject, body=body)
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_hostile_avro_ends_as_a_code(name):
    """The process lives, soon done, with little memory, and can say what it was."""
    schema, body, subject, code = CASES[name]
    found = decoded_elsewhere(schema, body, subject)

    assert found["code"] == (code)
    assert found["cpu_s"] < CPU_S
    assert found["memory_bytes"] < MEMORY_BYTES
