"""Cases of limits: a rule acts so often in an hour, or on one uploader; then it waits.

`unlimited` is what a shadow or a what-if says, whose rules no limit holds.
"""

from schemas.records import Stage
from tests.contracts.decision_matrix.case import (
    DE,
    HOUR_S,
    US,
    Expected,
    MatrixCase,
    case,
    expect,
    upload,
)

GOODS = {"illicit_goods": 0.6}
EXTREME = {"violent_extremism": 0.6}
FIRST = upload("first", score=GOODS)  # All that the rule may do in its hour.
TWICE = tuple(upload(f"fake-{n}", score={"impersonation": 0.6}) for n in (1, 2))
BLOCKED = expect("block", "goods", "goods")
SLOWED = expect("limit", "impostors", "impostors", strength=0.5)
GOODS_WAIT = (("goods", "per_hour", "block"),)
EXTREME_WAIT = (("extremism-in-germany", "per_hour", "block"),)


def waiting(free: Expected = BLOCKED, **more: object) -> Expected:
    """Build a word that asks for review in place of the goods' block."""
    return expect("review", "brake.goods", "goods", held=GOODS_WAIT,
                  instead_of=free.action, unlimited=free, **more)  # fmt: skip


LIMITS: tuple[MatrixCase, ...] = (
    case("a limit: its first upload", BLOCKED, score=GOODS),
    case("a limit: the next one waits", waiting(), FIRST, score=GOODS),
    case("a limit: what did not act is not counted", BLOCKED,
         upload("harmless", score={"illicit_goods": 0.4}), score=GOODS),
    case("a limit: anew in the next hour", BLOCKED,
         FIRST, score=GOODS, at_s=HOUR_S),
    case(
        "a limit: a late event opens no past hour", waiting(),
        FIRST, score=GOODS, at_s=-5 * HOUR_S,
    ),
    case(
        "a limit: late by a month", waiting(),
        FIRST, score=GOODS, at_s=-30 * 24 * HOUR_S,
    ),
    case(
        "a limit: without a time it counts in this hour",
        waiting(expect("block", "goods", "goods", missing=("event_time",)),
                missing=("event_time",)),
        FIRST, score=GOODS, missing=("event_time",),
    ),
    case(
        "a limit: a missing transcript asks for review too",
        waiting(expect("block", "goods", "goods", missing=("transcript:audio",)),
                missing=("transcript:audio",)),
        FIRST, score=GOODS, missing=("transcript:audio",),
    ),
    case(
        "a limit: no brake on what is missing",
        expect("block", "missing.media", "goods", missing=("media:audio",),
               held=GOODS_WAIT,
               unlimited=expect("block", "goods", "goods", missing=("media:audio",))),
        FIRST, score=GOODS, missing=("media:audio",),
    ),
    case(
        "a limit: a stricter rule decides as ever",
        expect("block", "hate.block>=0.95", "hate.block", "hate.review", "goods",
               held=GOODS_WAIT,
               unlimited=expect("block", "hate.block>=0.95", "hate.block", "goods",
                                "hate.review")),
        FIRST, score={**GOODS, "hate": 0.96}, territories=US,
    ),
    case(
        "a limit: each step of a line for itself",
        expect("block", "sexual_content.block>=0.9", "sexual_content.block",
               "sexual_content.limit",
               held=(("sexual_content.limit", "per_hour", "limit"),),
               unlimited=expect("block", "sexual_content.block>=0.9",
                                "sexual_content.block", "sexual_content.limit")),
        upload("first", score={"sexual_content": 0.6}), score={"sexual_content": 0.95},
    ),
    case(
        "a limit: of a rule in two markets",
        expect("allow", "default.allow", "extremism-in-germany",
               by_market={"AT": "review", "DE": "review"}, held=EXTREME_WAIT,
               instead_of="allow",
               unlimited=expect("allow", "default.allow", "extremism-in-germany",
                                by_market={"AT": "block", "DE": "block"})),
        upload("first", score=EXTREME), score=EXTREME,
    ),
    case(
        "a limit: in the one market it goes to",
        expect("review", "brake.extremism-in-germany", "extremism-in-germany",
               held=EXTREME_WAIT, instead_of="block",
               unlimited=expect("block", "extremism-in-germany",
                                "extremism-in-germany")),
        upload("first", score=EXTREME), score=EXTREME, territories=DE,
    ),
    case(
        "a limit: where the rule is not for is nothing held",
        expect("allow", "default.allow"),
        upload("first", score=EXTREME), score=EXTREME, territories=US,
    ),
    case(
        "a limit: what it did elsewhere is counted",
        expect("review", "brake.extremism-in-germany", "extremism-in-germany",
               held=EXTREME_WAIT, instead_of="block",
               unlimited=expect("block", "extremism-in-germany",
                                "extremism-in-germany")),
        upload("first", score=EXTREME, territories=("AT",)),
        score=EXTREME, territories=DE,
    ),
    case(
        "a limit: a rule that could not be told did not act",
        expect("age_restrict", "harmful-lyrics", "harmful-lyrics", min_age=16),
        upload("untold", kind="lyrics"), kind="lyrics", score={"self_harm": 0.6},
    ),
    case(
        "a limit: a rule that can't be told has nothing to wait with",
        expect("review", "harmful-lyrics", "harmful-lyrics",
               missing=("score.self_harm",)),
        upload("first", kind="lyrics", score={"self_harm": 0.6}), kind="lyrics",
    ),
    case(
        "a limit: a provisional word waits and is not counted",
        waiting(), FIRST, score=GOODS, stage=Stage.SCREENED,
    ),
    case(
        "a limit: a provisional word before was not counted", BLOCKED,
        upload("c1", score=GOODS, stage=Stage.SCREENED),
        score=GOODS, provisional_sent=True,
    ),
    case(
        "a limit: a later word waits too", waiting(),
        upload("c1", score=GOODS), score=GOODS, stage=Stage.SWEPT,
    ),
    case("of one uploader: two in an hour", SLOWED,
         TWICE[0], score={"impersonation": 0.6}),
    case(
        "of one uploader: the third waits",
        expect("review", "brake.impostors", "impostors",
               held=(("impostors", "per_uploader_per_hour", "limit"),),
               instead_of="limit", unlimited=SLOWED),
        *TWICE, score={"impersonation": 0.6},
    ),
    case("of one uploader: anew in the next hour", SLOWED,
         *TWICE, score={"impersonation": 0.6}, at_s=HOUR_S),
)  # fmt: skip
