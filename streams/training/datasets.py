"""Read the shared data sets as examples: which label of theirs is which of ours.

A label that a set does not speak about stays unknown (masked), never 0.
"""

import csv
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from schemas.records import Category
from streams.training.examples import NOTHING, Example

# OpenAI's keys to ours (the map of ecosystem.md 3.1). Their key for sexual content
# about minors is not read at all.
OPENAI_KEYS: Final = {
    "S": Category.SEXUAL_CONTENT,
    "H": Category.HATE,
    "V": Category.VIOLENT_EXTREMISM,
    "HR": Category.HARASSMENT,
    "SH": Category.SELF_HARM,
    "V2": Category.GRAPHIC_VIOLENCE,
}
# What a row counts beside a plain label (1.0): by trust, and so that 20,000 tweets
# don't drown 789 prompts. OpenAI: experts' labels, and the only ones of most
# categories. Tweets: three crowd votes after sampling by a hate lexicon.
# HateCheck: eight fillings of each template. MLMA: its README calls the labels noisy.
# YouTube: "spam" there includes fans who name their own channel.
OPENAI_WEIGHT: Final = 1.5
TWEET_WEIGHT: Final = 0.24
OFFENSIVE_EVERY: Final = (
    3  # Of 15,000 tweets that only say "not hate", a third will do.
)
HATECHECK_WEIGHT: Final = 0.8
MLMA_WEIGHT: Final = 0.12
YOUTUBE_WEIGHT: Final = 0.5

_MENTION = re.compile(r"@\w+:?")
_RETWEET = re.compile(r"^[\s!\"]*(?:RT\s+)+")
_TAG = re.compile(r"<[^>]+>")


def clean(text: str) -> str:
    """Undo a crawl's traces: HTML, retweet marks, user names."""
    plain = html.unescape(_TAG.sub(" ", html.unescape(text)))
    plain = _MENTION.sub("@user", _RETWEET.sub("", plain))
    return " ".join(plain.replace("﻿", "").split())


def openai(folder: Path) -> Iterator[Example]:
    """Read the OpenAI moderation prompts: expert labels, a missing key is unknown."""
    path = folder / "openai_moderation" / "half_a.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        labels = {ours: row[key] for key, ours in OPENAI_KEYS.items() if key in row}
        if row.get("H2") == 1:  # Hate with a threat is hate.
            labels[Category.HATE] = 1
        text = " ".join(row["prompt"].split())
        family = f"openai:{row['row']}"
        yield Example(text, labels, "openai", family, OPENAI_WEIGHT)


def davidson(folder: Path) -> Iterator[Example]:
    """Read the tweets: `offensive` is mostly profanity, so it only says "not hate"."""
    for row in _rows(folder / "davidson_tweets" / "train.csv"):
        if row["label"] == "offensive" and int(row["id"]) % OFFENSIVE_EVERY:
            continue
        labels = {Category.HATE: int(row["label"] == "hate")}
        if row["label"] == "neither":
            labels = {**NOTHING}
        family = f"davidson:{row['id']}"
        yield Example(clean(row["text"]), labels, "davidson", family, TWEET_WEIGHT)


def hatecheck(folder: Path) -> Iterator[Example]:
    """Read HateCheck; a direct threat there is also a threat to us."""
    for row in _rows(folder / "hatecheck" / "half_a.csv"):
        labels = {Category.HATE: int(row["label_gold"] == "hateful")}
        if row["functionality"] == "threat_dir_h":
            labels[Category.VIOLENT_EXTREMISM] = 1
        elif row["functionality"].startswith(("ident_", "target_obj")):
            labels = {**NOTHING}
        family = f"hatecheck:{row['case_templ']}"
        text = row["test_case"].strip()
        yield Example(
            text, labels, "hatecheck", family, HATECHECK_WEIGHT, row["functionality"]
        )


def mlma(folder: Path) -> Iterator[Example]:
    """Read MLMA's English tweets: only `hateful` and pure `normal` say something."""
    for row in _rows(folder / "mlma" / "en_dataset.csv"):
        words = row["sentiment"].split("_")
        if words == ["normal"] or "hateful" in words:
            labels = {Category.HATE: int("hateful" in words)}
            family = f"mlma:{row['HITId']}"
            yield Example(clean(row["tweet"]), labels, "mlma", family, MLMA_WEIGHT)


def sms(folder: Path) -> Iterator[Example]:
    """Read text messages: spam and smishing are fraud_spam, ham is ordinary talk."""
    for row in _rows(folder / "sms_smishing" / "train.csv"):
        labels = {Category.FRAUD_SPAM: 1}
        if row["label"] == "ham":
            # Private chat is sometimes sexual or rude, so those two stay unknown.
            unknown = (Category.SEXUAL_CONTENT, Category.HARASSMENT)
            labels = {c: 0 for c in NOTHING if c not in unknown}
        yield Example(clean(row["text"]), labels, "sms", f"sms:{row['row']}")


def youtube(folder: Path) -> Iterator[Example]:
    """Read YouTube comments: spam or not; nothing else is known of them."""
    for path in sorted((folder / "youtube_spam").glob("Youtube*.csv")):
        for row in _rows(path):
            labels = {Category.FRAUD_SPAM: int(row["label"] == "spam")}
            family = f"youtube:{row['comment_id']}"
            text = clean(row["text"])
            yield Example(text, labels, "youtube", family, YOUTUBE_WEIGHT)


DATASETS: Final[tuple[Callable[[Path], Iterator[Example]], ...]] = (
    openai,
    davidson,
    hatecheck,
    mlma,
    sms,
    youtube,
)


def load(folder: Path) -> list[Example]:
    """Read every shared set, in order; empty texts are left out."""
    return [e for read in DATASETS for e in read(folder) if e.text]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)
