"""The pipeline over files, without a broker: `headgate assess`."""

import asyncio
from collections.abc import Iterable, Iterator
from functools import partial

from schemas.codec import Codec
from schemas.errors import CodecError
from schemas.json_form import decision_to_json
from schemas.records import ContentIngested, ContentSignals, RiskDecision
from streams.braking import PartitionBrakes
from streams.errors import EventError, PermanentError
from streams.event_files import Source
from streams.media import MediaStore
from streams.pipeline import Histories, Pipeline
from streams.retries import RetryBounds, retried
from streams.upload import FetchedMedia, Upload

Line = dict[str, object]


class Assessing:
    """Judges sources one after another, remembering each uploader on the way."""

    def __init__(
        self, pipeline: Pipeline, store: MediaStore, codec: Codec, retries: RetryBounds
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._codec = codec
        self._retries = retries
        self._histories: Histories = {}
        self._brakes = PartitionBrakes()  # All of it is one partition.

    def assess(
        self, sources: Iterable[Source], with_transcripts: bool = False
    ) -> Iterator[Line]:
        """Yield one line for each source, in order: a decision or a dead letter."""
        for source in sources:
            try:
                signals = self.signals(source)
                line = self._decide(signals)
                if with_transcripts:
                    line["transcripts"] = _transcripts(signals)
                yield line
            except PermanentError as error:
                yield dead_letter_line(source, error)

    def signals(self, source: Source) -> ContentSignals:
        """Return what the models find in a source, or what a capture holds.

        Raises:
            PermanentError: it is no event, or its signals can't be decoded.
        """
        if source.error is not None:
            raise source.error
        if source.signals is not None:
            return self._decoded(source.signals)
        assert source.event is not None, "a source has an event, signals or an error"
        fetched = asyncio.run(self._fetch(source.event))
        return self._pipeline.encode(Upload(source.event, fetched))

    def _decide(self, signals: ContentSignals) -> Line:
        word = self._pipeline.decide(
            signals, self._histories, self._codec.encode, self._brakes
        )
        if isinstance(word, bytes):
            word = self._codec.decode(word, RiskDecision)
        if word is None:
            event = signals.event
            return {
                "content_id": event.content_id,
                "revision": event.revision,
                "uploader_id": event.uploader_id,
                "duplicate": "judged before; see its earlier line",
            }
        return decision_to_json(word)

    def _decoded(self, value: bytes) -> ContentSignals:
        try:
            return self._codec.decode(value, ContentSignals)
        except CodecError as error:
            raise EventError(error.code, str(error)) from error

    async def _fetch(self, event: ContentIngested) -> tuple[FetchedMedia, ...]:
        fetched = []
        for ref in event.media:
            media, _ = await retried(partial(self._store.fetch, ref), self._retries)
            fetched.append(media)
        return tuple(fetched)


def dead_letter_line(source: Source, error: PermanentError) -> Line:
    """Return what stands in a decision's place when there can be none."""
    letter = {"source": source.name, "reason": error.code, "message": str(error)}
    return {"dead_letter": letter}


def _transcripts(signals: ContentSignals) -> list[Line]:
    return [
        {
            "role": transcript.role,
            "model": transcript.model,
            "language": transcript.language,
            "segments": [
                {"start_s": text.start_s, "end_s": text.end_s, "text": text.text}
                for text in signals.texts
                if text.source == f"transcript:{transcript.role}"
            ],
        }
        for transcript in signals.transcripts
    ]
