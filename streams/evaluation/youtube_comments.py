"""The time-stamped YouTube comments as a stream: spam in the order it came."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.records import ContentIngested, ContentSignals, Kind, Stage, TextSignal
from streams.evaluation.campaign_traffic import Embed, MadeUpload, as_signals
from streams.evaluation.ordinary_texts import sentence

# Ordinary texts that come before, so that it is known which words are common; 1,138
# comments are too few to tell.
_BEFORE: Final = 2_000
_WARM_YEARS: Final = 1000


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment and its label."""

    comment_id: str
    author: str
    at: datetime
    text: str
    is_spam: bool


def read_comments(folder: Path) -> list[Comment]:
    """Read the comments of all videos, in order of time."""
    found = []
    for path in sorted(folder.glob("Youtube*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            found += [
                Comment(
                    row["comment_id"],
                    row["author_hash"],
                    datetime.fromisoformat(row["date"]).replace(tzinfo=UTC),
                    unescape(row["text"]).strip("\ufeff "),
                    row["label"] == "spam",
                )
                for row in csv.DictReader(lines)
            ]
    return sorted(found, key=lambda comment: (comment.at, comment.comment_id))


def comment_signals(comments: Sequence[Comment], embed: Embed) -> list[ContentSignals]:
    """Return comments as uploads that are only text."""
    vectors = embed([comment.text for comment in comments])
    return [
        ContentSignals(
            event=ContentIngested(
                content_id=comment.comment_id,
                uploader_id=comment.author,
                kind=Kind.UNKNOWN,
                event_time=comment.at,
            ),
            stage=Stage.COMPLETE,
            texts=(TextSignal("comment", comment.text, row.astype("<f4").tobytes()),),
        )
        for comment, row in zip(comments, vectors, strict=True)
    ]


def ordinary_before(comments: Sequence[Comment], seed: int) -> list[ContentSignals]:
    """Return ordinary texts of long before, which no comment meets."""
    rng = Random(seed)
    made = [
        MadeUpload(at_s=0.0, uploader=f"o{n}", kind="plain", body=(sentence(rng),))
        for n in range(_BEFORE)
    ]
    long_ago = comments[0].at - timedelta(days=365 * _WARM_YEARS)
    return [
        ContentSignals(
            event=ContentIngested(
                s.event.content_id, s.event.uploader_id, s.event.kind, long_ago
            ),
            stage=s.stage,
            texts=s.texts,
        )
        for s in as_signals(made, _unread)
    ]


def _unread(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed nothing: only the words of these texts count."""
    return np.zeros((len(texts), 1), np.float32)
