import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from encoders.media_reader import InProcessReader
from schemas.codec import Codec
from schemas.errors import RegistryUnavailableError
from schemas.ids import CommittedIds
from schemas.records import ContentSignals, Kind, MediaRef, Stage
from streams.agents import ScreenHandler, TranscribeHandler
from streams.batcher import Batcher
from streams.errors import EventError, TransientError
from streams.fair_lanes import UploaderRates
from streams.listen import Listening
from streams.media import MediaStore
from streams.model_threads import off_the_loop
from streams.shared_hearing import SharedHearing
from streams.transcript_journal import TranscriptJournals
from streams.understand import Understanding
from streams.upload_hearing import UploadHearing
from streams.wire import decode_event
from tests.builders import an_event
from tests.fakes import (
    FakeLog,
    FakeSpeechEngine,
    FakeTextEncoder,
    FakeWindower,
    a_record,
)
from tests.media_builders import LIMITS, a_sound_file

CODEC = Codec(CommittedIds())
ROOMY = UploaderRates(burst=1000, per_s=1000)
READER = InProcessReader(LIMITS)
TRACE = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


class Lanes:
    """Both handlers over a folder of media."""

    def __init__(self, folder, provisional_after_s=60):
        self._folder = folder
        self._provisional_after_s = provisional_after_s
        self._store = MediaStore(root=folder, hosts=(), max_bytes=10**7, timeout_s=5)
        self._understanding = Understanding(
            FakeTextEncoder(), (), READER, timedelta(days=1)
        )

    def event(self, sound=None, **fields):
        """Build an event; `sound` becomes its media."""
        if sound is None:
            return an_event(texts=(("title", "A song"),), **fields)
        (self._folder / "song").write_bytes(sound)
        ref = MediaRef("audio", (self._folder / "song").as_uri())
        return an_event(texts=(("title", "A song"),), media=(ref,), **fields)

    def screen(self, value, rates=ROOMY, **record):
        """Run `screen` over one record and return its outputs; bulk without rates."""

        async def run():
            embed = Batcher(in_place(self._understanding.embed), size=4, wait_s=0)
            with ThreadPoolExecutor(1) as pool:
                handler = ScreenHandler(
                    codec=CODEC,
                    store=self._store,
                    understanding=self._understanding,
                    examine_pool=pool,
                    embed=embed,
                    provisional_after_s=self._provisional_after_s,
                    rates=rates,
                )
                handled = await handler(a_record(value=value, **record))
            await embed.close()
            return handled.outputs

        return asyncio.run(run())

    def transcribe(self, value):
        """Run `transcribe` over one record and return its output."""
        listening = Listening(
            FakeSpeechEngine(), self._understanding, READER, FakeWindower
        )

        async def run():
            windows = Batcher(in_place(listening.hear), size=4, wait_s=0)
            journals = TranscriptJournals(
                self._folder / "transcripts", listening.model, FakeLog().note
            )
            with ThreadPoolExecutor(2) as threads:
                hearing = SharedHearing(windows, threads, ahead=8)
                uploads = UploadHearing(listening, hearing, journals, FakeLog())
                handler = TranscribeHandler(
                    codec=CODEC, store=self._store, uploads=uploads
                )
                record = a_record(value=value, topic="content.screened.v1")
                handled = await handler(record)
            await windows.close()
            return handled.outputs

        (output,) = asyncio.run(run())
        return output


def in_place(work):
    """Run a batch where it is called."""

    async def run(items):
        return work(items)

    return run


def decoded(output):
    """Return the signals of an output."""
    return CODEC.decode(output.value, ContentSignals)


@pytest.fixture
def lanes(tmp_path):
    """Both handlers over an empty folder."""
    return Lanes(tmp_path)


def test_text_takes_the_fast_lane_keyed_by_uploader(lanes):
    """With nothing to hear, signals are complete at once."""
    (output,) = lanes.screen(CODEC.encode(lanes.event()))

    assert (output.topic, output.key) == ("content.signals.v1", b"u1")
    assert decoded(output).stage is Stage.COMPLETE
    assert [time.stage for time in decoded(output).stage_times] == ["screen"]


def test_speech_takes_the_slow_lane_and_comes_out_whole(lanes):
    """What `screen` found is kept, and what was said is added."""
    event = lanes.event(a_sound_file("flac", 1))
    (screened,) = lanes.screen(CODEC.encode(event))
    assert (screened.topic, screened.key) == ("content.screened.v1", b"c1")

    signals = decoded(lanes.transcribe(screened.value))
    assert [text.source for text in signals.texts] == ["title", "transcript:audio"]
    assert [t.stage for t in signals.stage_times] == ["screen", "transcribe"]


def test_long_speech_is_held_before_it_is_heard(tmp_path):
    """A provisional word goes out first; the final one will name it."""
    lanes = Lanes(tmp_path, provisional_after_s=0.5)
    first, second = lanes.screen(CODEC.encode(lanes.event(a_sound_file("flac", 1))))

    assert (first.topic, decoded(first).stage) == (
        "content.signals.v1",
        Stage.SCREENED,
    )
    assert second.topic == "content.screened.bulk.v1"  # Short speech does not wait.
    assert decoded(lanes.transcribe(second.value)).provisional_sent


def test_what_is_over_an_uploaders_rate_moves_to_the_bulk_lane(lanes):
    """As it is, with its time: key, value and headers are the original's."""
    value, rates = CODEC.encode(lanes.event()), UploaderRates(burst=1, per_s=0.001)
    lanes.screen(value, rates)
    (moved,) = lanes.screen(value, rates, headers=(TRACE,))

    assert moved.topic == "content.ingested.bulk.v1"
    assert (moved.key, moved.value, moved.headers) == (b"k", value, (TRACE,))
    assert moved.timestamp_ms == a_record().timestamp_ms


def test_the_bulk_lane_takes_everything_and_stays_apart(lanes):
    """Nothing goes round in it, and its speech goes on to the bulk lane too."""
    sound = CODEC.encode(lanes.event(a_sound_file("flac", 1)))
    (screened,) = lanes.screen(sound, rates=None)
    (signals,) = lanes.screen(CODEC.encode(lanes.event()), rates=None)

    assert screened.topic == "content.screened.bulk.v1"
    assert signals.topic == "content.signals.v1"


def test_a_model_out_of_memory_is_tried_again():
    """The batch is the likely cause: halved first, then retried, never lost."""

    def work(items):
        raise MemoryError

    async def run():
        with ThreadPoolExecutor(1) as pool:
            await off_the_loop(work, pool)([1])

    with pytest.raises(TransientError, match="out of memory"):
        asyncio.run(run())


def test_media_that_went_away_before_it_was_heard_is_missing(lanes):
    """The store may lose a file between the stages; the decision says so."""
    event = lanes.event(a_sound_file("flac", 1))
    (screened,) = lanes.screen(CODEC.encode(event))
    (lanes._folder / "song").unlink()

    signals = decoded(lanes.transcribe(screened.value))
    (missing,) = [m for m in signals.missing if m.signal == "transcript:audio"]
    assert missing.reason.startswith("not_found")


def test_the_trace_goes_on(lanes):
    """Whoever traces an upload finds every stage of it."""
    (output,) = lanes.screen(CODEC.encode(lanes.event()), headers=(TRACE,))

    assert TRACE in output.headers


def test_json_events_are_read_too(lanes):
    """CloudEvents in structured mode, for who has no Avro."""
    body = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/uploads",
        "type": "content.ingested.v1",
        "data": {"content_id": "c9", "uploader_id": "u1", "kind": "title"},
    }
    record = a_record(
        value=json.dumps(body).encode(),
        headers=(("content-type", b"application/cloudevents+json"),),
    )
    event = decode_event(CODEC, record)

    assert (event.content_id, event.kind, event.event_id) == ("c9", Kind.TITLE, "e1")
    assert event.event_time == record.arrived_at


def test_a_registry_that_is_away_is_no_fault_of_the_event():
    """The event is tried again, not buried."""

    class Away(CommittedIds):
        def schema_for(self, schema_id):
            raise RegistryUnavailableError("away")

    with pytest.raises(TransientError):
        decode_event(Codec(Away()), a_record(value=CODEC.encode(an_event())))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"", "empty"),
        (None, "empty"),
        (b"no Avro", "not_avro_framed"),
        (b"\x00\x00\x00\x03\xe7rest", "unknown_schema_id"),
        (CODEC.encode(an_event())[:-2], "undecodable"),
        (CODEC.encode(an_event()) + b"\x00", "trailing_bytes"),
        (CODEC.encode(ContentSignals(an_event(), Stage.COMPLETE)), "wrong_subject"),
        (
            CODEC.encode(an_event(texts=(("t", "é"),))).replace(
                "é".encode(), b"\xc3\x28"
            ),
            "undecodable",
        ),
        (
            CODEC.encode(replace(an_event(), content_id="x" * 8)).replace(
                b"x" * 8, b"\x00" * 8
            ),
            "invalid_event",
        ),
    ],
)
def test_what_is_no_event_is_named(value, code):
    """Each kind of broken bytes has its own reason code."""
    with pytest.raises(EventError) as caught:
        decode_event(CODEC, a_record(value=value))

    assert caught.value.code == code
