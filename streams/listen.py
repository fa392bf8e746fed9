"""Speech in an upload's media becomes text signals with seconds.

The slow half of understanding: it runs in its own lane, so that a three-hour podcast
never holds up a title change behind it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from encoders.media_reader import MediaReader
from encoders.signals import (
    DecoderUnavailableError,
    EncodeError,
    SpeechResult,
    Waveform,
)
from encoders.speech import Transcriber
from schemas.records import (
    ContentSignals,
    MediaFact,
    Missing,
    ModelUse,
    Stage,
    TextSignal,
    Transcript,
)
from streams.errors import TransientError
from streams.understand import Understanding
from streams.upload import FetchedMedia

# 64 kbit/s: MP3 and raw AAC, the kinds that may not tell, are rarely below.
LEAST_BYTES_PER_S = 8_000


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
class _Sound:
    """One sound track on its way through the transcriber."""

    role: str
    waveform: Waveform | None
    missing: tuple[Missing, ...] = ()


class Listening:
    """Decodes and transcribes the sound of a batch of uploads."""

    def __init__(
        self,
        transcriber: Transcriber,
        understanding: Understanding,
        reader: MediaReader,
    ) -> None:
        self._transcriber = transcriber
        self._understanding = understanding
        self._reader = reader

    def transcribe(
        self, batch: Sequence[tuple[ContentSignals, Sequence[FetchedMedia]]]
    ) -> list[ContentSignals]:
        """Return complete signals, in order; all sound goes through one model call.

        Raises:
            TransientError: nothing can be decoded now.
        """
        sounds = [[self._sound(fetched) for fetched in media] for _, media in batch]
        waveforms = [s.waveform for each in sounds for s in each if s.waveform]
        heard = iter(self._transcriber.transcribe(waveforms) if waveforms else ())
        return [
            self._complete(
                signals, [(s, next(heard) if s.waveform else None) for s in each]
            )
            for (signals, _), each in zip(batch, sounds, strict=True)
        ]

    def _sound(self, fetched: FetchedMedia) -> _Sound:
        role = fetched.ref.role
        if fetched.data is None:
            reason = fetched.missing.reason if fetched.missing else "not_found"
            return _Sound(role, None, (Missing(f"transcript:{role}", reason),))
        try:
            decoded = self._reader.audio(fetched.data)
        except EncodeError as error:
            reason = f"{error.code}: {error}"
            return _Sound(role, None, (Missing(f"transcript:{role}", reason),))
        except DecoderUnavailableError as error:
            raise TransientError(str(error)) from error
        cut = Missing(f"transcript:{role}", "truncated: the sound ends too early")
        return _Sound(role, decoded.waveform, (cut,) if decoded.truncated else ())

    def _complete(
        self,
        signals: ContentSignals,
        sounds: Sequence[tuple[_Sound, SpeechResult | None]],
    ) -> ContentSignals:
        texts: list[TextSignal] = []
        transcripts = []
        for sound, result in sounds:
            if result is None or sound.waveform is None:
                continue
            spoken = self._understanding.embed_speech(_as_texts(sound.role, result))
            texts += spoken
            transcripts.append(
                Transcript(
                    role=sound.role,
                    model=self._transcriber.model.name,
                    language=result.language,
                    segments=len(spoken),
                    duration_s=round(sound.waveform.duration_s, 3),
                )
            )
        model = self._transcriber.model
        use = ModelUse(model.role, model.name, model.sha256)
        return replace(
            signals,
            stage=Stage.COMPLETE,
            texts=signals.texts + tuple(texts),
            transcripts=tuple(transcripts),
            missing=signals.missing + tuple(m for s, _ in sounds for m in s.missing),
            models=(*signals.models, use) if transcripts else signals.models,
        )


def longest_s(facts: Sequence[MediaFact]) -> float:
    """Return the length of the longest sound, in seconds; 0 when there is none.

    A file that does not tell is taken to be as long as its bytes could be.
    """
    lengths = (
        f.size_bytes / LEAST_BYTES_PER_S if f.duration_s is None else f.duration_s
        for f in facts
        if f.has_audio
    )
    return max(lengths, default=0.0)


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
