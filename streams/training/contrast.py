"""Fill the team's contrasting lines into examples, seeded: the same list every time.

`groups` and `stories` hold the lines; here each is filled, and some are put among
ordinary sentences, as a bad line stands in a long text.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from schemas.records import Category
from streams.training import everyday, groups, stories
from streams.training.examples import COVERED, NOTHING, Example

SOURCE: Final = "own:contrast"
SEED: Final = 20_261_126
# Of a line; many groups and claims make many different sentences of one frame.
FILLINGS: Final = 10
# Many alike sentences; at full weight they took over from the 789 prompts (inner split:
# sexual content fell by 0.1 average precision). Those on groups speak of hate alone.
STORY_WEIGHT: Final = 0.5
GROUP_WEIGHT: Final = 1.0
MOST_AROUND: Final = 3  # Ordinary sentences before, and after, a line put among them.

Labels = Mapping[Category, int]


def _known(positive: Labels, unknown: frozenset[Category] = frozenset()) -> Labels:
    """Call 0 what is neither positive nor unknown.

    Sexual content is unknown unless positive: that short plain lines have none taught a
    head to look for length.
    """
    known = {c: positive.get(c, 0) for c in COVERED if c not in unknown}
    if Category.SEXUAL_CONTENT not in positive:
        known.pop(Category.SEXUAL_CONTENT, None)
    return known


_NOTHING: Final = _known({})
_UNKNOWN_BESIDE_HATE: Final = frozenset(
    {Category.HARASSMENT, Category.VIOLENT_EXTREMISM}
)
_HATE: Final = _known({Category.HATE: 1}, _UNKNOWN_BESIDE_HATE)
_THREAT: Final = _known(
    {Category.HATE: 1, Category.VIOLENT_EXTREMISM: 1},
    frozenset({Category.HARASSMENT, Category.GRAPHIC_VIOLENCE}),
)
_RUDE: Final = _known({Category.HARASSMENT: 1}, frozenset({Category.VIOLENT_EXTREMISM}))
_NOT_HATE: Final = _known({}, _UNKNOWN_BESIDE_HATE)

# Section, lines, what they are.
GROUP_LINES: Final[tuple[tuple[str, tuple[str, ...], Labels], ...]] = (
    ("agreed", groups.AGREED, _HATE),
    ("affirmed", groups.AFFIRMED, _HATE),
    ("implicit", groups.IMPLICIT, _HATE),
    ("threats", groups.GROUP_THREATS, _THREAT),
    ("slurs", groups.SLURS, _HATE),
    ("denounced", groups.DENOUNCED, _NOTHING),
    ("denied", groups.DENIED, _NOTHING),
    ("neutral", groups.NEUTRAL, _NOTHING),
    ("reclaimed", groups.RECLAIMED, _NOTHING),
    ("others", groups.OTHER_TARGETS, _NOT_HATE),
    ("look_alikes", groups.LOOK_ALIKES, _NOTHING),
    ("personal", groups.PERSONAL, _RUDE),
)
_VIOLENT: Final = Category.VIOLENT_EXTREMISM
STORY_LINES: Final[tuple[tuple[str, tuple[str, ...], Labels], ...]] = (
    (
        "self_harm",
        stories.SELF_HARM,
        _known({Category.SELF_HARM: 1}, frozenset({Category.HARASSMENT, _VIOLENT})),
    ),
    (
        "violence",
        stories.VIOLENCE,
        _known(
            {_VIOLENT: 1},
            frozenset({Category.HARASSMENT, Category.GRAPHIC_VIOLENCE, Category.HATE}),
        ),
    ),
    (
        "graphic",
        stories.GRAPHIC,
        _known({Category.GRAPHIC_VIOLENCE: 1}, frozenset({_VIOLENT})),
    ),
    (
        "harassment",
        stories.HARASSMENT,
        _known(
            {Category.HARASSMENT: 1},
            frozenset({Category.HATE, _VIOLENT, Category.SEXUAL_CONTENT}),
        ),
    ),
    (
        "sexual",
        stories.SEXUAL,
        _known(
            {Category.SEXUAL_CONTENT: 1},
            frozenset({Category.HARASSMENT, Category.FRAUD_SPAM}),
        ),
    ),
    (
        "fraud",
        stories.FRAUD,
        _known({Category.FRAUD_SPAM: 1}, frozenset({Category.SEXUAL_CONTENT})),
    ),
    ("no_self_harm", stories.NO_SELF_HARM, _NOTHING),
    ("no_violence", stories.NO_VIOLENCE, _NOTHING),
    ("no_harassment", stories.NO_HARASSMENT, _NOTHING),
    ("no_sexual", stories.NO_SEXUAL, NOTHING),
    ("no_fraud", stories.NO_FRAUD, _NOTHING),
)


def contrast() -> list[Example]:
    """Return every filled line, alone; and story lines among ordinary sentences too."""
    return [*_group_examples(), *_story_examples()]


def _group_examples() -> Iterator[Example]:
    chance = random.Random(SEED)
    for section, lines, labels in GROUP_LINES:
        for index, line in enumerate(lines):
            filled = dict.fromkeys(_filled(line, chance) for _ in range(FILLINGS))
            for text in filled:
                yield Example(
                    text, labels, SOURCE, f"own:{section}:{index}", GROUP_WEIGHT
                )


def _filled(line: str, chance: random.Random) -> str:
    claim = chance.choice(groups.CLAIMS)
    text = line.replace("{claim}", claim)
    text = text.replace("{bad}", chance.choice(groups.PREDICATES))
    text = text.replace("{o}", chance.choice(groups.OTHERS))
    text = text.replace("{g}", chance.choice(groups.GROUPS))
    # People write both ways.
    return text[:1].upper() + text[1:] if chance.random() < 0.5 else text


def _story_examples() -> Iterator[Example]:
    chance = random.Random(SEED + 1)
    for section, lines, labels in STORY_LINES:
        for index, line in enumerate(lines):
            family = f"own:{section}:{index}"
            yield Example(line, labels, SOURCE, family, STORY_WEIGHT)
            for _ in range(2):
                text = " ".join(_among_ordinary(line, chance))
                yield Example(text, labels, SOURCE, family, 0.7 * STORY_WEIGHT)


def _among_ordinary(line: str, chance: random.Random) -> Sequence[str]:
    before = chance.sample(_ORDINARY, chance.randint(0, MOST_AROUND))
    after = chance.sample(_ORDINARY, chance.randint(0 if before else 1, MOST_AROUND))
    return (*before, line, *after)


_ORDINARY: Final[tuple[str, ...]] = tuple(
    line
    for line in (
        *everyday.SPOKEN,
        *stories.NO_SELF_HARM,
        *stories.NO_VIOLENCE,
        *stories.NO_HARASSMENT,
        *stories.NO_SEXUAL,
        *stories.NO_FRAUD,
    )
    if "{" not in line
)
