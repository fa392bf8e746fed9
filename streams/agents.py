"""What each stage does with one event: decode, fetch, understand, pass on.

The handlers raise `TransientError` (tried again) or `PermanentError` (a dead letter);
the ledger stage that calls them sees to the rest.
"""

import asyncio
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from time import monotonic

from schemas.codec import Codec
from schemas.records import ContentIngested, ContentSignals, StageTime
from schemas.topics import INGESTED_BULK, SCREENED, SCREENED_BULK, SIGNALS
from streams.batcher import Batcher
from streams.fair_lanes import UploaderRates
from streams.listen import completed, longest_s, roles_with_speech
from streams.media import MediaStore
from streams.messages import Output, Record
from streams.stage import Handled
from streams.understand import Understanding
from streams.upload import Upload
from streams.upload_hearing import UploadHearing
from streams.wire import decode_event, decode_value, signals_output

# Usual events are under 4 KiB; 64 KiB at their worst take 0.1 s to decode.
DECODE_ON_LOOP_BYTES = 64 * 1024


class ScreenHandler:
    """`screen`: content.ingested.v1 to content.screened.v1 or content.signals.v1.

    With `rates` it is the main lane, which moves an uploader's excess to the bulk lane;
    without, it is the bulk lane, which takes everything.
    """

    def __init__(
        self,
        *,
        codec: Codec,
        store: MediaStore,
        understanding: Understanding,
        examine_pool: Executor,
        embed: Batcher[ContentSignals, ContentSignals],
        provisional_after_s: float,
        rates: UploaderRates | None = None,
    ) -> None:
        self._codec = codec
        self._store = store
        self._rates = rates
        self._examine = understanding.examine
        self._examine_pool = examine_pool
        self._embed = embed
        self._provisional_after_s = provisional_after_s

    async def __call__(self, record: Record) -> Handled:
        """Understand what needs no transcript and send the upload on its lane."""
        event = await self._decoded(record)
        started_s = monotonic()
        if self._rates and not self._rates.takes(
            event.uploader_id, record.timestamp_ms
        ):
            return _moved_to_bulk(record, event)
        examined = await self._examined(event, record.arrived_at)
        screened = await self._embed.submit(examined)
        return self._route(record, _timed(screened, "screen", started_s))

    async def _examined(
        self, event: ContentIngested, arrived_at: datetime | None
    ) -> ContentSignals:
        """Examine the media; its bytes are held here and nowhere after."""
        if not event.media:  # Nothing to decode: no thread is worth its while.
            return self._examine(Upload(event, (), arrived_at))
        async with self._store.borrow(event.media) as fetched:
            upload = Upload(event, fetched, arrived_at)
            return await asyncio.get_running_loop().run_in_executor(
                self._examine_pool, self._examine, upload
            )

    async def _decoded(self, record: Record) -> ContentIngested:
        """Decode on the loop what is small; hostile bytes could take seconds."""
        if len(record.value or b"") <= DECODE_ON_LOOP_BYTES:
            return decode_event(self._codec, record)
        return await asyncio.to_thread(decode_event, self._codec, record)

    def _route(self, record: Record, signals: ContentSignals) -> Handled:
        """Choose the lane; long speech also gets a provisional decision first."""
        outputs: tuple[Output, ...]
        if not roles_with_speech(signals):
            lane = "fast"
            outputs = (self._output(SIGNALS.name, completed(signals), record),)
        elif longest_s(signals.media) > self._provisional_after_s:
            lane = "slow_provisional"
            signals = replace(signals, provisional_sent=True)
            outputs = (
                self._output(SIGNALS.name, signals, record),
                self._output(SCREENED_BULK.name, signals, record),
            )
        else:
            lane = "slow"
            topic = SCREENED if self._rates else SCREENED_BULK
            outputs = (self._output(topic.name, signals, record),)
        return Handled(outputs, _facts(signals, lane=lane))

    def _output(self, topic: str, signals: ContentSignals, record: Record) -> Output:
        return signals_output(self._codec, topic, signals, record)


class TranscribeHandler:
    """`transcribe`: content.screened.v1 to content.signals.v1."""

    def __init__(
        self, *, codec: Codec, store: MediaStore, uploads: UploadHearing
    ) -> None:
        self._codec = codec
        self._store = store
        self._uploads = uploads

    async def __call__(self, record: Record) -> Handled:
        """Add what is said in the upload's sound."""
        signals = decode_value(self._codec, record, ContentSignals)
        started_s = monotonic()
        roles = roles_with_speech(signals)
        refs = [ref for ref in signals.event.media if ref.role in roles]
        # The media's bytes are held here and nowhere after.
        async with self._store.borrow(refs) as fetched:
            heard = await self._uploads.hear(signals, fetched)
        timed = _timed(heard.signals, "transcribe", started_s)
        output = signals_output(self._codec, SIGNALS.name, timed, record)
        segments = sum(t.segments for t in timed.transcripts)
        facts = _facts(timed, segments=segments, recalled=heard.recalled)
        return Handled((output,), facts, confirmed=heard.forget)


def _moved_to_bulk(record: Record, event: ContentIngested) -> Handled:
    """Move a record as it is; its time stays, for decisions may rest on it."""
    moved = Output(
        INGESTED_BULK.name,
        record.key,
        record.value,
        record.headers,
        timestamp_ms=None if record.timestamp_ms < 0 else record.timestamp_ms,
    )
    return Handled((moved,), (("content_id", event.content_id), ("lane", "bulk")))


def _timed(signals: ContentSignals, stage: str, started_s: float) -> ContentSignals:
    spent = StageTime(stage, round((monotonic() - started_s) * 1000, 1))
    return replace(signals, stage_times=(*signals.stage_times, spent))


def _facts(signals: ContentSignals, **more: object) -> tuple[tuple[str, object], ...]:
    event = signals.event
    facts = {
        "content_id": event.content_id,
        "kind": event.kind.lower(),
        "missing": [m.signal for m in signals.missing],
        **more,
    }
    return tuple(facts.items())
