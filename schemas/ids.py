"""Which schema has which id: the committed ids, used where there is no registry.

`ids.json` maps each subject to its id and file. A registry that was empty when
`schemas.registry.apply_schemas` filled it gives the same ids, hence the same bytes.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Protocol

from schemas.errors import UnknownSchemaError


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as its source knows it."""

    subjects: frozenset[str]
    text: str


class SchemaIds(Protocol):
    """Where schema ids come from; both methods may be called from any thread."""

    def id_for(self, subject: str) -> int:
        """Return the id under which our schema of `subject` is known.

        Raises:
            UnknownSchemaError: the source does not know it.
            RegistryError: the source can't tell.
        """
        ...

    def schema_for(self, schema_id: int) -> RegisteredSchema:
        """Return the schema with this id; may block on its first sight.

        Raises:
            UnknownSchemaError: there is none.
            RegistryError: the source can't tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class CommittedSchema:
    """A row of `ids.json`, with its file's text."""

    subject: str
    id: int
    text: str  # Without spaces, so that laying out a file anew changes no registry.


@cache
def committed_schemas() -> tuple[CommittedSchema, ...]:
    """Read the schemas that come with Headgate, by id."""
    folder = files("schemas")
    rows = json.loads((folder / "ids.json").read_text("utf-8"))
    schemas = []
    for subject, row in rows.items():
        schema = json.loads((folder / row["schema"]).read_text("utf-8"))
        text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
        schemas.append(CommittedSchema(subject, row["id"], text))
    return tuple(sorted(schemas, key=lambda schema: schema.id))


def schema_text(subject: str) -> str:
    """Return our schema of `subject` as JSON text.

    Raises:
        UnknownSchemaError: no topic of ours has that subject.
    """
    for schema in committed_schemas():
        if schema.subject == subject:
            return schema.text
    raise UnknownSchemaError(
        f"subject {subject!r} is not in schemas/ids.json; "
        f"it has {', '.join(schema.subject for schema in committed_schemas())}"
    )


class CommittedIds:
    """The ids in `ids.json`: no registry, no network."""

    def __init__(self) -> None:
        schemas = committed_schemas()
        self._ids = {schema.subject: schema.id for schema in schemas}
        self._schemas = {
            schema.id: RegisteredSchema(
                frozenset(s.subject for s in schemas if s.id == schema.id), schema.text
            )
            for schema in schemas
        }

    def id_for(self, subject: str) -> int:
        """Return the committed id of `subject`."""
        if subject not in self._ids:
            raise UnknownSchemaError(
                f"subject {subject!r} has no committed id; "
                f"schemas/ids.json has {', '.join(self._ids)}"
            )
        return self._ids[subject]

    def schema_for(self, schema_id: int) -> RegisteredSchema:
        """Return the committed schema with this id."""
        if schema_id not in self._schemas:
            raise UnknownSchemaError(
                f"no committed schema has id {schema_id}; there are "
                f"{sorted(self._schemas)}; if the producer uses a registry, "
                "set HEADGATE_REGISTRY_URL to it"
            )
        return self._schemas[schema_id]
