"""An event and its media become signals: what the encoders found, and what is missing.

Two halves, because one scales with threads and the other with batches: `examine` looks
at one upload's media, `embed` runs the text model over many uploads at once.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from encoders.audio_fingerprint import Fingerprinter
from encoders.banks import BankSource
from encoders.hashing import sha256_hex
from encoders.media_reader import MediaLook, MediaReader
from encoders.signals import DecoderUnavailableError, EncodeError, ModelIdentity
from encoders.text import TextEncoder
from schemas.records import (
    ContentSignals,
    MediaFact,
    MediaHash,
    Missing,
    ModelUse,
    Stage,
    TextSignal,
)
from streams.errors import TransientError
from streams.media_signals import Looked, bank_matches, fingerprinted, shown
from streams.picture_models import PictureModels
from streams.text_reading import TextReading
from streams.upload import FetchedMedia, Upload

# A long novel's chapter; beyond it a "title" is an attack on the text model's time.
MAX_TEXT_CHARS = 100_000


_NO_MODELS = PictureModels()


class Understanding:
    """Encoders and banks, and how an upload goes through them."""

    def __init__(
        self,
        text: TextEncoder,
        banks: Sequence[BankSource],
        reader: MediaReader,
        event_max_skew: timedelta,
        fingerprinter: Fingerprinter | None = None,
        picture_models: PictureModels = _NO_MODELS,
    ) -> None:
        self._text = text
        self._reading = TextReading(text)
        self._banks = tuple(banks)
        self.reader = reader
        self._event_max_skew = event_max_skew
        self._fingerprinter = fingerprinter
        self._picture_models = picture_models

    @property
    def text_model(self) -> ModelIdentity:
        """Which model embeds texts."""
        return self._text.model

    def examine(self, upload: Upload) -> ContentSignals:
        """Look at media and event time; texts are still to be embedded.

        Raises:
            TransientError: nothing can be decoded now.
        """
        # One version of each for the whole upload.
        banks = [bank for source in self._banks for bank in source.banks()]
        looks = [look_at(fetched, self.reader) for fetched in upload.fetched]
        looks += [
            fingerprinted(fetched, self.reader, self._fingerprinter, banks)
            for fetched, look in zip(upload.fetched, looks, strict=True)
            if any(fact.has_audio for fact in look.facts)
        ]
        looks += [
            shown(fetched, self.reader, self._picture_models)
            for fetched, look in zip(upload.fetched, looks, strict=False)
            if self._picture_models.wanted
            and any(h.algorithm == "pdq" for h in look.hashes)
        ]
        hashes = tuple(h for look in looks for h in look.hashes)
        pictures = tuple(p for look in looks for p in look.pictures)
        labels = tuple(label for look in looks for label in look.labels)
        missing = [m for look in looks for m in look.missing]
        missing += self._event_time_missing(upload)
        return ContentSignals(
            event=upload.event,
            stage=Stage.SCREENED,
            media=tuple(f for look in looks for f in look.facts),
            hashes=hashes,
            matches=tuple(bank_matches(hashes, banks)),
            missing=tuple(missing),
            models=(
                *(ModelUse("bank", b.name, b.sha256) for b in banks),
                *(self._picture_models.uses if pictures or labels else ()),
            ),
            pictures=pictures,
            labels=labels,
        )

    def embed(self, examined: Sequence[ContentSignals]) -> list[ContentSignals]:
        """Add every text of every upload with its embedding, in one model pass."""
        plans = [self._split_texts(signals.event.texts) for signals in examined]
        vectors = self._vectors([_read(text) for texts, _ in plans for text in texts])
        embedded = []
        for signals, (texts, missing) in zip(examined, plans, strict=True):
            mine = tuple(replace(t, embedding=next(vectors)) for t in texts)
            embedded.append(
                replace(
                    signals,
                    texts=signals.texts + mine,
                    missing=signals.missing + missing,
                    models=_with_model(signals.models, self._text.model),
                )
            )
        return embedded

    def embed_speech(self, spoken: Sequence[TextSignal]) -> tuple[TextSignal, ...]:
        """Return transcript segments with their embeddings.

        A segment longer than the model's window is split; its parts share its seconds.
        """
        parts = [
            replace(one, text=one.text[span.start_char : span.end_char])
            for one in spoken
            for span in self._text.split(one.text)
        ]
        vectors = self._vectors([part.text for part in parts])
        return tuple(replace(part, embedding=next(vectors)) for part in parts)

    def _vectors(self, texts: Sequence[str]) -> Iterator[bytes]:
        rows = self._text.embed(texts) if texts else ()
        return iter([row.astype("<f4").tobytes() for row in rows])

    def _split_texts(
        self, texts: Iterable[tuple[str, str]]
    ) -> tuple[list[TextSignal], tuple[Missing, ...]]:
        parts: list[TextSignal] = []
        missing = []
        for name, whole in texts:
            if len(whole) > MAX_TEXT_CHARS:
                reason = f"too_long: {len(whole)} characters, {MAX_TEXT_CHARS} read"
                missing.append(Missing(f"text:{name}", reason))
            parts += self._reading.parts(name, whole[:MAX_TEXT_CHARS])
        return parts, tuple(missing)

    def _event_time_missing(self, upload: Upload) -> list[Missing]:
        arrived_at = upload.arrived_at
        if arrived_at is None:
            return []
        ahead = upload.event.event_time - arrived_at
        if ahead <= self._event_max_skew:
            return []
        return [Missing("event_time", f"in_future: {ahead} after it arrived")]


def _read(text: TextSignal) -> str:
    """Return what the models read of a text."""
    return text.text if text.normalised is None else text.normalised


def look_at(fetched: FetchedMedia, reader: MediaReader) -> Looked:
    """Identify one piece of media by its bytes and hash what it shows.

    Raises:
        TransientError: nothing can be decoded now.
    """
    ref, data = fetched.ref, fetched.data
    if data is None:
        return Looked(missing=(fetched.missing,) if fetched.missing else ())
    sha256 = sha256_hex(data)
    exact = MediaHash(ref.role, "sha256", sha256)
    try:
        look = reader.examine(data)
    except EncodeError as error:
        reason = f"{error.code}: {error}"
        return Looked((), (exact,), (Missing(f"media:{ref.role}", reason),))
    except DecoderUnavailableError as error:
        raise TransientError(str(error)) from error
    return Looked(
        (_fact(ref.role, look, len(data), sha256),),
        (exact, *_picture_hashes(ref.role, look)),
        _frames_missing(ref.role, look) + _wrong_mime(ref.role, ref.mime, look),
    )


def _fact(role: str, look: MediaLook, size_bytes: int, sha256: str) -> MediaFact:
    probe = look.probe
    return MediaFact(
        role,
        probe.mime,
        size_bytes,
        sha256,
        has_audio=probe.has_audio,
        duration_s=probe.duration_s,
        width_px=probe.width_px,
        height_px=probe.height_px,
    )


def _picture_hashes(role: str, look: MediaLook) -> tuple[MediaHash, ...]:
    return tuple(
        MediaHash(role, "pdq", seen.pdq.hex, seen.pdq.quality, seen.frame_s)
        for seen in look.pictures
    )


def _frames_missing(role: str, look: MediaLook) -> tuple[Missing, ...]:
    fault = look.frames_fault
    if fault is None:
        return ()
    return (Missing(f"frames:{role}", f"{fault.code}: {fault.message}"),)


def _wrong_mime(role: str, claimed: str | None, look: MediaLook) -> tuple[Missing, ...]:
    """Report a claim that can't be true; judged is what the bytes are."""
    found = look.probe.mime
    if claimed is None or _family(claimed) in (None, _family(found)):
        return ()
    return (Missing(f"mime:{role}", f"wrong_mime: claimed {claimed}, found {found}"),)


def _family(mime: str) -> str | None:
    """Return audio, video or image; sound containers may be called video."""
    family = mime.partition("/")[0].lower()
    return {"audio": "av", "video": "av", "image": "image"}.get(family)


def _with_model(
    models: tuple[ModelUse, ...], model: ModelIdentity
) -> tuple[ModelUse, ...]:
    use = ModelUse(model.role, model.name, model.sha256)
    return models if use in models else (*models, use)
