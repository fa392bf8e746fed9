import json
from pathlib import Path

import pytest

import schemas
from schemas import records
from schemas.codec import Codec
from schemas.event_checks import checked_event
from schemas.ids import CommittedIds
from schemas.json_form import record_from_json, record_to_json
from schemas.records import ContentIngested
from schemas.topics import Record

FOLDER = Path(schemas.__file__).parent
EXAMPLES = sorted(FOLDER.glob("examples/*/*.json"))


def record_of(file: Path) -> type[Record]:
    """Find the record that a folder of examples is about."""
    name = json.loads((FOLDER / f"{file.parent.name}.avsc").read_text("utf-8"))["name"]
    kind: type[Record] = getattr(records, name)
    return kind


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_an_example_survives_the_wire(file: Path) -> None:
    """JSON to record to bytes and back gives the example as it stands."""
    codec, written = Codec(CommittedIds()), json.loads(file.read_text("utf-8"))

    record = record_from_json(written, record_of(file))
    decoded = codec.decode(codec.encode(record), record_of(file))

    assert record_to_json(decoded) == written


def test_every_schema_has_examples() -> None:
    """Two at least, and nothing that is no schema's."""
    schemas = {file.stem for file in FOLDER.glob("*.avsc")}
    folders = [file.parent.name for file in EXAMPLES]

    assert set(folders) == schemas
    assert all(folders.count(schema) >= 2 for schema in schemas)


@pytest.mark.parametrize(
    "file", [f for f in EXAMPLES if "ingested" in str(f)], ids=lambda f: f.name
)
def test_an_example_event_is_a_good_event(file: Path) -> None:
    """Examples of events pass the checks that events pass."""
    event = record_from_json(json.loads(file.read_text("utf-8")), ContentIngested)

    assert checked_event(event) == event
