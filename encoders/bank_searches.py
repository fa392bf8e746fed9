"""How each algorithm's known hashes are searched: exactly, by distance, by share.

After `bank_entries` and the indexes, before `banks`.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from encoders.bank_entries import ContentHash, KnownHash
from encoders.fingerprint_index import FingerprintIndex
from encoders.hash_index import hash_index, in_steps

# Both from ThreatExchange's PDQ documents: the distance that counts as a match, and
# the quality below which a hash should not be used.
PDQ_MAX_DISTANCE: Final = 31
PDQ_MIN_QUALITY: Final = 50
# ThreatExchange, vpdq_util.py: VPDQ_QUERY_MATCH_THRESHOLD_PERCENT
# is 80 and VPDQ_INDEX_MATCH_THRESHOLD_PERCENT is 0: an upload may be part of the video.
VPDQ_MIN_SHARE: Final = 0.8

Found = tuple[int, KnownHash, int]  # Which was looked for, what it is, bits between.


class Search(Protocol):
    """Finds known hashes of one algorithm."""

    def find(self, looked: Sequence[ContentHash]) -> Iterator[Found]:
        """Yield every hash that is known, in any order."""


class BitsSearch:
    """Single hashes of 256 bits within a distance."""

    def __init__(
        self,
        known: Sequence[KnownHash],
        algorithm: str,
        max_distance: int,
        min_quality: int = 0,
    ) -> None:
        self._known = known
        self._algorithm = algorithm
        self._max_distance = max_distance
        self._min_quality = min_quality
        values = [k.value for step in in_steps(known) for k in step]
        self._index = hash_index(values, max_distance)

    def find(self, looked: Sequence[ContentHash]) -> Iterator[Found]:
        """See `Search`; hashes below the least quality are not looked for."""
        for i, one in enumerate(looked):
            if one.algorithm != self._algorithm:
                continue
            if (one.quality or 0) < self._min_quality:
                continue
            for place, bits in self._index.within(one.value, self._max_distance):
                yield i, self._known[place], bits


class VideoSearch:
    """Videos by their key frames: four fifths of the upload's are in the known one.

    Frames below quality 50 count on neither side; neither does a frame that the upload
    shows twice.
    """

    def __init__(self, known: Sequence[KnownHash]) -> None:
        self._known = known
        frames = [
            (n, k.value[at : at + 64])
            for n, k in enumerate(known)
            for at in range(0, len(k.value), 64)
        ]
        self._video_of = [n for n, _ in frames]
        self._index = hash_index([value for _, value in frames], PDQ_MAX_DISTANCE)

    def find(self, looked: Sequence[ContentHash]) -> Iterator[Found]:
        """See `Search`; what is found is the first frame that the video has too."""
        for frames in _videos(looked):
            near: dict[int, dict[int, int]] = {}  # Known video: frame: bits.
            for i, value in frames:
                for place, bits in self._index.within(value, PDQ_MAX_DISTANCE):
                    mine = near.setdefault(self._video_of[place], {})
                    mine[i] = min(bits, mine.get(i, bits))
            for n, bits_of in near.items():
                if len(bits_of) >= VPDQ_MIN_SHARE * len(frames):
                    mean = round(sum(bits_of.values()) / len(bits_of))
                    # A video is never known bit by bit: 0 stands for the same bytes.
                    yield min(bits_of), self._known[n], max(1, mean)


class SoundSearch:
    """Recordings by their fingerprints: see `fingerprint_index`."""

    def __init__(self, known: Sequence[KnownHash]) -> None:
        self._known = known
        self._index = FingerprintIndex([k.value for k in known])

    def find(self, looked: Sequence[ContentHash]) -> Iterator[Found]:
        """See `Search`; the distance is the share of differing bits, of 256."""
        for i, one in enumerate(looked):
            if one.algorithm == "chromaprint":
                for place, error in self._index.similar(one.value):
                    # As with videos: 0 stands for the same bytes.
                    yield i, self._known[place], max(1, round(256 * error))


def _videos(looked: Sequence[ContentHash]) -> list[list[tuple[int, str]]]:
    """Return each video's frames that count, as place and value."""
    videos: dict[str, dict[str, int]] = {}
    for i, one in enumerate(looked):
        counts = one.algorithm == "pdq" and (one.quality or 0) >= PDQ_MIN_QUALITY
        if counts and one.video is not None:
            videos.setdefault(one.video, {}).setdefault(one.value, i)
    return [[(i, value) for value, i in frames.items()] for frames in videos.values()]
