"""Made-up uploaders with ordinary habits, and how often scorers find them unusual.

    python -m tests.streams.scorers.ordinary_uploaders [UPLOADERS] [SEED]

prints, for each kind of uploader and each scorer, the share of uploads that reach the
shipped policy's mildest threshold. Their habits have what ordinary ones have: late
nights, holidays, trailers, bonus episodes, albums, remixes, a title with a link.
"""

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from schemas.records import ContentSignals, Kind, MediaFact, UploaderHistory
from streams.history import remember
from streams.scorers.dormancy import Dormancy
from streams.scorers.habits import Habits
from streams.scorers.pattern import PatternScorer
from streams.settings import default_policy
from streams.wiring import read_policy
from tests.builders import a_decision, an_event, signals

START = datetime(2024, 1, 1, tzinfo=UTC)  # A Monday.
WORDS = (
    *("night", "river", "gold", "paper", "train", "summer", "echo", "glass", "stone"),
    *("light", "winter", "dance", "home", "road", "fire", "ocean", "dream", "city"),
    *("moon", "letter", "garden", "silver", "rain", "shadow"),
)
SCORERS = (Habits(), Dormancy(), PatternScorer())
Upload = tuple[datetime, Kind, str, float]  # When, what, title, seconds.


def _at(rng: random.Random, day: int, hour: float, spread_h: float) -> datetime:
    return START + timedelta(days=day, hours=rng.gauss(hour, spread_h))


def _words(rng: random.Random, most: int = 4) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, most))).title()


def weekly_podcast(rng: random.Random) -> Iterator[Upload]:
    """Tuesday morning, sometimes a day late; trailers, bonus episodes, a break."""
    day, hour, length = rng.randrange(7), rng.uniform(4, 20), rng.uniform(900, 5400)
    for week in range(104):
        if week % 52 in (30, 31, 32, 33, 51):
            continue
        late = rng.choices((0, 1, 2), (0.85, 0.1, 0.05))[0]
        when = _at(rng, 7 * week + day + late, hour, 0.7)
        title = f"#{week + 1} - {_words(rng, 6)}"
        if rng.random() < 0.05:
            title = rng.choice(("Bonus: ", "Best of: ")) + _words(rng, 6)
        yield when, Kind.PODCAST_EPISODE, title, length * rng.lognormvariate(0, 0.2)
        if rng.random() < 0.04:
            extra = _at(rng, 7 * week + day + 3, hour, 3)
            yield extra, Kind.PODCAST_EPISODE, "Trailer: " + _words(rng), 90.0


def nightly_poster(rng: random.Random) -> Iterator[Upload]:
    """One or two videos most nights, later at weekends."""
    hour = rng.uniform(20, 26)
    for day in range(360):
        if rng.random() < 0.25:
            continue
        later = 1.5 if day % 7 in (4, 5) else 0.0
        for _ in range(rng.choice((1, 1, 2))):
            title = _words(rng, 7).lower() + rng.choice(("", "", "!", " (part 2)"))
            length = rng.lognormvariate(5, 0.7)
            yield _at(rng, day, hour + later, 1.2), Kind.VIDEO, title, length


def batch_label(rng: random.Random) -> Iterator[Upload]:
    """A batch each working day at office hours; a big one now and then."""
    hour = rng.uniform(7, 16)
    for day in range(250):
        if day % 7 > 4 or rng.random() < 0.05:
            continue
        for _ in range(40 if rng.random() < 0.04 else rng.randint(5, 20)):
            title = f"{_words(rng, 2)} - {_words(rng)}"
            title += rng.choice(("", "", "", " (Remix)", " (Live)", " [feat. Echo]"))
            length = rng.lognormvariate(5.35, 0.25)
            yield _at(rng, day, hour, 1), Kind.TRACK, title, length


def hobbyist(rng: random.Random) -> Iterator[Upload]:
    """Now and then in the evening or at a weekend; everything varies."""
    day = 0.0
    while day < 1400:
        day += rng.expovariate(1 / 12)
        weekend = int(day) % 7 > 4
        when = _at(rng, int(day), 15 if weekend else 20, 3 if weekend else 1.5)
        title = _words(rng, 5)
        title = rng.choice((title, title.lower(), title.upper(), title + " v2"))
        if rng.random() < 0.02:
            title += " www.example.com"
        yield when, Kind.TRACK, title, rng.lognormvariate(5.2, 0.5)


def album_artist(rng: random.Random) -> Iterator[Upload]:
    """Singles every some months, and an album after a year or two of little."""
    for album in range(6):
        first = 500 * album + rng.randrange(90)
        for single in range(rng.randint(0, 4)):
            day = first + 45 * single
            yield _at(rng, day, 12, 2), Kind.TRACK, _words(rng), 210.0
        for _ in range(rng.randint(8, 18)):
            title, length = _words(rng), rng.lognormvariate(5.3, 0.3)
            yield _at(rng, first + 250, 14, 2), Kind.TRACK, title, length


KINDS: tuple[Callable[[random.Random], Iterator[Upload]], ...] = (
    weekly_podcast,
    nightly_poster,
    batch_label,
    hobbyist,
    album_artist,
)


def uploads_of(
    kind: Callable[[random.Random], Iterator[Upload]], seed: int
) -> Iterator[ContentSignals]:
    """Return one uploader's uploads in the order they came."""
    rng = random.Random(f"{kind.__name__} {seed}")
    for number, (when, what, title, length_s) in enumerate(sorted(kind(rng))):
        yield an_upload(f"c{number}", when, what, title, length_s)


def an_upload(
    content_id: str, when: datetime, kind: Kind, title: str, length_s: float
) -> ContentSignals:
    """Build the signals of an upload with sound."""
    sound = MediaFact("audio", "audio/flac", 1, "", True, length_s)
    event = an_event(content_id, event_time=when, kind=kind, texts=(("title", title),))
    return signals(event=event, media=(sound,))


def after(history: UploaderHistory, upload: ContentSignals) -> UploaderHistory:
    """Remember an upload that was allowed."""
    return remember(history, upload, a_decision(upload), b"")


def alarms(
    kind: Callable[[random.Random], Iterator[Upload]], uploaders: int, seed: int = 0
) -> Counter[str]:
    """Count the uploads, and by scorer those that reach the mildest threshold."""
    policy = read_policy(default_policy())
    mildest: dict[str, float] = {}
    for rule in policy.rules:
        mildest[rule.name] = min(rule.threshold, mildest.get(rule.name, 1.0))
    counts: Counter[str] = Counter()
    for number in range(uploaders):
        history = UploaderHistory("u1")
        for upload in uploads_of(kind, seed + number):
            counts["uploads"] += 1
            for scorer in SCORERS:
                given = scorer.score(upload, history)
                counts[scorer.name] += given[0].value >= mildest[scorer.name]
            history = after(history, upload)
    return counts


def main() -> None:
    """Print a line for each kind of uploader."""
    uploaders, seed = (*map(int, sys.argv[1:]), *(100, 0)[len(sys.argv) - 1 :])
    for kind in KINDS:
        counts = alarms(kind, uploaders, seed)
        shares = (f"{s.name} {counts[s.name] / counts['uploads']:.3%}" for s in SCORERS)
        name = kind.__name__
        sys.stdout.write(f"{name}: {counts['uploads']} uploads, {', '.join(shares)}\n")


if __name__ == "__main__":
    main()
