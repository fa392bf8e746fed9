"""Schema ids from a registry with Confluent's REST API, and filling one.

Looking up never registers: a producer that registers on its own, while a registry is
still starting, fills an empty one. `apply_schemas` is the only writer.

The same event gives the same bytes as with the committed ids when `apply_schemas` met
an empty registry. In one that already held other schemas only the four id bytes
differ; then every worker has to use the registry, for an id has one meaning.
"""

import time
from dataclasses import dataclass

from schemas.errors import (
    RegistryError,
    RegistryUnavailableError,
    UnknownSchemaError,
)
from schemas.ids import (
    CommittedIds,
    CommittedSchema,
    RegisteredSchema,
    SchemaIds,
    committed_schemas,
    schema_text,
)
from schemas.registry_client import RegistryClient
from schemas.topics import TOPICS

__all__ = [
    "AppliedSchema",
    "CommittedIds",
    "RegistryIds",
    "SchemaIds",
    "apply_schemas",
    "check_registry",
]

TIMEOUT_S = 5.0  # A registry answers in milliseconds; a lost one must not stall start.
# Ids on the stream are hostile input: don't ask the registry for each again.
BELIEVE_FOREIGN_S = 10.0
MAX_FOREIGN = 1024

_LEVELS = {topic.subject: topic.compatibility for topic in TOPICS if topic.subject}


class RegistryIds:
    """The ids that a registry gave to our schemas; looks up, never registers.

    `url` is the API's root: `http://host:8081`, or `…/apis/ccompat/v7` for Apicurio.
    Answers are kept; only a first sight of an id blocks, for `timeout_s` a try.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._registry = RegistryClient(url, timeout_s)
        self._ids: dict[str, int] = {}
        self._schemas: dict[int, RegisteredSchema] = {}
        # Answers about ids that are none of ours, and until when they are believed.
        self._foreign: dict[int, tuple[float, RegisteredSchema | None]] = {}

    def id_for(self, subject: str) -> int:
        """Return the id of our schema of `subject`."""
        if subject not in self._ids:
            self._ids[subject] = self._registry.id_of(subject, schema_text(subject))
        return self._ids[subject]

    def schema_for(self, schema_id: int) -> RegisteredSchema:
        """Return the schema with this id, whichever version of its subjects it is."""
        known = self._schemas.get(schema_id)
        if known is not None:
            return known
        until, found = self._foreign.get(schema_id, (0.0, None))
        if time.monotonic() >= until:
            found = self._ask(schema_id)
        if found is None:
            raise UnknownSchemaError(f"{self._registry.name}: no schema id {schema_id}")
        return found

    def close(self) -> None:
        """Close the connections."""
        self._registry.close()

    def _ask(self, schema_id: int) -> RegisteredSchema | None:
        found: RegisteredSchema | None = None
        try:
            found = self._registry.schema(schema_id)
        except UnknownSchemaError:
            self._check_ready()
        else:
            if not found.subjects.isdisjoint(_LEVELS):
                self._schemas[schema_id] = found
                return found
        # Not kept for good: one of our subjects may yet get this schema.
        if len(self._foreign) >= MAX_FOREIGN:
            self._foreign.clear()
        until = time.monotonic() + BELIEVE_FOREIGN_S
        self._foreign[schema_id] = (until, found)
        return found

    def _check_ready(self) -> None:
        """Tell an unknown id from a registry that is still reading its store.

        Apicurio answers for about two seconds after a restart as if it were empty.
        """
        if self._registry.subjects().isdisjoint(_LEVELS):
            raise RegistryUnavailableError(
                f"{self._registry.name} has none of our subjects: it is starting, "
                "or `headgate topics apply` was never run"
            )


@dataclass(frozen=True, slots=True)
class AppliedSchema:
    """What a registry holds for one of our subjects."""

    subject: str
    id: int
    committed_id: int  # The same as `id` in a registry that was empty before.
    compatibility: str


def apply_schemas(
    url: str, *, timeout_s: float = TIMEOUT_S
) -> tuple[AppliedSchema, ...]:
    """Register our schemas, set each subject's compatibility and read it all back.

    Safe to repeat. A schema that breaks its subject's compatibility is refused.

    Raises:
        RegistryError: the registry refuses a schema or a level, or reads back another.
        RegistryUnavailableError: it does not answer.
    """
    registry = RegistryClient(url, timeout_s)
    try:
        existing = registry.subjects()
        for schema in _one_of_each_first(committed_schemas()):
            if schema.subject in existing:
                # First the level, so that it holds for what is registered next.
                registry.set_level(schema.subject, _LEVELS[schema.subject])
            registry.register(schema.subject, schema.text)
            registry.set_level(schema.subject, _LEVELS[schema.subject])
        return _applied(registry)
    finally:
        registry.close()


def check_registry(
    url: str, *, timeout_s: float = TIMEOUT_S
) -> tuple[AppliedSchema, ...]:
    """Check that a registry holds our schemas with their levels; changes nothing.

    Raises:
        RegistryError: a subject lacks its schema or its compatibility.
        RegistryUnavailableError: the registry does not answer.
    """
    registry = RegistryClient(url, timeout_s)
    try:
        return _applied(registry)
    except UnknownSchemaError as error:
        raise RegistryError(str(error)) from error
    finally:
        registry.close()


def _one_of_each_first(schemas: tuple[CommittedSchema, ...]) -> list[CommittedSchema]:
    """Order subjects so that new schemas take ids 1, 2, 3, … in an empty registry.

    Apicurio uses up an id each time a known schema is registered once more.
    """
    first: dict[int, CommittedSchema] = {}
    for schema in schemas:
        first.setdefault(schema.id, schema)
    return [*first.values(), *(s for s in schemas if s not in first.values())]


def _applied(registry: RegistryClient) -> tuple[AppliedSchema, ...]:
    rows = []
    for schema in committed_schemas():
        expected = _LEVELS[schema.subject]
        found = registry.level(schema.subject)
        if found != expected:
            raise RegistryError(
                f"{registry.name}: compatibility of {schema.subject} is {found}, "
                f"expected {expected}; run `headgate topics apply`"
            )
        schema_id = registry.id_of(schema.subject, schema.text)
        rows.append(AppliedSchema(schema.subject, schema_id, schema.id, found))
    return tuple(rows)
