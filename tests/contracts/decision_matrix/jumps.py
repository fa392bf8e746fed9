"""Cases of a hit rate that jumps: the rule goes to people for a day.

The uploads of the day before are blocked by a bank: they are not learned from, so
their uploader is not one of many uploads who needs a second approval.
"""

from streams.hit_rate import LEAST_UPLOADS
from tests.contracts.decision_matrix.case import (
    DAY_S,
    HOUR_S,
    MatrixCase,
    case,
    expect,
    upload,
)

QUIET = tuple(upload(f"quiet-{n}", bank=True) for n in range(LEAST_UPLOADS))
COPY = {"ip_infringement": 0.6}
COPIES = tuple(upload(f"copy-{n}", at_s=DAY_S, score=COPY) for n in range(6))
ELSEWHERE = {"other_policy": 0.6}
ABROAD = tuple(upload(f"copy-{n}", at_s=DAY_S, score=ELSEWHERE) for n in range(6))
LIMITED = expect("limit", "copies", "copies")

JUMPS: tuple[MatrixCase, ...] = (
    case("a jump: with too few uploads before to tell one", LIMITED,
         *QUIET[:8], *COPIES, score=COPY, at_s=DAY_S),
    case(
        "a jump: the rule goes to people",
        expect("review", "brake.copies", "copies",
               held=(("copies", "hit_rate", "limit"),), instead_of="limit",
               unlimited=LIMITED),
        *QUIET, *COPIES, score=COPY, at_s=DAY_S,
    ),
    case(
        "a jump: for a late event too, and beside what is missing",
        expect("allow", "default.allow", "copies-in-america",
               by_market={"US": "review"}, missing=("language:title",),
               held=(("copies-in-america", "hit_rate", "block"),), instead_of="allow",
               unlimited=expect("allow", "default.allow", "copies-in-america",
                                by_market={"US": "block"},
                                missing=("language:title",))),
        *QUIET, *ABROAD, score=ELSEWHERE, missing=("language:title",), at_s=-HOUR_S,
    ),
    case("a jump: after a day the rule may act again", LIMITED,
         *QUIET, *COPIES, score=COPY, at_s=2.0 * DAY_S),
)  # fmt: skip
