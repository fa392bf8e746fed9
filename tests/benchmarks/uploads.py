"""Uploads as the bench sends them: texts alike and unlike, each by an uploader."""

import random
from collections.abc import Sequence
from dataclasses import replace

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.records import ContentIngested, Kind, MediaRef
from streams.messages import Output
from tests.builders import an_event

CODEC = Codec(CommittedIds())
WORDS = ("river", "night", "phone", "bread", "train", "summer", "win", "code", "door")
# Of ten uploads in a flood of spam, as the row's name says.
NEW_IN_TEN = 3


def texts(count: int, offset: int = 0) -> list[str]:
    """Make distinct texts of 3 to 40 words."""
    return [
        " ".join(WORDS[(n * 7 + i * 4) % len(WORDS)] for i in range(3 + n % 38))
        + f" {n}"
        for n in range(offset, offset + count)
    ]


def repeating_texts(count: int, offset: int) -> list[str]:
    """Make texts of which 70 % are copies of earlier ones: 50 % exact, 20 % near.

    A near copy has other capitals and spaces, the cheapest disguises.
    """
    lots = random.Random(offset)
    new = iter(texts(count, offset))
    made: list[str] = []
    for n in range(count):
        place = n % 10
        if place < NEW_IN_TEN or not made:
            made.append(next(new))
        else:
            earlier = lots.choice(made)
            made.append(earlier if place < 8 else f"  {earlier.upper()} ")
    return made


def uploads(name: str, titles: Sequence[str]) -> list[ContentIngested]:
    """Make an upload of each title; every one by an uploader of its own.

    So none goes over an uploader's rate, and each history holds one upload.
    """
    return [
        an_event(f"{name}-{n}", uploader_id=f"{name}-u{n}", texts=(("title", title),))
        for n, title in enumerate(titles)
    ]


def with_sound(upload: ContentIngested, uri: str) -> ContentIngested:
    """Return an upload as an episode that carries a sound file."""
    sound = MediaRef(role="audio", uri=uri)
    return replace(upload, kind=Kind.PODCAST_EPISODE, media=(sound,))


def output(topic: str, upload: ContentIngested, partition: int | None = None) -> Output:
    """Return an upload as a record."""
    key = upload.content_id.encode()
    return Output(topic, key, CODEC.encode(upload), partition=partition)
