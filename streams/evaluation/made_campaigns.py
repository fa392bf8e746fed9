"""Makes campaigns of several kinds, and whole traffic with them in it."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from random import Random
from typing import Any, Final, Literal

import yaml

from streams.evaluation import ordinary_texts
from streams.evaluation.campaign_traffic import (
    DAYS,
    MadeUpload,
    edited_cover,
    new_cover,
)
from streams.evaluation.look_alikes import DAY_S, Ordinary

CAMPAIGN_SHARE: Final = 0.02  # Of all uploads, as the issue asks …
UPLOADS_A_CAMPAIGN: Final = 50  # … in 40 campaigns of 100,000.
LEAST_UPLOADS: Final = 12
KINDS: Final = ("paraphrase", "artist_swap", "cover", "sound", "speech", "text")
Messages = Literal["tuning", "report"]
# An uploader alone is a campaign only by copying the content itself, and fast.
_ALONE: Final = frozenset({"sound", "speech", "text"})


@dataclass(frozen=True, slots=True)
class _Plan:
    number: int
    kind: str
    by: str  # many, few or one.
    tempo: str  # drip or burst.
    uploads: int
    message: Mapping[str, Any]


def traffic(seed: int, uploads: int, messages: Messages) -> list[MadeUpload]:
    """Return labelled uploads in order of time; the same seed gives the same.

    Args:
        seed: of everything that is drawn.
        uploads: how many, from 1,000 on.
        messages: what campaigns say; `report` are kept for figures.
    """
    rng = Random(seed)
    phrases = _phrases(messages)
    ordinary = Ordinary(rng, Random(messages), phrases)
    made = [
        upload
        for plan in _plans(rng, uploads, phrases["messages"])
        for upload in _campaign(plan, ordinary)
    ]
    while len(made) < uploads:
        made.extend(itertools.islice(ordinary.any_of(), uploads - len(made)))
    return sorted(made, key=lambda upload: upload.at_s)


def _phrases(messages: Messages) -> Mapping[str, Sequence[Any]]:
    file = files("streams.evaluation") / "campaign_messages.yaml"
    known: Mapping[str, Sequence[Any]] = yaml.safe_load(file.read_text("utf-8"))
    return known[messages]  # type: ignore[return-value]


def _plans(rng: Random, uploads: int, known: Sequence[Any]) -> Iterator[_Plan]:
    total = uploads * CAMPAIGN_SHARE
    count = max(2, round(total / UPLOADS_A_CAMPAIGN))
    weights = [rng.lognormvariate(0, 0.6) for _ in range(count)]
    for number, weight in enumerate(weights):
        kind = KINDS[number % len(KINDS)]
        lap = number // len(KINDS)
        by = ("many", "few", "many")[lap % 3]
        tempo = ("burst", "drip")[(number + lap) % 2]
        if kind in _ALONE and lap % 4 == 1:
            by, tempo = "one", "burst"
        size = max(LEAST_UPLOADS, round(total * weight / sum(weights)))
        message = known[rng.randrange(len(known))]
        yield _Plan(number, kind, by, tempo, size, message)


def _campaign(plan: _Plan, ordinary: Ordinary) -> Iterator[MadeUpload]:
    rng = ordinary.rng
    accounts = {"many": plan.uploads, "few": rng.randint(6, 10), "one": 1}[plan.by]
    names = [f"s{plan.number}-{at}" for at in range(accounts)]
    fixed = {
        "name": ordinary_texts.name(rng),
        "brand": f"{rng.choice('BDFKLMNPRTVZ')}o{rng.choice('bdklmnrtvxz')}a"
        f"{rng.choice(('pay', 'max', 'hub', 'box', 'prime', 'zone'))}",
        "code": f"{rng.choice('ABCDEFGH')}{rng.randint(10, 99)}X",
    }
    cover, sound = new_cover(rng), ordinary.sound()
    for copy, at_s in enumerate(_times(plan, rng)):
        slots = dict(fixed)
        if plan.kind == "artist_swap":
            slots["name"] = ordinary_texts.name(rng)
        base = MadeUpload(
            at_s=at_s,
            uploader=names[copy] if plan.by == "many" else rng.choice(names),
            kind=plan.kind,
            campaign=plan.number,
        )
        yield _shaped(base, plan, slots, ordinary, cover, sound, copy)


def _times(plan: _Plan, rng: Random) -> list[float]:
    length_s = rng.uniform(0.5, 6) * 3600
    if plan.by == "one":
        length_s = rng.uniform(0.2, 1) * 3600
    if plan.tempo == "drip":
        length_s = rng.uniform(8, 25) * DAY_S
    started = rng.random() * (DAYS * DAY_S - length_s)
    return sorted(started + rng.random() * length_s for _ in range(plan.uploads))


def _shaped(
    base: MadeUpload,
    plan: _Plan,
    slots: dict[str, str],
    ordinary: Ordinary,
    cover: bytes,
    sound: int,
    copy: int,
) -> MadeUpload:
    """Give an upload what its kind of campaign keeps and what it varies."""
    rng, message = ordinary.rng, plan.message
    any_title = rng.choice(message["titles"]).format(**slots)
    any_lines = tuple(rng.choice(line).format(**slots) for line in message["lines"])
    script = tuple(line[0].format(**slots) for line in message["lines"])
    own_sound = ordinary.sound() if rng.random() < 0.7 else 0
    edited = edited_cover(cover, rng)
    if plan.kind == "paraphrase":
        return replace(
            base, title=any_title, body=any_lines, cover=edited, sound=own_sound
        )
    if plan.kind == "artist_swap":
        title = message["titles"][0].format(**slots)
        own = new_cover(rng)
        return replace(base, title=title, body=script, cover=own, sound=own_sound)
    if plan.kind == "cover":
        body = ordinary.sentences(1, 3) if rng.random() < 0.5 else ()
        return replace(base, title=any_title, body=body, cover=edited, sound=own_sound)
    if plan.kind == "sound":
        return replace(
            base,
            title=any_title,
            body=ordinary.sentences(1, 3),
            cover=new_cover(rng),
            sound=sound,
            sound_copy=copy,
        )
    noisy = tuple(_with_slip(line, rng) for line in script)
    if plan.kind == "speech":
        return replace(
            base,
            title=ordinary.title(),
            speech=noisy,
            cover=new_cover(rng),
            sound=ordinary.sound(),
        )
    return replace(base, body=noisy)


def _with_slip(line: str, rng: Random) -> str:
    """Return a line with one word dropped or doubled, or as it is."""
    words = line.split()
    at = rng.randrange(len(words))
    slip = rng.choice(("none", "drop", "double"))
    if slip == "drop":
        del words[at]
    elif slip == "double":
        words.insert(at, words[at])
    return " ".join(words)
