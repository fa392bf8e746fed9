"""Speech in an upload's media becomes text signals with seconds.

The slow half of understanding: it runs in its own lane, so that a three-hour podcast
never holds up a title change behind it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from encoders.audio import Truncation
from encoders.media_reader import MediaReader
from encoders.signals import (
    DecoderUnavailableError,
    EncodeError,
    ModelIdentity,
    SpeechResult,
)
from encoders.speech import SpeechEngine, Window, Windower, hear, new_windower
from schemas.records import (
    ContentSignals,
    GatedSpan,
    MediaFact,
    Missing,
    ModelUse,
    Stage,
    TextSignal,
    Transcript,
)
from streams.errors import TransientError
from streams.hearing import Heard, SoundWindows, hear_sound
from streams.understand import Understanding
from streams.upload import FetchedMedia

# 64 kbit/s: MP3 and raw AAC, the kinds that may not tell, are rarely below.
LEAST_BYTES_PER_S = 8_000
WINDOWS_AT_ONCE: Final = 8  # Four minutes of sound, 15 MB; engines gain little beyond.

_TRUNCATED: Final[dict[Truncation, str]] = {
    "too_short": "the sound ends before the end that its headers state",
    "broken_off": "the file breaks off",
    "damaged": "over a twentieth of the sound can't be decoded",
    "no_last_page": "the file ends too early",
}


def roles_with_speech(signals: ContentSignals) -> tuple[str, ...]:
    """Return the media that still has to be listened to.

    None where a bank knows the upload's exact bytes: it is decided without a
    transcript, at once.
    """
    if any(match.distance == 0 for match in signals.matches):
        return ()
    return tuple(fact.role for fact in signals.media if fact.has_audio)


def completed(signals: ContentSignals) -> ContentSignals:
    """Return the signals of an upload that needs no listening."""
    skipped = tuple(
        Missing(f"transcript:{fact.role}", "skipped: a bank knows these bytes")
        for fact in signals.media
        if fact.has_audio
    )
    return replace(signals, stage=Stage.COMPLETE, missing=signals.missing + skipped)


def unheard(
    signals: ContentSignals, roles: Sequence[str], reason: str
) -> ContentSignals:
    """Return the signals of an upload that nothing could listen to, and say so."""
    missing = tuple(Missing(f"transcript:{role}", reason) for role in roles)
    return replace(signals, stage=Stage.COMPLETE, missing=signals.missing + missing)


@dataclass(frozen=True, slots=True)
class Track:
    """One sound track of an upload, and what was heard in it; None if nothing could."""

    role: str
    heard: Heard | None
    missing: tuple[Missing, ...] = ()

    @property
    def texts(self) -> list[TextSignal]:
        """What was said, without embeddings."""
        return _as_texts(self.role, self.heard.result) if self.heard else []


def heard_track(role: str, heard: Heard) -> Track:
    """Return a track that was heard to its end, and say so if that came too early."""
    if heard.truncated is None:
        return Track(role, heard)
    reason = f"truncated: {_TRUNCATED[heard.truncated]}"
    return Track(role, heard, (Missing(f"transcript:{role}", reason),))


def unheard_track(fetched: FetchedMedia, error: EncodeError | None = None) -> Track:
    """Return a track that could not be heard, for want of bytes or of sense in them."""
    role = fetched.ref.role
    reason = fetched.missing.reason if fetched.missing else "not_found"
    if error is not None:
        reason = f"{error.code}: {error}"
    return Track(role, None, (Missing(f"transcript:{role}", reason),))


class Listening:
    """Hears the sound of uploads, window by window, and adds it to their signals."""

    def __init__(
        self,
        engine: SpeechEngine,
        understanding: Understanding,
        reader: MediaReader,
        new_windower: Callable[[], Windower] = new_windower,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._new_windower = new_windower
        self.embed = understanding.embed_speech

    @property
    def model(self) -> ModelIdentity:
        """Which model listens."""
        return self._engine.model

    def open(self, data: bytes) -> SoundWindows:
        """Return the windows of a sound; nothing is decoded yet. Close them."""
        return SoundWindows(self._reader.open_sound(data), self._new_windower())

    def hear(self, windows: Sequence[Window]) -> list[SpeechResult]:
        """Hear windows of any sounds in one model call, in order; blocks."""
        return hear(self._engine, windows)

    def transcribe(
        self, signals: ContentSignals, media: Sequence[FetchedMedia]
    ) -> ContentSignals:
        """Return an upload's complete signals; blocks until all of it was heard.

        Raises:
            TransientError: nothing can be decoded now.
        """
        tracks = [self._track(fetched) for fetched in media]
        return self.complete(signals, [(t, self.embed(t.texts)) for t in tracks])

    def complete(
        self,
        signals: ContentSignals,
        tracks: Sequence[tuple[Track, tuple[TextSignal, ...]]],
    ) -> ContentSignals:
        """Add tracks, each with its texts as they were embedded, to the signals."""
        transcripts = tuple(
            self._transcript(track.role, track.heard, len(spoken))
            for track, spoken in tracks
            if track.heard is not None
        )
        use = ModelUse(self.model.role, self.model.name, self.model.sha256)
        return replace(
            signals,
            stage=Stage.COMPLETE,
            texts=signals.texts
            + tuple(text for _, spoken in tracks for text in spoken),
            transcripts=transcripts,
            missing=signals.missing + tuple(m for t, _ in tracks for m in t.missing),
            models=(*signals.models, use) if transcripts else signals.models,
        )

    def _track(self, fetched: FetchedMedia) -> Track:
        if fetched.data is None:
            return unheard_track(fetched)
        try:
            with self.open(fetched.data) as sound:
                heard = hear_sound(self._engine, sound, batch_size=WINDOWS_AT_ONCE)
        except EncodeError as error:
            return unheard_track(fetched, error)
        except DecoderUnavailableError as error:
            raise TransientError(str(error)) from error
        return heard_track(fetched.ref.role, heard)

    def _transcript(self, role: str, heard: Heard, segments: int) -> Transcript:
        return Transcript(
            role=role,
            model=self.model.name,
            language=heard.result.language,
            segments=segments,
            duration_s=round(heard.duration_s, 3),
            gated=tuple(
                GatedSpan(round(g.start_s, 3), round(g.end_s, 3), g.reason)
                for g in heard.result.gated
            ),
        )


def longest_s(facts: Sequence[MediaFact]) -> float:
    """Return the length of the longest sound, in seconds; 0 when there is none.

    A file that does not tell is taken to be as long as its bytes could be.
    """
    return max((length_s(fact) for fact in facts if fact.has_audio), default=0.0)


def length_s(fact: MediaFact) -> float:
    """Return how long media lasts, in seconds; at most, where it does not tell."""
    if fact.duration_s is not None:
        return fact.duration_s
    return fact.size_bytes / LEAST_BYTES_PER_S


def _as_texts(role: str, result: SpeechResult) -> list[TextSignal]:
    return [
        TextSignal(
            source=f"transcript:{role}",
            text=segment.text,
            start_s=round(segment.start_s, 3),
            end_s=round(segment.end_s, 3),
            language=result.language,
        )
        for segment in result.segments
    ]
