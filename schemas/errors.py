"""What can go wrong with a value on the wire, split by what its reader does next.

SchemaError
├── CodecError                  this value is bad: a dead letter now
│   └── HostileSchemaError      its writer schema is
├── UnknownSchemaError          no such schema id; the codec makes a CodecError of it
└── RegistryError               the registry lacks or refuses something: don't start
    └── RegistryUnavailableError  the registry does not answer: try again
"""


class SchemaError(Exception):
    """Any failure of this package."""


class CodecError(SchemaError):
    """A value that can't be read or written; no retry mends it.

    `code` is a short, safe word for headers and metrics. The message names fields,
    lengths and types, and never holds text of the payload.

    Codes: `empty`, `not_avro_framed`, `unknown_schema_id`, `wrong_subject`,
    `hostile_schema`, `undecodable`, `trailing_bytes`, `too_large`, `bad_envelope`,
    `invalid_event`, `unencodable`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class HostileSchemaError(CodecError):
    """A writer schema that could crash or flood the reader."""

    def __init__(self, message: str) -> None:
        super().__init__("hostile_schema", message)


class UnknownSchemaError(SchemaError):
    """A schema id that its source does not know."""


class RegistryError(SchemaError):
    """A registry that lacks a schema or a compatibility level, or refuses one."""


class RegistryUnavailableError(RegistryError):
    """A registry that does not answer; may pass."""
