"""What may be said: kinds, stages, actions and categories."""

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
