"""A registry over HTTP, its failures told apart: unknown, refused, not answering."""

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from schemas.errors import (
    RegistryError,
    RegistryUnavailableError,
    UnknownSchemaError,
)
from schemas.ids import RegisteredSchema

T = TypeVar("T")

RETRIES = 2
RETRY_WAIT_MS = 200
# Confluent's error codes: no such subject, version, schema.
_NOT_FOUND = {40401, 40402, 40403}


class RegistryClient:
    """Confluent's client, with its failures told apart.

    Every method raises UnknownSchemaError, RegistryError or RegistryUnavailableError.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        # Not the whole URL: it may carry a password, and ends in logs.
        self.name = f"registry {urlsplit(url).hostname or url!r}"
        try:
            self._client = SchemaRegistryClient(
                {
                    "url": url,
                    "timeout": timeout_s,
                    "max.retries": RETRIES,
                    "retries.wait.ms": RETRY_WAIT_MS,
                }
            )
        except ValueError as error:
            raise RegistryError(
                f"{self.name}: not a registry's address, expected http(s)://host:port"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def id_of(self, subject: str, text: str) -> int:
        """Look up the id of a schema under its subject."""
        missing = f"our schema of {subject} is not there; run `headgate topics apply`"
        found = self._ask(
            missing, lambda: self._client.lookup_schema(subject, Schema(text, "AVRO"))
        )
        if found.schema_id is None:
            raise RegistryError(f"{self.name}: it gave no id for {subject}")
        return found.schema_id

    def schema(self, schema_id: int) -> RegisteredSchema:
        """Fetch the schema with an id and all subjects that have it."""

        def ask() -> RegisteredSchema:
            schema = self._client.get_schema(schema_id)
            # Not `…/subjects`, which Apicurio 2 does not have.
            versions = self._client.get_schema_versions(schema_id)
            subjects = frozenset(v.subject for v in versions if v.subject is not None)
            return RegisteredSchema(subjects, schema.schema_str or "")

        return self._ask(f"no schema has id {schema_id}", ask)

    def subjects(self) -> set[str]:
        """List every subject."""
        return set(self._ask("no subjects", self._client.get_subjects))

    def register(self, subject: str, text: str) -> None:
        """Register a schema; does nothing where it is registered already."""
        self._ask(
            f"{subject} can't be registered",
            lambda: self._client.register_schema(subject, Schema(text, "AVRO")),
        )

    def set_level(self, subject: str, level: str) -> None:
        """Set the compatibility of a subject."""
        self._ask(
            f"compatibility of {subject} can't be set",
            lambda: self._client.set_compatibility(subject, level),
        )

    def level(self, subject: str) -> str:
        """Read the compatibility of a subject."""
        return str(
            self._ask(
                f"{subject} is not there; run `headgate topics apply`",
                lambda: self._client.get_compatibility(subject),
            )
        )

    def _ask(self, not_found: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except SchemaRegistryError as error:
            if error.error_code in _NOT_FOUND:
                raise UnknownSchemaError(f"{self.name}: {not_found}") from error
            if error.http_status_code == 429 or error.http_status_code >= 500:
                raise RegistryUnavailableError(f"{self.name}: {error}") from error
            raise RegistryError(f"{self.name}: {not_found}: {error}") from error
        except Exception as error:  # The HTTP client's, and no JSON where it should be.
            raise RegistryUnavailableError(
                f"{self.name} does not answer: {type(error).__name__}; "
                "check HEADGATE_REGISTRY_URL and that it is up"
            ) from error
