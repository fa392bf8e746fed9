"""One frozen value per thing that crosses the wire; field names equal the schemas'.

START READING HERE: an event (`ContentIngested`) becomes `ContentSignals`, and those
become a `RiskDecision`. The codec turns each into bytes and back.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What was uploaded."""

    TRACK = "TRACK"
    PODCAST_EPISODE = "PODCAST_EPISODE"
    AUDIOBOOK = "AUDIOBOOK"
    COVER_ART = "COVER_ART"
    VIDEO = "VIDEO"
    LYRICS = "LYRICS"
    TITLE = "TITLE"
    PROFILE = "PROFILE"
    UNKNOWN = "UNKNOWN"


class Stage(StrEnum):
    """How much of an upload the signals cover."""

    SCREENED = "SCREENED"  # The cheap signals; speech is still to be transcribed.
    COMPLETE = "COMPLETE"  # Everything that will be known.
    SWEPT = "SWEPT"  # Complete, with matches of bank entries that came afterwards.
    CAMPAIGN = "CAMPAIGN"  # The last of these, with the campaign it was found to be in.
    UNKNOWN = "UNKNOWN"


class Action(StrEnum):
    """What is done with an upload, from mild to hard; the order is the severity."""

    ALLOW = "ALLOW"
    LABEL = "LABEL"
    AGE_RESTRICT = "AGE_RESTRICT"
    LIMIT = "LIMIT"
    REVIEW = "REVIEW"
    BLOCK = "BLOCK"
    UNKNOWN = "UNKNOWN"


class Category(StrEnum):
    """What kind of harm a score is about."""

    HATE = "HATE"
    HARASSMENT = "HARASSMENT"
    VIOLENT_EXTREMISM = "VIOLENT_EXTREMISM"
    GRAPHIC_VIOLENCE = "GRAPHIC_VIOLENCE"
    SELF_HARM = "SELF_HARM"
    SEXUAL_CONTENT = "SEXUAL_CONTENT"
    CHILD_SAFETY = "CHILD_SAFETY"
    ILLICIT_GOODS = "ILLICIT_GOODS"
    FRAUD_SPAM = "FRAUD_SPAM"
    IMPERSONATION = "IMPERSONATION"
    IP_INFRINGEMENT = "IP_INFRINGEMENT"
    PRIVACY = "PRIVACY"
    OTHER_POLICY = "OTHER_POLICY"
    UNKNOWN = "UNKNOWN"


CATEGORIES: tuple[Category, ...] = tuple(c for c in Category if c != Category.UNKNOWN)


@dataclass(frozen=True, slots=True)
class MediaRef:
    """Where one piece of media lies; the bytes never travel on the stream."""

    role: str  # What it is to the upload: audio, video, cover, …
    uri: str
    mime: str | None = None
    sha256: str | None = None  # Lower-case hex; checked against the bytes when given.
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ContentIngested:
    """An upload as it arrived: the event."""

    content_id: str
    uploader_id: str
    kind: Kind
    event_time: datetime  # Aware, UTC, microseconds.
    event_id: str = ""
    revision: int = 0  # Rises when the same content is uploaded anew.
    texts: tuple[tuple[str, str], ...] = ()  # (name, text), sorted by name.
    media: tuple[MediaRef, ...] = ()
    language: str | None = None  # BCP 47, as the uploader declared it.
    territories: tuple[str, ...] = ()  # ISO 3166-1 alpha-2 where it is to be released.


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


@dataclass(frozen=True, slots=True)
class Evidence:
    """The span that carried a score."""

    source: str  # A text's name, transcript:ROLE, a media role, uploader.
    reason: str
    start_char: int | None = None
    end_char: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """One category of a decision; None where no model covers it or its input lacks."""

    category: Category
    probability: float | None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class AnomalyScore:
    """How unusual an upload is for its uploader."""

    name: str
    value: float  # In [0, 1]; higher is riskier.
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyRef:
    """Which policy decided."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FiredRule:
    """A rule of the policy that held for the upload."""

    rule_id: str
    clause: str  # Of the published platform rules that it stands for; may be empty.
    action: Action


@dataclass(frozen=True, slots=True)
class MarketAction:
    """What to do in one territory, where that is not what to do elsewhere."""

    market: str  # ISO 3166-1 alpha-2.
    action: Action
    clause: str
    strength: float = 1.0
    min_age: int | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class BrakedRule:
    """A rule that must not act by itself on an upload."""

    rule_id: str  # Of an action for something missing: its clause.
    # A reason code, then details: per_hour, per_uploader_per_hour, hit_rate,
    # second_approval.
    reason: str
    action: Action  # What it asks for where it is not held.


@dataclass(frozen=True, slots=True)
class RiskDecision:
    """The word on an upload that other services act on."""

    decision_id: str
    content_id: str
    revision: int
    uploader_id: str
    kind: Kind
    action: Action
    provisional: bool
    supersedes: str | None
    clause: str  # The clause of the policy that fired.
    categories: tuple[CategoryScore, ...]  # Every category, in CATEGORIES' order.
    anomalies: tuple[AnomalyScore, ...]
    campaign_id: str | None
    policy: PolicyRef
    models: tuple[ModelUse, ...]
    missing: tuple[Missing, ...]
    braked: bool
    automated_detection: bool
    automated_decision: bool
    event_time: datetime
    stage_times: tuple[StageTime, ...]
    rules: tuple[FiredRule, ...] = ()  # Every rule that fired, strictest first.
    by_market: tuple[MarketAction, ...] = ()  # Where `action` is not what to do.
    strength: float = 1.0  # Of `limit`: the share of promotion that is taken away.
    min_age: int | None = None  # Of `age_restrict`, in years.
    duration_s: int | None = None  # How long the action stays; None: until revised.
    brakes: tuple[BrakedRule, ...] = ()  # Automatic actions that were held, and why.
    instead_of: Action | None = None  # What would have been done; None: not braked.


@dataclass(frozen=True, slots=True)
class ShadowMarket:
    """What both policies say in one territory, where one of them tells it apart."""

    market: str  # ISO 3166-1 alpha-2.
    live_action: Action
    action: Action


@dataclass(frozen=True, slots=True)
class ShadowDecision:
    """What a candidate would have said, beside the decision that acts; never acted on.

    Scores and evidence are in the live decision, which it names.
    """

    shadow: str  # The candidate's name.
    decision_id: str  # Of the live decision.
    content_id: str
    revision: int
    uploader_id: str
    kind: Kind
    stage: Stage
    event_time: datetime
    live_action: Action
    action: Action
    same_degree: bool  # Action, strength, age, duration: all equal, and everywhere.
    live_clause: str
    clause: str
    # Of the rule that gave the harder of the two actions; None where it reads none.
    category: Category | None
    live_rules: tuple[str, ...]  # Ids of the rules that fired, strictest first.
    rules: tuple[str, ...]
    territories: tuple[str, ...]  # Where it is to be released; empty: anywhere.
    by_market: tuple[ShadowMarket, ...]
    uploads: int | None  # Of the uploader before this one; None: not known here.
    percent: float  # Of uploaders that the candidate is asked about, in (0, 100].
    live_policy: PolicyRef
    policy: PolicyRef
    head: str | None = None  # SHA-256 of the candidate's own risk head.


@dataclass(frozen=True, slots=True)
class RecentUpload:
    """One of an uploader's last uploads, as its history remembers it."""

    content_id: str
    revision: int
    event_time: datetime
    signature: bytes  # 32 bytes: SimHash of the mean embedding; empty if none.
    decision: bytes  # The decision as it was sent; empty once the upload is older.
    learned: bool = True  # False (blocked, provisional, no usable time): not scored on.


@dataclass(frozen=True, slots=True)
class UploaderHistory:
    """What is remembered of an uploader; bounded, and the changelog's record."""

    uploader_id: str
    uploads: int = 0
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    centroid: bytes = b""  # float32 little-endian: running mean of embeddings.
    centroid_uploads: int = 0
    distance_mean: float = 0.0  # Of an upload's cosine distance from the centroid …
    distance_m2: float = 0.0  # … and its sum of squared deviations (Welford).
    recent: tuple[RecentUpload, ...] = ()  # Oldest first.
    judged: bytes = (
        b""  # 8-byte digests of (content_id, revision, stage), oldest first.
    )
    active_days: bytes = b""  # 12-byte rows of `streams.active_days`, oldest first.
    patterns: bytes = b""  # 19-byte rows of `streams.upload_pattern`, oldest first.


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One known hash of a bank that is kept on a topic."""

    bank: str  # 1 to 64 letters, digits, dots, dashes and underscores.
    entry_id: str
    algorithm: str  # sha256, pdq, vpdq or chromaprint.
    value: str  # Lower-case hex.
    category: Category
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file of a policy."""

    path: str  # Within the folder.
    text: str


@dataclass(frozen=True, slots=True)
class PolicyActivation:
    """The policy that judges from here on, with all that its hash is over."""

    policy_id: str
    version: str
    sha256: str
    is_folder: bool  # Else it is one file.
    files: tuple[PolicyFile, ...]
    activated_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class BrakeDay:
    """One day of a `BrakeCount`."""

    day: int  # Days since 1970, of event times.
    uploads: int  # Of a rule: on that day. Of the partition: before that day.
    hits: int = 0


@dataclass(frozen=True, slots=True)
class BrakeUploader:
    """How often a rule acted on one uploader in the hour."""

    uploader_id: str
    acted: int


@dataclass(frozen=True, slots=True)
class BrakeCount:
    """What the brakes count in one partition: of a rule, or of all uploads."""

    rule_id: str  # Empty: of all uploads of the partition.
    hour: int  # Since 1970, of event times.
    uploads: int = 0  # Of a rule: up to its last hit.
    days: tuple[BrakeDay, ...] = ()  # Oldest first.
    acted: int = 0  # In the hour.
    by_uploader: tuple[BrakeUploader, ...] = ()
    evidence: tuple[float, ...] = ()  # As in `streams.hit_rate`.
    held_until_hour: int | None = None
