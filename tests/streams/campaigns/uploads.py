"""Builders of uploads as campaigns see them."""

import copy
from functools import cache
from random import Random

from streams.campaigns import Campaigns, Traits
from streams.campaigns.bounds import WARM_UPLOADS
from streams.campaigns.rarity import Rarity
from streams.campaigns.traits import SOUND_ITEMS, TextTrait, word_pairs, words_of

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
SCAM = (
    "Enter the secret word on our page before midnight and receive the unreleased "
    "album of the band together with a signed poster and free tickets"
)


def bits(seed: int | str, flipped: int = 0) -> bytes:
    """Return 32 bytes, with so many bits flipped; equal seeds are alike."""
    value = Random(seed).getrandbits(256)
    for bit in Random(f"{seed} {flipped}").sample(range(256), flipped):
        value ^= 1 << bit
    return value.to_bytes(32, "big")


def a_text(text: str, flipped: int = 0) -> TextTrait:
    """Return a text whose embedding's signature differs in so many bits."""
    return TextTrait(bits(text, flipped), word_pairs(words_of(text)))


def a_sound(seed: int) -> bytes:
    """Return the items of a sound."""
    items = sorted(Random(seed).sample(range(1, 1 << 32), SOUND_ITEMS))
    return b"".join(item.to_bytes(4, "little") for item in items)


def an_upload(number: int, uploader: object = None, **fields) -> Traits:
    """Return the upload of that number; by an uploader of its own if none is named."""
    at_ms = fields.pop("at_ms", number * HOUR_MS * 5)
    uploader = number if uploader is None else uploader
    return Traits((f"c{number}", 0), f"u{uploader}", at_ms, **fields)


def own_words(number: int, words: int = 5) -> str:
    """Return words that no other number has."""
    rng = Random(number)
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join("".join(rng.choices(letters, k=6)) for _ in range(words))


def ordinary(number: int, rng: Random) -> Traits:
    """Return an upload that is like no other."""
    words = own_words(rng.getrandbits(60), 30).split()
    return an_upload(
        number,
        at_ms=0,
        title=a_text(" ".join(words[:4])),
        body=a_text(" ".join(words[4:])),
        cover=bits(rng.getrandbits(64)),
        sound=a_sound(rng.getrandbits(64)),
    )


def campaigns(warm: bool = True, **fields) -> Campaigns:
    """Return what finds campaigns; it knows by now what is rare."""
    settings = {"window_ms": 30 * DAY_MS, "most_uploads": 3000, "most_members": 100}
    made = Campaigns(**(settings | fields))
    if warm:
        made._rarity = copy.deepcopy(_warmed())
    return made


@cache
def _warmed() -> Rarity:
    rarity, rng = Rarity(), Random(1)
    for number in range(WARM_UPLOADS):
        rarity.count(f"w{number}", 0.0, ordinary(number, rng).body.pairs)
    return rarity
