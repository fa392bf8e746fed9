from typing import Any

import pytest

from schemas.errors import CodecError
from schemas.event_checks import MAX_TEXT_CHARS, checked_event
from schemas.records import MediaRef
from tests.builders import an_event


def media(**fields: Any) -> dict[str, Any]:
    """Build the fields of an event with one piece of media."""
    return {"media": (MediaRef(**({"role": "audio", "uri": "s3://b/k"} | fields)),)}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"content_id": ""}, "content_id"),
        ({"content_id": "c" * 257}, "content_id"),
        ({"content_id": "secret\n"}, "content_id"),
        ({"uploader_id": ""}, "uploader_id"),
        ({"uploader_id": "u" * 257}, "uploader_id"),
        ({"event_id": "e" * 257}, "event_id"),
        ({"revision": -1}, "revision"),
        ({"texts": tuple((f"t{i}", "") for i in range(65))}, "texts"),
        ({"texts": (("", "secret"),)}, r"texts\[0\]"),
        ({"texts": (("title", "secret"), ("title", "b"))}, "texts"),
        ({"texts": (("title", "x" * (MAX_TEXT_CHARS + 1)),)}, "texts"),
        ({"media": media()["media"] * 33}, "media"),
        (media(role=""), r"media\[0\].role"),
        (media(uri=""), r"media\[0\].uri"),
        (media(uri="u" * 4097), r"media\[0\].uri"),
        (media(mime="m" * 256), r"media\[0\].mime"),
        (media(sha256="SECRET"), r"media\[0\].sha256"),
        (media(size_bytes=-1), r"media\[0\].size_bytes"),
        ({"language": "l" * 65}, "language"),
        ({"territories": ("SE",) * 301}, "territories"),
        ({"territories": ("",)}, r"territories\[0\]"),
    ],
)
def test_a_fault_is_named_by_field(fields: dict[str, Any], field: str) -> None:
    """The message names the field and the expectation, never the content."""
    with pytest.raises(CodecError, match=field) as caught:
        checked_event(an_event(**fields))

    assert caught.value.code == "invalid_event"
    assert "secret" not in str(caught.value).lower()


def test_the_largest_event_passes() -> None:
    """Every limit is reached and none exceeded."""
    event = an_event(
        content_id="c" * 256,
        texts=tuple((f"t{i:02}", "x" * 1_000) for i in range(64)),
        media=media(uri="u" * 4096, sha256="0" * 64, size_bytes=0)["media"] * 32,
        territories=("SE",) * 300,
    )

    assert checked_event(event) == event
