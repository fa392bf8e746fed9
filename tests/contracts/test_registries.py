"""What every source of schema ids must do, run on the committed ids and a registry."""

import json
from collections.abc import Iterator

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from schemas.codec import Codec
from schemas.errors import (
    CodecError,
    RegistryError,
    RegistryUnavailableError,
    UnknownSchemaError,
)
from schemas.ids import CommittedIds, SchemaIds, committed_schemas, schema_text
from schemas.records import ContentIngested, RiskDecision
from schemas.registry import RegistryIds, apply_schemas, check_registry
from schemas.topics import INGESTED
from tests.builders import an_event, signals
from tests.contracts.registry_server import running_registry

COMMITTED = {schema.subject: schema for schema in committed_schemas()}


@pytest.fixture(scope="module")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return a real registry that was seen empty and then filled by `apply_schemas`."""
    with running_registry(tmp_path_factory.mktemp("registry") / "log") as url:
        empty = RegistryIds(url)
        with pytest.raises(RegistryUnavailableError, match="none of our subjects"):
            empty.schema_for(1)
        empty.close()
        with pytest.raises(RegistryError, match="topics apply"):
            check_registry(url)
        apply_schemas(url)
        yield url


@pytest.fixture(params=["committed", pytest.param("real", marks=pytest.mark.registry)])
def ids(request: pytest.FixtureRequest) -> Iterator[SchemaIds]:
    """Return each source of ids in turn."""
    if request.param == "committed":
        yield CommittedIds()
        return
    found = RegistryIds(request.getfixturevalue("registry_url"))
    yield found
    found.close()


@pytest.mark.parametrize("subject", COMMITTED)
def test_every_source_gives_the_committed_ids(ids: SchemaIds, subject: str) -> None:
    """A registry that was empty before has the same ids as the committed file."""
    assert ids.id_for(subject) == COMMITTED[subject].id


@pytest.mark.parametrize("subject", COMMITTED)
def test_every_source_gives_the_schema_back(ids: SchemaIds, subject: str) -> None:
    """An id leads to the schema's text and to every subject that has it."""
    found = ids.schema_for(COMMITTED[subject].id)

    assert json.loads(found.text) == json.loads(COMMITTED[subject].text)
    assert subject in found.subjects


def test_every_source_gives_the_same_bytes(ids: SchemaIds) -> None:
    """The same record is the same bytes, wherever the id came from."""
    record = signals(texts=())

    assert Codec(ids).encode(record) == Codec(CommittedIds()).encode(record)


def test_every_source_decodes(ids: SchemaIds) -> None:
    """Bytes written with committed ids are read with any source."""
    event = an_event(texts=(("title", "words"),))

    assert Codec(ids).decode(Codec(CommittedIds()).encode(event), ContentIngested) == (
        event
    )


def test_an_id_of_another_subject_is_refused(ids: SchemaIds) -> None:
    """A known schema on the wrong topic is not decoded."""
    with pytest.raises(CodecError) as caught:
        Codec(ids).decode(Codec(ids).encode(an_event()), RiskDecision)

    assert caught.value.code == "wrong_subject"


def test_an_unknown_id_is_an_error(ids: SchemaIds) -> None:
    """An id that nobody registered is told apart from a source that can't tell."""
    with pytest.raises(UnknownSchemaError, match="9999"):
        ids.schema_for(9999)


def test_an_unknown_subject_is_an_error(ids: SchemaIds) -> None:
    """A subject that is not ours has no id."""
    with pytest.raises(UnknownSchemaError, match="nobody"):
        ids.id_for("nobody-value")


@pytest.mark.registry
def test_apply_can_be_repeated(registry_url: str) -> None:
    """Applying again changes nothing and tells the same rows."""
    before = check_registry(registry_url)

    assert apply_schemas(registry_url) == before
    assert {row.subject: row.compatibility for row in before}[
        INGESTED.subject or ""
    ] == ("BACKWARD_TRANSITIVE")


@pytest.mark.registry
def test_a_lost_level_is_found(registry_url: str) -> None:
    """A subject whose compatibility someone switched off is named."""
    with SchemaRegistryClient({"url": registry_url}) as client:
        client.set_compatibility(INGESTED.subject, "NONE")
        with pytest.raises(RegistryError, match=r"content\.ingested\.v1-value is NONE"):
            check_registry(registry_url)

    assert apply_schemas(registry_url)


@pytest.mark.registry
def test_the_level_is_held(registry_url: str) -> None:
    """The registry refuses a schema that old events could not be read with."""
    schema = json.loads(schema_text(INGESTED.subject or ""))
    schema["fields"].append({"name": "added", "type": "string"})

    with SchemaRegistryClient({"url": registry_url}) as client:
        text = Schema(json.dumps(schema), "AVRO")
        assert not client.test_compatibility(INGESTED.subject, text)


@pytest.mark.registry
def test_a_newer_version_is_read(registry_url: str) -> None:
    """An event of a newer producer, with a field more, is read without it."""
    schema = json.loads(schema_text(INGESTED.subject or ""))
    schema["fields"].append({"name": "added", "type": "string", "default": ""})
    with SchemaRegistryClient({"url": registry_url}) as client:
        newer_id = client.register_schema(
            INGESTED.subject, Schema(json.dumps(schema), "AVRO")
        )
    ids = RegistryIds(registry_url)
    event = an_event()
    plain = Codec(CommittedIds()).encode(event)
    newer = b"\0" + newer_id.to_bytes(4, "big") + plain[5:] + b"\x06new"

    assert Codec(ids).decode(newer, ContentIngested) == event
    assert ids.id_for(INGESTED.subject or "") == 1
    ids.close()


@pytest.mark.registry
def test_a_foreign_schema_is_refused(registry_url: str) -> None:
    """A schema that someone registered elsewhere is never read."""
    text = '{"type":"record","name":"N","fields":[{"name":"n","type":["null","N"]}]}'
    with SchemaRegistryClient({"url": registry_url}) as client:
        foreign_id = client.register_schema("foreign-value", Schema(text, "AVRO"))
    ids = RegistryIds(registry_url)
    codec = Codec(ids)

    for _ in range(2):
        with pytest.raises(CodecError) as caught:
            codec.decode(b"\0" + foreign_id.to_bytes(4, "big") + b"\2", ContentIngested)
        assert caught.value.code == "wrong_subject"
    ids.close()


def test_a_registry_that_does_not_answer_is_transient() -> None:
    """No answer is no reason for a dead letter."""
    ids = RegistryIds("http://127.0.0.1:1", timeout_s=0.2)

    with pytest.raises(RegistryUnavailableError, match="HEADGATE_REGISTRY_URL"):
        Codec(ids).decode(b"\0\0\0\0\1\0", ContentIngested)
    ids.close()


def test_a_bad_address_is_told_without_its_password() -> None:
    """An address that can't be one is refused, its password not shown."""
    with pytest.raises(RegistryError, match="host:port") as caught:
        RegistryIds("ftp://user:secret@host")

    assert "secret" not in str(caught.value)
