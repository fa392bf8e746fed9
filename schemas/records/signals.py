"""What is known about an upload before it is judged."""

from dataclasses import dataclass
from datetime import datetime

from schemas.records.event import ContentIngested
from schemas.records.words import Category, Stage


@dataclass(frozen=True, slots=True)
class Missing:
    """A signal that should be there and is not, and why."""

    signal: str  # transcript:audio, hash:cover, text:title, event_time, …
    reason: str  # A reason code, then details: "not_found", "undecodable: …".


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model that was really used."""

    role: str  # text, speech, text_risk, …
    name: str
    sha256: str  # Of its weights, lower-case hex.


@dataclass(frozen=True, slots=True)
class TextSignal:
    """One piece of text and its embedding.

    `source` is the text's name in the event (title, lyrics, …) or `transcript:ROLE`.
    A long text gives several, on sentence bounds. `embedding` is float32 little-endian,
    unit length, empty where no embedding could be made. Character ranges count code
    points of the whole text; for speech they are None and the seconds are set.
    `normalised` is what the models read, where that is not `text`: disguises undone.
    """

    source: str
    text: str
    embedding: bytes = b""
    start_char: int | None = None
    end_char: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    normalised: str | None = None
    evasion: float = 0.0  # In [0, 1]: the share of the whole text's words in disguise.
    # ISO 639-1; und- and a script of ISO 15924 where only that is sure, else None.
    language: str | None = None


@dataclass(frozen=True, slots=True)
class MediaHash:
    """A hash of one piece of media, or of one frame of it."""

    role: str
    algorithm: str  # sha256, pdq or chromaprint.
    value: str  # Lower-case hex; a chromaprint's items have 8 digits each.
    quality: int | None = None  # PDQ: 0..100; below 50 the hash says little.
    frame_s: float | None = None  # Video: where the key frame stands.


@dataclass(frozen=True, slots=True)
class BankMatch:
    """A hash found in a bank of known ones."""

    role: str
    bank: str
    entry_id: str
    category: Category
    algorithm: str
    distance: int  # Bits of 256 that differ; 0 for exact hashes.
    frame_s: float | None = None


@dataclass(frozen=True, slots=True)
class PictureSignal:
    """One picture, or one key frame of a video, as a model sees it."""

    role: str
    model: str
    embedding: bytes  # float32 little-endian, unit length.
    frame_s: float | None = None


@dataclass(frozen=True, slots=True)
class PictureLabel:
    """What a classifier takes a picture or a key frame for."""

    role: str
    model: str
    label: str
    probability: float  # In [0, 1].
    frame_s: float | None = None


@dataclass(frozen=True, slots=True)
class MediaFact:
    """What decoding told about one piece of media."""

    role: str
    mime: str  # As found in the bytes, not as claimed.
    size_bytes: int
    sha256: str
    has_audio: bool = False  # There is a sound track to transcribe.
    duration_s: float | None = None
    width_px: int | None = None
    height_px: int | None = None


@dataclass(frozen=True, slots=True)
class GatedSpan:
    """A stretch of sound whose words were not believed, and why; never the words.

    `reason` is no_speech, unsure, repetitive, no_voice or empty.
    """

    start_s: float
    end_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What speech recognition heard in one piece of media."""

    role: str
    model: str
    language: str | None
    segments: int  # How many TextSignals with source `transcript:ROLE` there are.
    duration_s: float
    gated: tuple[GatedSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class SweptEntry:
    """A bank entry that came after the upload it matches."""

    bank: str
    entry_id: str


@dataclass(frozen=True, slots=True)
class CampaignFact:
    """The campaign an upload is in, as it was when the upload was told."""

    campaign_id: str  # UUIDv5 of its first upload.
    value: float  # In [0, 1]; higher is surer and larger.
    uploads: int
    uploaders: int  # Distinct ones.
    first_seen: datetime  # Of its uploads, by event time.
    last_seen: datetime
    # title, body, speech, cover, sound, file; the commonest first.
    alike: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StageTime:
    """How long a stage worked on an upload."""

    stage: str
    ms: float


@dataclass(frozen=True, slots=True)
class ContentSignals:
    """Everything the models found in an upload; replay starts here, without media."""

    event: ContentIngested
    stage: Stage
    texts: tuple[TextSignal, ...] = ()
    media: tuple[MediaFact, ...] = ()
    hashes: tuple[MediaHash, ...] = ()
    matches: tuple[BankMatch, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    missing: tuple[Missing, ...] = ()
    models: tuple[ModelUse, ...] = ()
    stage_times: tuple[StageTime, ...] = ()
    provisional_sent: bool = False  # SCREENED signals of this revision were judged too.
    pictures: tuple[PictureSignal, ...] = ()
    labels: tuple[PictureLabel, ...] = ()  # The likeliest of each picture.
    sweep: tuple[SweptEntry, ...] = ()  # What was swept; sorted.
    campaign: CampaignFact | None = None  # CAMPAIGN, and SWEPT after it.
