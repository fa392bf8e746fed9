import io
import json
import random
import struct
import time
from datetime import UTC, datetime
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.codec import Codec
from schemas.errors import (
    CodecError,
    RegistryUnavailableError,
    UnknownSchemaError,
)
from schemas.ids import CommittedIds, RegisteredSchema
from schemas.plain import converters
from schemas.records import (
    ContentIngested,
    ContentSignals,
    Kind,
    MediaRef,
    RiskDecision,
    TextSignal,
    UploaderHistory,
)
from schemas.topics import INGESTED
from tests.builders import a_history, an_event, signals
from tests.schemas.strategies import records

CODEC = Codec(CommittedIds())
EVENT = an_event(
    texts=(("title", "words"),), media=(MediaRef("audio", "s3://bucket/key"),)
)


class OneSchema:
    """A source that knows one schema, as id 7 of events' subject."""

    def __init__(self, text: str) -> None:
        self.text = text

    def id_for(self, subject: str) -> int:
        """Return the one id."""
        return 7

    def schema_for(self, schema_id: int) -> RegisteredSchema:
        """Return the one schema."""
        if schema_id != 7:
            raise UnknownSchemaError(f"no schema id {schema_id}")
        return RegisteredSchema(frozenset({INGESTED.subject or ""}), self.text)


def refusal(data: bytes | None, codec: Codec = CODEC) -> str:
    """Return the code with which a value is refused as an event."""
    with pytest.raises(CodecError) as caught:
        codec.decode(data, ContentIngested)
    return caught.value.code


@pytest.mark.parametrize("record", [ContentSignals, RiskDecision, UploaderHistory])
@given(data=st.data())
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # Shrinking records takes minutes.
)
def test_a_record_comes_back_equal(record: Any, data: st.DataObject) -> None:
    """Whatever a record holds, decoding its bytes gives an equal one."""
    value = data.draw(records(record))

    assert CODEC.decode(CODEC.encode(value), record) == value


@given(value=records(ContentIngested))
@settings(max_examples=60, deadline=None)
def test_an_event_has_one_json_and_one_avro_form(value: ContentIngested) -> None:
    """The two plain forms of an event carry the same."""
    avro, json_form = (converters(ContentIngested, form) for form in ("avro", "json"))

    assert avro.from_plain(avro.to_plain(value)) == value
    assert json_form.from_plain(json_form.to_plain(value)) == value


def test_the_frame_is_confluents() -> None:
    """A value is a zero byte, the id as four bytes big-endian, then Avro."""
    assert CODEC.encode(EVENT)[:5] == b"\0\0\0\0\1"
    assert CODEC.encode(signals())[:5] == b"\0\0\0\0\2"
    assert CODEC.encode(a_history())[:5] == b"\0\0\0\0\4"


def test_texts_are_sorted_on_the_way_in() -> None:
    """A producer may send texts in any order; they are kept by name."""
    event = an_event(texts=(("title", "b"), ("lyrics", "a")))

    decoded = CODEC.decode(CODEC.encode(event), ContentIngested)

    assert decoded.texts == (("lyrics", "a"), ("title", "b"))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b"{}", "not_avro_framed"),
        (b"\0\0\0", "not_avro_framed"),
        (b"\1\0\0\0\1", "not_avro_framed"),
        (b"\0\0\0\x23\x28", "unknown_schema_id"),
        (b"\0\0\0\0\3\0", "wrong_subject"),
        (b"\0\0\0\0\1", "undecodable"),
        (CODEC.encode(EVENT)[:-1], "undecodable"),
        (CODEC.encode(EVENT) + b"\0", "trailing_bytes"),
        (b"\0" * (1024 * 1024 + 1), "too_large"),
    ],
)
def test_bad_bytes_have_a_code(data: bytes | None, code: str) -> None:
    """Each way to be bad has its own code."""
    assert refusal(data) == code


def test_invalid_utf8_is_undecodable() -> None:
    """Text that is not UTF-8 ends as a code, and is not quoted."""
    data = CODEC.encode(an_event(texts=(("title", "secret"),)))

    with pytest.raises(CodecError, match="UnicodeDecodeError") as caught:
        CODEC.decode(data.replace(b"secret", b"secre\xff"), ContentIngested)

    assert "secre" not in str(caught.value)


def test_an_impossible_length_is_undecodable() -> None:
    """A claimed length of 2**62 allocates nothing."""
    body = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"

    assert refusal(b"\0\0\0\0\1" + body) == "undecodable"


def test_a_semantic_fault_is_an_invalid_event() -> None:
    """Avro that fits its schema can still be no event."""
    assert refusal(CODEC.encode(an_event(content_id=""))) == "invalid_event"


def test_many_empty_texts_are_refused_in_bounds() -> None:
    """Half a million texts in a MiB end as a code, not as a full memory."""
    empty = CODEC.encode(an_event())
    count = 500_000
    claimed = bytearray()
    zigzag = count * 2
    while zigzag >= 128:
        claimed.append(zigzag & 127 | 128)
        zigzag >>= 7
    claimed.append(zigzag)
    # The four last of an event: no texts, no media, no language, no territories.
    data = empty[:-4] + bytes(claimed) + b"\0" * (2 * count + 1) + b"\0\0\0"

    assert refusal(data) == "invalid_event"


def test_mutated_bytes_never_do_worse_than_a_codec_error() -> None:
    """Two thousand broken values: each is an event or a CodecError."""
    chance = random.Random(3)
    whole = CODEC.encode(EVENT)
    refused = 0
    for _ in range(2_000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            data[chance.randrange(5, len(data))] = chance.randrange(256)
        try:
            CODEC.decode(bytes(data[: chance.randint(1, len(data))]), ContentIngested)
        except CodecError:
            refused += 1

    assert refused > 1_000


def test_mutated_signals_never_do_worse_than_a_codec_error() -> None:
    """The same for the record with the most kinds of field."""
    chance = random.Random(4)
    whole = CODEC.encode(signals(texts=(TextSignal("title", "words", b"1234", 0, 5),)))
    for _ in range(2_000):
        data = bytearray(whole)
        data[chance.randrange(5, len(data))] ^= 1 << chance.randrange(8)
        try:
            CODEC.decode(bytes(data), ContentSignals)
        except CodecError as error:
            assert error.code in ("undecodable", "trailing_bytes")  # noqa: PT017


@pytest.mark.parametrize(
    "fields",
    [
        {"event_time": datetime(2026, 1, 1)},  # noqa: DTZ001
        {"texts": (("title", "\ud800"),)},
        {"revision": 2**63},
        {"language": 5},
    ],
)
def test_what_does_not_fit_is_unencodable(fields: dict[str, Any]) -> None:
    """A record that its schema can't hold is refused, without quoting it."""
    with pytest.raises(CodecError) as caught:
        CODEC.encode(an_event(**fields))

    assert caught.value.code == "unencodable"
    assert caught.value.__cause__ is None


def test_a_record_too_large_to_send_is_refused() -> None:
    """What its topic would not take is refused before it is sent."""
    with pytest.raises(CodecError) as caught:
        CODEC.encode(an_event(texts=(("title", "x" * 10_000_000),)))

    assert caught.value.code == "too_large"


def test_the_size_limit_is_a_setting() -> None:
    """`max_bytes` takes the place of what the topics say."""
    assert refusal(CODEC.encode(EVENT), Codec(CommittedIds(), max_bytes=20)) == (
        "too_large"
    )


def test_a_writer_that_has_a_newer_kind_reads_as_unknown() -> None:
    """An enum symbol that we don't know yet becomes UNKNOWN."""
    schema = CommittedIds().schema_for(1).text.replace('"TRACK"', '"RINGTONE","TRACK"')
    codec = Codec(OneSchema(schema))
    plain = converters(ContentIngested, "avro").to_plain(EVENT) | {"kind": "RINGTONE"}

    assert codec.decode(_framed(schema, plain), ContentIngested).kind == Kind.UNKNOWN


def test_a_writer_with_another_type_is_undecodable() -> None:
    """A time that its writer declared as a bare number is not taken for a time."""
    schema = (
        CommittedIds()
        .schema_for(1)
        .text.replace(',"logicalType":"timestamp-micros"', "")
    )
    plain = converters(ContentIngested, "avro").to_plain(EVENT) | {"event_time": 1}

    assert refusal(_framed(schema, plain), Codec(OneSchema(schema))) == "undecodable"


def test_a_writer_may_call_its_ids_uuids() -> None:
    """Logical types that we don't use change nothing of what is read."""
    text = CommittedIds().schema_for(1).text
    schema = text.replace(
        '"type":"string"', '"type":{"type":"string","logicalType":"uuid"}'
    )
    event = an_event(content_id="7c1e0f5a-6d0b-4c52-9f0e-0d6c1f1c2b3a")
    plain = converters(ContentIngested, "avro").to_plain(event)

    data = _framed(text, plain)

    assert schema != text
    assert Codec(OneSchema(schema)).decode(data, ContentIngested) == event


@pytest.mark.parametrize(
    "schema", ['{"type":"array","items":"null"}', "{", '"no.such.Type"']
)
def test_a_hostile_schema_has_a_code_each_time(schema: str) -> None:
    """A schema under our own subject is checked too, and stays refused."""
    codec = Codec(OneSchema(schema))

    assert refusal(b"\0\0\0\0\7\0", codec) == "hostile_schema"
    assert refusal(b"\0\0\0\0\7\0", codec) == "hostile_schema"


def test_a_time_zone_is_kept_as_an_instant() -> None:
    """A time is UTC after the wire, whatever zone it had before."""
    local = datetime.fromisoformat("2026-11-23T14:00:00.000001+02:00")

    decoded = CODEC.decode(CODEC.encode(an_event(event_time=local)), ContentIngested)

    assert decoded.event_time == local
    assert decoded.event_time.tzinfo is UTC


def test_the_codec_is_fast() -> None:
    """Signals with twenty texts take about a millisecond there and back, 20 at most."""
    texts = tuple(TextSignal(f"t{i}", "x" * 80, b"\1" * 1536, 0, 80) for i in range(20))
    value = signals(texts=texts)

    def there_and_back() -> float:
        began = time.perf_counter()
        CODEC.decode(CODEC.encode(value), ContentSignals)
        return time.perf_counter() - began

    assert min(there_and_back() for _ in range(20)) < 0.020


def _framed(schema: str, plain: dict[str, Any]) -> bytes:
    """Write a value with a foreign schema as id 7."""
    out = io.BytesIO()
    out.write(struct.pack(">bI", 0, 7))
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(schema)), plain)
    return out.getvalue()


def test_ids_that_were_learnt_need_no_registry_any_more() -> None:
    """A registry that goes away later keeps nothing from being written."""

    class Away(CommittedIds):
        def id_for(self, subject: str) -> int:
            if self.away:
                raise RegistryUnavailableError("away")
            return super().id_for(subject)

        away = False

    ids = Away()
    codec = Codec(ids)
    codec.learn_ids()
    ids.away = True

    assert codec.encode(an_event()) == Codec(CommittedIds()).encode(an_event())


class OlderHistories(CommittedIds):
    """A registry that knows histories as they were before habits, as id 40."""

    def schema_for(self, schema_id: int) -> RegisteredSchema:
        """Return the older schema under its id."""
        if schema_id != 40:
            return super().schema_for(schema_id)
        schema = json.loads(CommittedIds().schema_for(4).text)
        newer = ("active_days", "patterns")
        schema["fields"] = [f for f in schema["fields"] if f["name"] not in newer]
        subjects = frozenset({"uploader.history.v1-value"})
        return RegisteredSchema(subjects, json.dumps(schema))


def test_an_older_history_reads_as_one_without_habits() -> None:
    """What it lacks has its default, so a registry's topic goes on."""
    codec, history = Codec(OlderHistories()), a_history(uploads=7)
    newer = codec.encode(history)
    older = newer[:1] + (40).to_bytes(4, "big") + newer[5:-2]  # Two empty fields.

    assert codec.decode(older, UploaderHistory) == history
