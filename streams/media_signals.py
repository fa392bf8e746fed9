"""What one piece of media gives: hashes, fingerprint, embeddings, labels; bank matches.

Under `understand`, which puts them together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from encoders.audio_fingerprint import Fingerprinter
from encoders.bank_entries import ContentHash
from encoders.banks import Bank
from encoders.media_reader import MediaReader
from encoders.signals import DecoderUnavailableError, EncodeError
from encoders.sound_stream import read_opening
from schemas.records import (
    BankMatch,
    Category,
    MediaFact,
    MediaHash,
    Missing,
    PictureLabel,
    PictureSignal,
)
from streams.errors import TransientError
from streams.picture_models import PictureModels
from streams.upload import FetchedMedia


@dataclass(frozen=True, slots=True)
class Looked:
    """What one piece of media, or several, showed."""

    facts: tuple[MediaFact, ...] = ()
    hashes: tuple[MediaHash, ...] = ()
    missing: tuple[Missing, ...] = ()
    pictures: tuple[PictureSignal, ...] = ()
    labels: tuple[PictureLabel, ...] = ()


def fingerprinted(
    fetched: FetchedMedia,
    reader: MediaReader,
    fingerprinter: Fingerprinter | None,
    banks: Iterable[Bank],
) -> Looked:
    """Fingerprint the first minutes of sound, or say that a bank waits for it.

    Raises:
        TransientError: nothing can be decoded now.
    """
    role, data = fetched.ref.role, fetched.data
    if fingerprinter is None or data is None:
        if not any("chromaprint" in bank.algorithms for bank in banks):
            return Looked()
        reason = "not_computed: HEADGATE_AUDIO_FINGERPRINT is off"
        return Looked(missing=(Missing(f"fingerprint:{role}", reason),))
    try:
        sound = read_opening(reader.open_sound(data))
    except EncodeError as error:
        reason = f"{error.code}: {error}"
        return Looked(missing=(Missing(f"fingerprint:{role}", reason),))
    except DecoderUnavailableError as error:
        raise TransientError(str(error)) from error
    value = fingerprinter.fingerprint(sound)
    return Looked(hashes=(MediaHash(role, "chromaprint", value),) if value else ())


def shown(fetched: FetchedMedia, reader: MediaReader, models: PictureModels) -> Looked:
    """Show a picture, or a video's key frames, to the models.

    Raises:
        TransientError: nothing can be decoded now.
    """
    role = fetched.ref.role
    try:
        pictures = reader.pictures(fetched.data or b"")
    except EncodeError as error:
        reason = f"{error.code}: {error}"
        return Looked(missing=(Missing(f"frames:{role}", reason),))
    except DecoderUnavailableError as error:
        raise TransientError(str(error)) from error
    return Looked(
        pictures=tuple(models.embedded(role, pictures)),
        labels=tuple(models.labelled(role, pictures)),
    )


def bank_matches(
    hashes: Sequence[MediaHash], banks: Iterable[Bank]
) -> Iterator[BankMatch]:
    """Yield what the banks know of an upload's hashes."""
    looked = [
        ContentHash(
            h.algorithm,
            h.value,
            h.quality,
            video=None if h.frame_s is None else h.role,
        )
        for h in hashes
    ]
    for bank in banks:
        for hit in bank.match(looked):
            found = hashes[hit.hash_index]
            yield BankMatch(
                role=found.role,
                bank=hit.bank,
                entry_id=hit.entry_id,
                category=Category(hit.category),
                algorithm=hit.algorithm,
                distance=hit.distance,
                frame_s=found.frame_s,
            )
