"""What every peer does with an upload: our own core, called as its author would."""

from collections.abc import Sequence
from datetime import UTC, datetime

from schemas.codec import Codec
from schemas.records import ContentSignals, UploaderHistory
from streams.listen import completed
from streams.messages import Record
from streams.pipeline import decide
from streams.settings import load_settings
from streams.upload import Upload
from streams.wire import decode_event
from streams.wiring import build_codec, build_judge, build_understanding


class Job:
    """Decode, understand, judge, encode; one text model with the worker's settings."""

    def __init__(self) -> None:
        settings = load_settings()
        self._codec: Codec = build_codec(settings)
        self._understanding = build_understanding(settings)
        self._judge = build_judge(settings, self._understanding)

    def understand(self, values: Sequence[bytes]) -> list[ContentSignals]:
        """Decode uploads of text and embed them in one pass."""
        examined = [
            self._understanding.examine(Upload(self._event(value), (), _now()))
            for value in values
        ]
        return [completed(one) for one in self._understanding.embed(examined)]

    def decide(
        self, signals: ContentSignals, history: UploaderHistory | None
    ) -> tuple[bytes, UploaderHistory]:
        """Return the encoded decision and what to remember of the uploader."""
        uploader_id = signals.event.uploader_id
        histories = {} if history is None else {uploader_id: history}
        word = decide(self._judge, signals, histories, self._codec.encode)
        assert word is not None, "an upload of the bench is never old"
        value = word if isinstance(word, bytes) else self._codec.encode(word)
        return value, histories[uploader_id]

    def _event(self, value: bytes):  # type: ignore[no-untyped-def]
        return decode_event(self._codec, Record("", 0, 0, -1, None, value))


def _now() -> datetime:
    return datetime.now(UTC)
