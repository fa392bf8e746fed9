"""What of an upload is compared with others', in few bytes."""

import itertools
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import ContentSignals, MediaHash, TextSignal
from streams.fingerprint import PDQ_MIN_QUALITY, simhash, unpack

# Words of a text whose pairs are counted; a description says what it is about in fewer.
MAX_WORDS: Final = 64
SOUND_ITEMS: Final = 32
# Leading bits of a chromaprint item that are compared. With 20, the hardest copies of
# ten recordings shared 11 of 32 items (with 32 bits 4), unlike recordings none.
_ITEM_BITS: Final = 20
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth, vol. 3, 6.4).
_WORD: Final = re.compile(r"\w+")
_DIGITS: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class TextTrait:
    """One kind of text of an upload.

    `signature` is 32 bytes, the SimHash of its embedding, or empty. `pairs` are hashes
    of its distinct pairs of neighbouring words, numbers alike.
    """

    signature: bytes = b""
    pairs: tuple[int, ...] = ()


_NO_TEXT: Final = TextTrait()


@dataclass(frozen=True, slots=True)
class Traits:
    """An upload as campaigns see it; a kind that it lacks is empty."""

    key: tuple[str, int]  # Content id and revision.
    uploader_id: str
    at_ms: int  # Event time, since 1970.
    title: TextTrait = TextTrait()
    body: TextTrait = TextTrait()  # Every other written text.
    speech: TextTrait = TextTrait()
    cover: bytes = b""  # PDQ, 32 bytes; of a video its first good frame.
    sound: bytes = b""  # Up to 32 items, uint32 little-endian, sorted.
    files: tuple[str, ...] = ()  # SHA-256 of sounds and videos, not of pictures.

    def text(self, kind: str) -> TextTrait:
        """Return one kind of text: title, body or speech."""
        found: TextTrait = getattr(self, kind)
        return found


def traits_of(signals: ContentSignals, at_ms: int) -> Traits:
    """Return what can be compared; odd signals are left out, never raise.

    Args:
        signals: complete ones.
        at_ms: the upload's time, milliseconds since 1970; the event's own where that
            can be used.
    """
    event = signals.event
    by_kind: dict[str, list[TextSignal]] = {"title": [], "body": [], "speech": []}
    for text in signals.texts:
        by_kind[_kind_of(text.source)].append(text)
    return Traits(
        key=(event.content_id, event.revision),
        uploader_id=event.uploader_id,
        at_ms=at_ms,
        title=text_trait(by_kind["title"]),
        body=text_trait(by_kind["body"]),
        speech=text_trait(by_kind["speech"]),
        cover=_cover(signals.hashes),
        sound=_sound(signals.hashes),
        files=tuple(
            sorted({m.sha256 for m in signals.media if not _is_picture(m.mime)})
        ),
    )


def text_trait(texts: Sequence[TextSignal]) -> TextTrait:
    """Return the trait of one kind of text, which may be in several pieces."""
    if not texts:
        return _NO_TEXT
    vectors = [v for text in texts if (v := unpack(text.embedding)) is not None]
    vectors = [v for v in vectors if len(v) == len(vectors[0])]
    words = (w for text in texts for w in words_of(text.normalised or text.text))
    signature = b""
    if vectors and any(v.any() for v in vectors):
        signature = simhash(np.sum(vectors, axis=0, dtype=np.float32))
    return TextTrait(signature, word_pairs(words))


def words_of(text: str) -> list[str]:
    """Return a text's words in lower case; numbers are all `0`."""
    return _WORD.findall(_DIGITS.sub("0", text[: MAX_WORDS * 32].lower()))


def word_pairs(words: Iterable[str]) -> tuple[int, ...]:
    """Return the hashes of distinct neighbours among the first 64 words, sorted."""
    kept = [word for word, _ in zip(words, range(MAX_WORDS), strict=False)]
    pairs = {zlib.crc32(f"{a} {b}".encode()) for a, b in itertools.pairwise(kept)}
    return tuple(sorted(pairs))


def sound_items(items: NDArray[np.uint32]) -> bytes:
    """Return 32 items of a chromaprint that a copy most likely has too, sorted.

    Those with the smallest hashes (Broder, 1997): whichever part is missing, the rest
    gives the same.
    """
    distinct = np.unique(items >> np.uint32(32 - _ITEM_BITS)).astype(np.uint64)
    mixed = (distinct * _MIX) >> np.uint64(32)
    mixed.sort()
    return mixed[:SOUND_ITEMS].astype("<u4").tobytes()


def _kind_of(source: str) -> str:
    if source.startswith("transcript:"):
        return "speech"
    return "title" if source == "title" else "body"


def _is_picture(mime: str) -> bool:
    return mime.startswith("image/")


def _cover(hashes: Sequence[MediaHash]) -> bytes:
    for found in hashes:
        good = found.quality is None or found.quality >= PDQ_MIN_QUALITY
        value = _hex(found.value) if found.algorithm == "pdq" and good else b""
        if len(value) == 32:
            return value
    return b""


def _sound(hashes: Sequence[MediaHash]) -> bytes:
    for found in hashes:
        value = _hex(found.value) if found.algorithm == "chromaprint" else b""
        if value and len(value) % 4 == 0:
            return sound_items(np.frombuffer(value, ">u4").astype(np.uint32))
    return b""


def _hex(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""
