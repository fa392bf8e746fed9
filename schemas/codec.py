"""Bytes to record and back: Confluent's wire format; the only user of fastavro.

A value is a zero byte, the schema id as four bytes big-endian, then Avro. Hostile
bytes end as a `CodecError`, never as a crash: see `schemas.guard`.
"""

import json
import struct
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast, get_args

import fastavro

from schemas.errors import CodecError, UnknownSchemaError
from schemas.event_checks import checked_event
from schemas.guard import check_writer_schema
from schemas.ids import SchemaIds, schema_text
from schemas.plain import Converters, converters
from schemas.records import (
    ContentIngested,
)
from schemas.topics import R, Record, topics_of

__all__ = ["Codec", "CodecError"]

_MAGIC = 0
_TIMES = ("timestamp-micros", "timestamp-millis")
_PREFIX = struct.Struct(">bI")  # Magic byte and schema id.


@dataclass(frozen=True, slots=True)
class _Format:
    """What the codec knows of one record type."""

    subjects: tuple[str, ...]  # The first is where its own id is looked up.
    schema: Any  # Parsed by fastavro.
    text: str
    plain: Converters
    max_bytes: int


@dataclass(frozen=True, slots=True)
class _Writer:
    """A checked writer schema; `error` instead of it where the check failed."""

    subjects: frozenset[str]
    schema: Any = None
    reader_schema: Any = None  # Only where it differs from ours; None reads faster.
    error: CodecError | None = None


class Codec:
    """Encodes and decodes every record of ours; safe to share between threads.

    `max_bytes` overrides how large a value may be; otherwise its topics say. The first
    sight of a schema id asks `ids`, which may block; after that nothing does.
    """

    def __init__(self, ids: SchemaIds, *, max_bytes: int | None = None) -> None:
        self._ids = ids
        self._formats: dict[type, _Format] = {
            record: _format(record, max_bytes) for record in get_args(Record)
        }
        self._own_ids: dict[type, int] = {}
        self._writers: dict[int, _Writer] = {}

    def learn_ids(self) -> None:
        """Ask for the ids of our own schemas now, so that encoding never has to.

        Raises:
            UnknownSchemaError, RegistryError: one can't be had.
        """
        for record, form in self._formats.items():
            self._own_id(record, form)

    def encode(self, record: Record) -> bytes:
        """Encode a record.

        Raises:
            CodecError: `unencodable` or `too_large`.
            UnknownSchemaError, RegistryError: the schema's id can't be had.
        """
        form = self._formats[type(record)]
        out = BytesIO()
        out.write(_PREFIX.pack(_MAGIC, self._own_id(type(record), form)))
        try:
            plain = form.plain.to_plain(record)
            fastavro.schemaless_writer(out, form.schema, plain)
        except Exception as error:  # fastavro's have no common ancestor.
            raise CodecError(
                "unencodable",
                f"{type(record).__name__} does not fit its schema: "
                f"{type(error).__name__}",
            ) from None  # fastavro's messages quote the payload.
        _check_size(out.tell(), form)
        return out.getvalue()

    def decode(self, data: bytes | None, expected: type[R]) -> R:
        """Decode a value that must be an `expected`; events are checked too.

        Raises:
            CodecError: the value is bad; `code` says how.
            RegistryUnavailableError: the value's schema can't be had now; try again.
        """
        form = self._formats[expected]
        if not data:
            raise CodecError("empty", "the value is empty, expected an Avro record")
        _check_size(len(data), form)
        writer = self._writer(_schema_id(data), form)
        record = _read(data, writer, form)
        if expected is ContentIngested:
            record = checked_event(record)
        found: R = record
        return found

    def _own_id(self, record: type, form: _Format) -> int:
        if record not in self._own_ids:
            self._own_ids[record] = self._ids.id_for(form.subjects[0])
        return self._own_ids[record]

    def _writer(self, schema_id: int, form: _Format) -> _Writer:
        writer = self._writers.get(schema_id)
        if writer is None:
            writer = self._look_up(schema_id, form)
        if writer.subjects.isdisjoint(form.subjects):
            raise CodecError(
                "wrong_subject",
                f"schema id {schema_id} is not one of {', '.join(form.subjects)}",
            )
        if writer.error is not None:
            raise CodecError(writer.error.code, str(writer.error))
        return writer

    def _look_up(self, schema_id: int, form: _Format) -> _Writer:
        try:
            found = self._ids.schema_for(schema_id)
        except UnknownSchemaError as error:
            raise CodecError("unknown_schema_id", str(error)) from error
        if found.subjects.isdisjoint(form.subjects):
            # Not kept: ids are hostile input, and a subject may yet get this schema.
            return _Writer(found.subjects)
        try:
            schema = _parse(found.text)
            # As JSON: a registry may put a schema's keys in another order.
            ours = json.loads(found.text) == json.loads(form.text)
            reader_schema = None if ours else form.schema
            writer = _Writer(found.subjects, schema, reader_schema)
        except CodecError as error:
            writer = _Writer(found.subjects, error=error)
        self._writers[schema_id] = writer
        return writer


def _format(record: type[Record], max_bytes: int | None) -> _Format:
    topics = topics_of(record)
    text = schema_text(f"{topics[0].name}-value")
    return _Format(
        subjects=tuple(f"{topic.name}-value" for topic in topics),
        schema=_parse(text),
        text=text,
        plain=converters(cast(type, record), "avro"),
        max_bytes=max_bytes or max(topic.max_message_bytes for topic in topics),
    )


def _parse(text: str) -> Any:
    """Check and parse a schema; the check comes first, for fastavro recurses too."""
    check_writer_schema(text)
    try:
        parsed = fastavro.parse_schema(_plain_types(json.loads(text)))
    except Exception as error:
        raise CodecError(
            "hostile_schema", f"the schema can't be used: {type(error).__name__}"
        ) from error
    # Once more with names as fastavro resolved them, should we have read them apart.
    check_writer_schema(parsed)
    return parsed


def _plain_types(schema: Any) -> Any:
    """Drop logical types but times: ids that a writer calls UUIDs are text to us.

    It also keeps fastavro from making decimals of a MiB of digits.
    """
    if isinstance(schema, list):
        return [_plain_types(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain_types(part)
        for key, part in schema.items()
        if key != "logicalType" or part in _TIMES
    }


def _check_size(size: int, form: _Format) -> None:
    if size > form.max_bytes:
        raise CodecError(
            "too_large",
            f"the value has {size} bytes, expected {form.max_bytes} at most",
        )


def _schema_id(data: bytes) -> int:
    if len(data) < _PREFIX.size or data[0] != _MAGIC:
        raise CodecError(
            "not_avro_framed",
            f"the value's {len(data)} bytes do not start with a zero byte and a "
            "four-byte schema id; produce with Confluent's wire format",
        )
    schema_id: int = _PREFIX.unpack_from(data)[1]
    return schema_id


def _read(data: bytes, writer: _Writer, form: _Format) -> Any:
    body = BytesIO(data)
    body.seek(_PREFIX.size)
    try:
        plain = fastavro.schemaless_reader(body, writer.schema, writer.reader_schema)
        record = form.plain.from_plain(plain)
    except Exception as error:  # Fuzzing met nine kinds; none carries more meaning.
        raise CodecError(
            "undecodable", f"the bytes do not fit their schema: {type(error).__name__}"
        ) from None
    if body.tell() != len(data):
        raise CodecError(
            "trailing_bytes", f"{len(data) - body.tell()} bytes follow the record"
        )
    return record
