"""Makes ordinary uploads, among them those that look like campaigns and are none."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Final

from streams.evaluation import ordinary_texts
from streams.evaluation.campaign_traffic import DAYS, MadeUpload, new_cover

# What many write: greetings, as title and text, and boilerplates.
Phrases = Mapping[str, Sequence[Any]]
DAY_S: Final = 86_400.0
UPLOADERS: Final = 30_000
_INTROS: Final = (
    "Intro",
    "Outro",
    "Untitled",
    "Demo",
    "Freestyle",
    "Interlude",
    "Test",
)


class Ordinary:
    """What ordinary uploads draw from; the same seed draws the same."""

    def __init__(self, rng: Random, pool: Random, phrases: Phrases) -> None:
        """Prepare.

        Args:
            rng: draws uploads.
            pool: writes the texts that they choose from; one seed of it is one pool,
                so that several streams need its texts embedded only once.
            phrases: what many write.
        """
        self.rng = rng
        self._phrases = phrases
        # In 100,000 uploads a sentence returns about sixty times, among others.
        self._sentences = [ordinary_texts.sentence(pool) for _ in range(4000)]
        self._titles = [ordinary_texts.title(pool) for _ in range(2500)]
        self._shows = self._titles[:120]
        self._songs = [
            (ordinary_texts.title(pool), ordinary_texts.name(pool), new_cover(rng))
            for _ in range(60)
        ]
        self._remixers = [ordinary_texts.name(pool) for _ in range(12)]
        self._default_covers = [new_cover(rng) for _ in range(5)]
        self._trends = [rng.getrandbits(60) for _ in range(20)]
        self._sounds = itertools.count(1)

    def uploader(self) -> str:
        """Return one of the uploaders; a thousand of them make a fifth of all."""
        busy = self.rng.random() < 0.2
        return f"u{self.rng.randrange(1000 if busy else UPLOADERS)}"

    def sound(self) -> int:
        """Return a sound that nobody had before."""
        return next(self._sounds)

    def title(self) -> str:
        """Return an ordinary title; some come again."""
        return self.rng.choice(self._titles)

    def sentences(self, least: int, most: int) -> tuple[str, ...]:
        """Return ordinary sentences."""
        return tuple(self.rng.choices(self._sentences, k=self.rng.randint(least, most)))

    def time(self) -> float:
        """Return any moment, in seconds from the start."""
        return self.rng.random() * DAYS * DAY_S

    def any_of(self) -> Iterator[MadeUpload]:
        """Yield one ordinary upload, or a few that belong together."""
        (kind,) = self.rng.choices(list(_KINDS), [w for w, _ in _KINDS.values()])
        yield from _KINDS[kind][1](self)

    def _plain(self, kind: str = "plain", **fields: object) -> MadeUpload:
        rng = self.rng
        made: dict[str, object] = {
            "at_s": self.time(),
            "uploader": self.uploader(),
            "kind": kind,
            "title": self.title(),
            "body": self.sentences(2, 4) if rng.random() < 0.6 else (),
            "speech": self.sentences(3, 6) if rng.random() < 0.25 else (),
            "cover": new_cover(rng) if rng.random() < 0.7 else b"",
            "sound": self.sound() if rng.random() < 0.8 else 0,
        }
        return MadeUpload(**(made | fields))  # type: ignore[arg-type]

    def _one(self) -> Iterator[MadeUpload]:
        yield self._plain()

    def _series(self) -> Iterator[MadeUpload]:
        """Give a show's episodes: one cover, one template, one boilerplate."""
        show, host = self.rng.choice(self._shows), self.uploader()
        cover, about = new_cover(self.rng), self.sentences(2, 2)
        bulk = self.rng.random() < 0.2  # An audiobook's chapters come at once.
        started = self.time()
        word = self.rng.choice(("Episode", "Chapter"))
        for number in range(1, self.rng.randint(4, 16)):
            at_s = started + number * (20 if bulk else DAY_S / 2)
            if at_s < DAYS * DAY_S:
                yield self._plain(
                    "series",
                    at_s=at_s,
                    uploader=host,
                    title=f"{show}: {word} {number}",
                    body=(*about, *self.sentences(0, 1)),
                    speech=self.sentences(3, 6),
                    cover=cover,
                    sound=self.sound(),
                )

    def _remix(self) -> Iterator[MadeUpload]:
        song, artist, cover = self.rng.choice(self._songs)
        made_by = self.rng.choice(self._remixers)
        title = self.rng.choice(
            (
                f"{song} ({made_by} Remix)",
                f"{artist} - {song} (slowed + reverb)",
                f"{artist} - {song} (sped up)",
                f"{song} - {artist} cover by {made_by}",
            )
        )
        own = cover if self.rng.random() < 0.1 else new_cover(self.rng)
        yield self._plain("remix", title=title, cover=own, sound=self.sound())

    def _intro(self) -> Iterator[MadeUpload]:
        cover = self.rng.choice((b"", new_cover(self.rng), *self._default_covers))
        title = self.rng.choice(_INTROS)
        if self.rng.random() < 0.3:
            title += f" {self.rng.randint(1, 9)}"
        yield self._plain("intro", title=title, cover=cover)

    def _season(self) -> Iterator[MadeUpload]:
        """Give a greeting; most come in the season's three days."""
        title, wish = self.rng.choice(self._phrases["greetings"])
        peak = self.rng.gauss(24, 1) if self.rng.random() < 0.8 else self.time() / DAY_S
        stock = self.rng.choice(self._default_covers)
        yield self._plain(
            "season",
            at_s=min(max(peak, 0.0), DAYS - 0.01) * DAY_S,
            title=title,
            body=(wish,),
            cover=stock if self.rng.random() < 0.1 else new_cover(self.rng),
        )

    def _boilerplate(self) -> Iterator[MadeUpload]:
        yield self._plain(
            "boilerplate", body=(self.rng.choice(self._phrases["boilerplates"]),)
        )

    def _fan(self) -> Iterator[MadeUpload]:
        """Give one upload that its uploader sends again and again."""
        first = self._plain("fan", sound=self.sound(), at_s=self.time() * 0.97)
        for number in range(self.rng.randint(2, 6)):
            yield self._plain(
                "fan",
                at_s=first.at_s + number * self.rng.random() * DAY_S / 8,
                uploader=first.uploader,
                title=first.title,
                body=first.body,
                speech=first.speech,
                cover=first.cover,
                sound=first.sound,
                sound_copy=number,
            )

    def _collab(self) -> Iterator[MadeUpload]:
        """Give one track that two or three artists release together."""
        first = self._plain("collab", sound=self.sound())
        for _ in range(self.rng.randint(2, 3)):
            yield self._plain(
                "collab",
                at_s=first.at_s + self.rng.random() * 60,
                title=first.title,
                body=first.body,
                speech=first.speech,
                cover=first.cover,
                sound=first.sound,
            )

    def _trend(self) -> Iterator[MadeUpload]:
        """Give a video with the song of the week."""
        copy = self.rng.getrandbits(30)
        song = self.rng.choice(self._trends)
        yield self._plain("trend", sound=song, sound_copy=copy)


# Name, weight and maker; a weight is of draws, and a series is many uploads a draw.
_Make = Callable[[Ordinary], Iterator[MadeUpload]]
_KINDS: Final[dict[str, tuple[float, _Make]]] = {
    "plain": (0.60, Ordinary._one),
    "series": (0.025, Ordinary._series),
    "remix": (0.09, Ordinary._remix),
    "intro": (0.06, Ordinary._intro),
    "season": (0.06, Ordinary._season),
    "boilerplate": (0.09, Ordinary._boilerplate),
    "fan": (0.006, Ordinary._fan),
    "collab": (0.005, Ordinary._collab),
    "trend": (0.02, Ordinary._trend),
}
