"""Hears an upload's sounds and keeps what a restart would have to hear again.

Between `agents` and `shared_hearing`: journals for long sounds, progress in the log,
signs of life for the watchdog.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Final, Protocol

from encoders.signals import DecoderUnavailableError, EncodeError
from schemas.records import ContentSignals, MediaFact, TextSignal
from streams.errors import TransientError
from streams.hearing import Heard, NoNotes, Notes
from streams.listen import Listening, Track, heard_track, length_s, unheard_track
from streams.shared_hearing import SharedHearing
from streams.telemetry import EventLog
from streams.transcript_journal import LONG_S, TranscriptJournal, TranscriptJournals
from streams.upload import FetchedMedia

PROGRESS_EVERY_S: Final = 60.0
# A second's work of the text model; between two of them a cancel takes effect.
EMBED_AT_ONCE: Final = 32


class Alive(Protocol):
    """Hears that an upload moves on; `lasting` if a restart goes on from there."""

    def __call__(self, *, lasting: bool = False) -> None:
        """Note it."""


def _nobody_watches(*, lasting: bool = False) -> None:
    pass


@dataclass(frozen=True, slots=True)
class HeardUpload:
    """An upload's complete signals, and the journals that led to them.

    `recalled` counts the windows that an earlier run had heard.
    """

    signals: ContentSignals
    journals: tuple[TranscriptJournal, ...]

    @property
    def recalled(self) -> int:
        """How many windows an earlier run had heard."""
        return sum(journal.recalled for journal in self.journals)

    def forget(self) -> None:
        """Remove the journals: the signals are safe."""
        for journal in self.journals:
            journal.remove()


class UploadHearing:
    """Hears uploads, one sound of each at a time; lives on the event loop."""

    def __init__(
        self,
        listening: Listening,
        hearing: SharedHearing,
        journals: TranscriptJournals,
        log: EventLog,
    ) -> None:
        self._listening = listening
        self._hearing = hearing
        self._journals = journals
        self._log = log
        # The stage's, once it is made: called while an upload moves on.
        self.alive: Alive = _nobody_watches

    async def hear(
        self, signals: ContentSignals, media: Sequence[FetchedMedia]
    ) -> HeardUpload:
        """Return an upload's complete signals, however long its sounds are.

        A cancel takes effect within a window's time and leaves nothing behind but the
        journals.

        Raises:
            TransientError: nothing can be decoded now.
        """
        facts = {fact.role: fact for fact in signals.media}
        tracks, journals = [], []
        for fetched in media:
            fact = facts[fetched.ref.role]
            journal = await self._journal(fact, fetched)
            if journal is not None:
                journals.append(journal)
            try:
                track = await self._track(signals, fact, fetched, journal or NoNotes())
            finally:
                if journal is not None:
                    journal.close()
            tracks.append((track, await self._embedded(track)))
        return HeardUpload(self._listening.complete(signals, tracks), tuple(journals))

    async def _journal(
        self, fact: MediaFact, fetched: FetchedMedia
    ) -> TranscriptJournal | None:
        if fetched.data is None or length_s(fact) <= LONG_S:
            return None
        return await self._hearing.blocking(self._journals.open, fetched.data)

    async def _track(
        self,
        signals: ContentSignals,
        fact: MediaFact,
        fetched: FetchedMedia,
        notes: Notes,
    ) -> Track:
        if fetched.data is None:
            return unheard_track(fetched)
        try:
            heard = await self._heard(signals, fact, fetched.data, notes)
        except EncodeError as error:
            return unheard_track(fetched, error)
        except DecoderUnavailableError as error:
            raise TransientError(str(error)) from error
        return heard_track(fetched.ref.role, heard)

    async def _heard(
        self, signals: ContentSignals, fact: MediaFact, data: bytes, notes: Notes
    ) -> Heard:
        told_at_s, noted = monotonic(), 0

        def told(done_s: float) -> None:
            nonlocal told_at_s, noted
            self.alive(lasting=notes.noted > noted)
            noted = notes.noted
            if monotonic() - told_at_s < PROGRESS_EVERY_S:
                return
            told_at_s = monotonic()
            self._log.note(
                "transcribing",
                content_id=signals.event.content_id,
                role=fact.role,
                done_s=round(done_s),
                total_s=None if fact.duration_s is None else round(fact.duration_s),
            )

        sound = await self._hearing.blocking(self._listening.open, data)
        return await self._hearing.hear(sound, notes, told)

    async def _embedded(self, track: Track) -> tuple[TextSignal, ...]:
        texts = track.texts
        spoken: list[TextSignal] = []
        for at in range(0, len(texts), EMBED_AT_ONCE):
            some = texts[at : at + EMBED_AT_ONCE]
            spoken += await self._hearing.blocking(self._listening.embed, some)
            self.alive()
        return tuple(spoken)
