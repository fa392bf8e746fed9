"""Makes labelled traffic: campaigns among ordinary look-alikes, from a seed.

What is simulated: texts are made of whole sentences, each embedded by the real text
model, and a longer text is the mean of its sentences as in production a text of several
windows is. Covers and sounds exist as hashes only: copies differ as copies of real
pictures and recordings did (see COVER_EDITS and SOUND_ERROR); unlike ones are random.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import (
    ContentIngested,
    ContentSignals,
    Kind,
    MediaFact,
    MediaHash,
    Stage,
    TextSignal,
)

START: Final = datetime(2026, 11, 1, tzinfo=UTC)
DAYS: Final = 30
# Bits of 256 by which PDQ hashes of the eight unlike photos of pdq_images changed:
# shifted by 1 %, cropped by 1 %, JPEG at quality 40, brighter by 30 %, a banner below.
COVER_EDITS: Final = (
    *(30, 94, 52, 38, 52, 20, 38, 42),
    *(22, 106, 36, 26, 54, 30, 26, 30),
    *(0, 32, 2, 0, 92, 10, 36, 2),
    *(18, 30, 4, 14, 30, 14, 70, 4),
    *(24, 44, 62, 22, 40, 64, 32, 22),
)
# Share of bits that flip, with 2 s missing: as in the hardest copies of ten recordings,
# 11 of 32 sampled items survive.
SOUND_ERROR: Final = 0.035
_ITEMS: Final = 300  # 37 s of sound.
_CUT_ITEMS: Final = 16

# float32, shape (n_texts, dim), rows of unit length.
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Sentences = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MadeUpload:
    """One upload, before its texts are embedded."""

    at_s: float  # Since START.
    uploader: str
    kind: str  # Of look-alike or of campaign.
    campaign: int | None = None  # The answer.
    title: str = ""
    body: Sentences = ()
    speech: Sentences = ()
    cover: bytes = b""  # 32 bytes, or none.
    sound: int = 0  # What is heard, as a seed; 0: none.
    sound_copy: int = 0  # Which copy of it; 0: the first.


def edited_cover(cover: bytes, rng: Random) -> bytes:
    """Return a cover's hash after an edit that people make."""
    flipped = int.from_bytes(cover, "big")
    for bit in rng.sample(range(256), rng.choice(COVER_EDITS)):
        flipped ^= 1 << bit
    return flipped.to_bytes(32, "big")


def new_cover(rng: Random) -> bytes:
    """Return the hash of a picture: half of a PDQ's bits are set."""
    return sum(1 << bit for bit in rng.sample(range(256), 128)).to_bytes(32, "big")


def fingerprint(sound: int, copy: int) -> str:
    """Return the fingerprint of a sound, or of a copy of it, in hex."""
    items = np.random.default_rng([1, sound]).integers(0, 1 << 32, _ITEMS, np.uint32)
    if copy:
        rng = np.random.default_rng([2, sound, copy])
        flips = rng.random((_ITEMS - _CUT_ITEMS, 32)) < SOUND_ERROR
        mask = np.packbits(flips, axis=1).view(">u4").reshape(-1).astype(np.uint32)
        items = items[_CUT_ITEMS:] ^ mask
    return items.astype(">u4").tobytes().hex()


def as_signals(uploads: Sequence[MadeUpload], embed: Embed) -> Iterator[ContentSignals]:
    """Yield the uploads' signals in order of time; content ids are their numbers.

    Every distinct sentence is embedded once, before the first is yielded.
    """
    pieces = list(dict.fromkeys(p for upload in uploads for p in _pieces(upload)))
    rows = embed(pieces) if pieces else ()
    known = {
        piece: row.astype("<f4").tobytes()
        for piece, row in zip(pieces, rows, strict=True)
    }
    for number, upload in enumerate(uploads):
        yield _signals(number, upload, known)


def _pieces(upload: MadeUpload) -> Iterator[str]:
    if upload.title:
        yield upload.title
    yield from upload.body
    yield from upload.speech


def _signals(
    number: int, upload: MadeUpload, known: dict[str, bytes]
) -> ContentSignals:
    texts = (
        *(("title", piece) for piece in (upload.title,) if piece),
        *(("description", piece) for piece in upload.body),
        *(("transcript:audio", piece) for piece in upload.speech),
    )
    event = ContentIngested(
        content_id=f"c{number}",
        uploader_id=upload.uploader,
        kind=Kind.TRACK if upload.sound else Kind.PROFILE,
        event_time=START + timedelta(seconds=upload.at_s),
    )
    return ContentSignals(
        event=event,
        stage=Stage.COMPLETE,
        texts=tuple(TextSignal(source, p, known[p]) for source, p in texts),
        media=_media(number, upload),
        hashes=tuple(_hashes(upload)),
    )


def _media(number: int, upload: MadeUpload) -> tuple[MediaFact, ...]:
    if not upload.sound:
        return ()
    return (MediaFact("audio", "audio/mpeg", 1_000_000, f"{number:064x}", True),)


def _hashes(upload: MadeUpload) -> Iterator[MediaHash]:
    if upload.cover:
        yield MediaHash("cover", "pdq", upload.cover.hex(), 100)
    if upload.sound:
        value = fingerprint(upload.sound, upload.sound_copy)
        yield MediaHash("audio", "chromaprint", value)
