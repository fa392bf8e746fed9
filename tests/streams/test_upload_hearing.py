import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from encoders.media_format import MediaLimits
from encoders.media_reader import InProcessReader
from encoders.signals import DecoderUnavailableError
from schemas.records import ContentSignals, MediaFact, MediaRef, Stage
from streams import upload_hearing
from streams.batcher import Batcher
from streams.errors import TransientError
from streams.listen import Listening
from streams.model_threads import off_the_loop
from streams.shared_hearing import SharedHearing
from streams.transcript_journal import TranscriptJournals
from streams.understand import Understanding
from streams.upload import FetchedMedia
from streams.upload_hearing import UploadHearing
from tests.builders import an_event
from tests.fakes import FakeLog, FakeSpeechEngine, FakeTextEncoder, FakeWindower
from tests.media_builders import a_sound_file

LIMITS = MediaLimits(1 << 24, 400)
SOUND = a_sound_file("flac", 70)
WINDOWS = 7  # Of ten seconds.


class CountingTranscriber(FakeSpeechEngine):
    """Counts the windows that it hears; each takes a while."""

    def __init__(self, window_s=0.0):
        super().__init__()
        self.heard, self._window_s = 0, window_s

    def transcribe_windows(self, windows):
        """Hear and count."""
        time.sleep(self._window_s * len(windows))
        self.heard += len(windows)
        return super().transcribe_windows(windows)


class Bench:
    """Hears one upload whose sound claims to be so long."""

    def __init__(self, folder, duration_s=3600.0, engine=None, reader=None):
        self.engine, self.log = engine or CountingTranscriber(), FakeLog()
        self.folder, self._duration_s = folder, duration_s
        self._reader = reader or InProcessReader(LIMITS)
        self.alive = self.lasting = 0

    def listening(self):
        """Build the listening half over fakes."""
        understanding = Understanding(
            FakeTextEncoder(), (), self._reader, timedelta(days=1)
        )
        return Listening(
            self.engine, understanding, self._reader, lambda: FakeWindower(10)
        )

    async def hear(self, stop_after_s=None):
        """Hear the upload, or be cancelled after so long."""
        listening = self.listening()
        fact = MediaFact(
            "audio",
            "audio/flac",
            len(SOUND),
            "0" * 64,
            has_audio=True,
            duration_s=self._duration_s,
        )
        signals = ContentSignals(an_event(), Stage.SCREENED, media=(fact,))
        media = [FetchedMedia(MediaRef("audio", "file:///x"), SOUND)]
        with ThreadPoolExecutor(2) as threads, ThreadPoolExecutor(1) as model:
            batcher = Batcher(off_the_loop(listening.hear, model), size=1, wait_s=0)
            journals = TranscriptJournals(self.folder, listening.model, self.log.note)
            hearing = SharedHearing(batcher, threads, ahead=2)
            uploads = UploadHearing(listening, hearing, journals, self.log)
            uploads.alive = self._lives
            try:
                async with asyncio.timeout(stop_after_s):
                    return await uploads.hear(signals, media)
            finally:
                await batcher.close()

    def _lives(self, *, lasting=False):
        self.alive += 1
        self.lasting += lasting

    @property
    def journals(self):
        """Return the journals on disk."""
        return list(self.folder.glob("*"))


def test_a_restart_hears_only_what_was_not_heard(tmp_path):
    """And gives the very signals that a run without one gives."""
    slow = Bench(tmp_path / "a", engine=CountingTranscriber(0.2))
    with pytest.raises(TimeoutError):
        asyncio.run(slow.hear(stop_after_s=0.9))
    again = Bench(tmp_path / "a")
    heard = asyncio.run(again.hear())
    whole = asyncio.run(Bench(tmp_path / "b").hear())

    assert 2 <= heard.recalled < WINDOWS
    assert again.engine.heard == WINDOWS - heard.recalled
    assert 1 <= again.lasting <= again.engine.heard  # What is recalled is no progress.
    assert heard.signals == whole.signals
    assert len(again.journals) == 1
    heard.forget()
    assert again.journals == []


def test_a_short_sound_leaves_nothing_on_disk(tmp_path):
    """It is heard again sooner than a journal is worth."""
    bench = Bench(tmp_path / "a", duration_s=70.0)
    asyncio.run(bench.hear())

    assert bench.engine.heard == WINDOWS
    assert bench.journals == []


def test_progress_is_told_and_is_a_sign_of_life(tmp_path, monkeypatch):
    """At a rate that the log stands; every window lets the watchdog know."""
    bench = Bench(tmp_path / "a", engine=CountingTranscriber(0.05))
    monkeypatch.setattr(upload_hearing, "PROGRESS_EVERY_S", 0.08)
    asyncio.run(bench.hear())

    assert bench.alive >= WINDOWS
    assert 1 <= bench.log.notes["transcribing"] <= 5


def test_decoders_that_are_away_are_tried_again(tmp_path):
    """What was heard till then is kept for the next try."""

    class Away(InProcessReader):
        def open_sound(self, data, *, skip_samples=0):
            raise DecoderUnavailableError("no more processes")

    bench = Bench(tmp_path / "a", reader=Away(LIMITS))
    with pytest.raises(TransientError):
        asyncio.run(bench.hear())

    assert len(bench.journals) == 1
