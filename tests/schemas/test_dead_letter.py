import pytest

from schemas.dead_letter import Failure, Origin, dead_letter_headers, parse_dead_letter
from schemas.errors import CodecError

ORIGIN = Origin("content.ingested.v1", 3, 258, 2**40 + 3, "CreateTime", "screen")
FAILURE = Failure("screen", "schemas.errors.CodecError", "undecodable", 1, "0.1.0")


def test_the_bytes_are_springs() -> None:
    """Names as Spring writes them, numbers as Java's ByteBuffer does."""
    assert dead_letter_headers(ORIGIN, FAILURE) == [
        ("kafka_dlt-original-topic", b"content.ingested.v1"),
        ("kafka_dlt-original-partition", b"\0\0\0\3"),
        ("kafka_dlt-original-offset", b"\0\0\0\0\0\0\1\2"),
        ("kafka_dlt-original-timestamp", b"\0\0\1\0\0\0\0\3"),
        ("kafka_dlt-original-timestamp-type", b"CreateTime"),
        ("kafka_dlt-original-consumer-group", b"screen"),
        ("kafka_dlt-exception-fqcn", b"schemas.errors.CodecError"),
        ("kafka_dlt-exception-message", b"undecodable"),
        ("x-dlq-stage", b"screen"),
        ("x-dlq-attempts", b"1"),
        ("x-dlq-app-version", b"0.1.0"),
    ]


def test_what_was_written_is_read() -> None:
    """Parsing gives origin and failure back."""
    assert parse_dead_letter(dead_letter_headers(ORIGIN, FAILURE)) == (ORIGIN, FAILURE)


def test_the_originals_headers_stay() -> None:
    """In order, repeated names too; a header without a value can't be sent on."""
    original = [("traceparent", b"00"), ("x", b"1"), ("x", b"2"), ("gone", None)]

    headers = dead_letter_headers(ORIGIN, FAILURE, original)

    assert headers[:3] == [("traceparent", b"00"), ("x", b"1"), ("x", b"2")]


def test_a_letter_sent_round_again_does_not_grow() -> None:
    """Ours are replaced, not added."""
    first = dead_letter_headers(ORIGIN, FAILURE, [("x", b"1")])
    again = Failure("judge", "E", "other", 2, "0.2.0")

    second = dead_letter_headers(ORIGIN, again, first)

    assert len(second) == len(first)
    assert parse_dead_letter(second) == (ORIGIN, again)


@pytest.mark.parametrize("reason", ["", "Lyrics: secret", "a b", "é", "x" * 65])
def test_only_a_safe_word_is_a_reason(reason: str) -> None:
    """Text that may hold payload never ends in a header."""
    failure = Failure("screen", "E", reason)

    headers = dict(dead_letter_headers(ORIGIN, failure))

    assert headers["kafka_dlt-exception-message"] == b"unspecified"


@pytest.mark.parametrize(
    "headers",
    [
        None,
        [("kafka_dlt-original-topic", b"t")],
        {"kafka_dlt-original-partition": b"1"},
    ],
)
def test_other_headers_are_no_dead_letters(headers: object) -> None:
    """What lacks a header, or has one of another length, is refused."""
    with pytest.raises(CodecError) as caught:
        parse_dead_letter(headers)  # type: ignore[arg-type]

    assert caught.value.code == "bad_envelope"
