"""What an event must be beyond its schema; run on every event that comes in.

The limits keep one event from taking a worker's memory or time: a record of many
empty texts is small on the wire and large in a list.
"""

import re
from dataclasses import replace

from schemas.errors import CodecError
from schemas.records import ContentIngested, MediaRef

MAX_ID_CHARS = 256  # Kafka keys and log lines carry them.
MAX_TEXTS = 64
MAX_MEDIA = 32
MAX_NAME_CHARS = 128  # Of a text's name or a media role.
MAX_TEXT_CHARS = 1_000_000  # All texts together; a long novel has about as many.
MAX_URI_CHARS = 4096
MAX_MIME_CHARS = 255  # RFC 6838: type and subtype of at most 127 each.
MAX_LANGUAGE_CHARS = 64  # RFC 5646 asks for room for 35.
MAX_TERRITORIES = 300  # ISO 3166-1 has 249.
MAX_TERRITORY_CHARS = 8

_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked_event(event: ContentIngested) -> ContentIngested:
    """Return the event with its texts sorted by name.

    Raises:
        CodecError: `invalid_event`; the message names the field, not its content.
    """
    _check_id("content_id", event.content_id)
    _check_id("uploader_id", event.uploader_id)
    _check_length("event_id", event.event_id, 0, MAX_ID_CHARS)
    _expect(
        0 <= event.revision < 2**63, f"revision is {event.revision}, expected 0 or more"
    )
    _check_texts(event.texts)
    _check_count("media", len(event.media), MAX_MEDIA)
    for index, media in enumerate(event.media):
        _check_media(f"media[{index}]", media)
    _check_release(event)
    return replace(event, texts=tuple(sorted(event.texts)))


def _expect(holds: bool, message: str) -> None:
    if not holds:
        raise CodecError("invalid_event", message)


def _check_count(field: str, found: int, most: int) -> None:
    _expect(found <= most, f"{field} has {found} entries, expected {most} at most")


def _check_length(field: str, text: str, least: int, most: int) -> None:
    _expect(
        least <= len(text) <= most,
        f"{field} has {len(text)} characters, expected {least} to {most}",
    )
    _check_unicode(field, text)


def _check_unicode(field: str, text: str) -> None:
    """Refuse halves of surrogate pairs: JSON can carry them, UTF-8 and Kafka can't."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise CodecError(
            "invalid_event",
            f"{field} has half a surrogate pair at character {error.start}, expected "
            "Unicode text",
        ) from error


def _check_id(field: str, text: str) -> None:
    _check_length(field, text, 1, MAX_ID_CHARS)
    _expect(not _CONTROL.search(text), f"{field} has control characters, expected none")


def _check_texts(texts: tuple[tuple[str, str], ...]) -> None:
    _check_count("texts", len(texts), MAX_TEXTS)
    for index, (name, _) in enumerate(texts):
        _check_length(f"the name of texts[{index}]", name, 1, MAX_NAME_CHARS)
    names = {name for name, _ in texts}
    _expect(len(names) == len(texts), "texts has a name twice, expected each once")
    total = sum(len(text) for _, text in texts)
    _expect(
        total <= MAX_TEXT_CHARS,
        f"texts have {total} characters together, expected {MAX_TEXT_CHARS} at most",
    )
    for name, text in texts:
        _check_unicode(f"texts.{name}", text)


def _check_media(field: str, media: MediaRef) -> None:
    _check_length(f"{field}.role", media.role, 1, MAX_NAME_CHARS)
    _check_length(f"{field}.uri", media.uri, 1, MAX_URI_CHARS)
    _check_length(f"{field}.mime", media.mime or "", 0, MAX_MIME_CHARS)
    _expect(
        media.sha256 is None or _SHA256.fullmatch(media.sha256) is not None,
        f"{field}.sha256 is not 64 lower-case hex digits",
    )
    _expect(
        media.size_bytes is None or 0 <= media.size_bytes < 2**63,
        f"{field}.size_bytes is {media.size_bytes}, expected 0 or more",
    )


def _check_release(event: ContentIngested) -> None:
    _check_length("language", event.language or "", 0, MAX_LANGUAGE_CHARS)
    _check_count("territories", len(event.territories), MAX_TERRITORIES)
    for index, territory in enumerate(event.territories):
        _check_length(f"territories[{index}]", territory, 1, MAX_TERRITORY_CHARS)
