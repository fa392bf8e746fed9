"""Cases of second approvals: nothing hard is done to who is well known by itself."""

from tests.contracts.decision_matrix.case import (
    DE,
    MatrixCase,
    case,
    expect,
    upload,
)

KNOWN = tuple(upload(f"known-{n}") for n in range(9))
GOODS = {"illicit_goods": 0.6}


def asked(rule_id: str, action: str) -> tuple[tuple[str, str, str], ...]:
    """Say that a person must approve of what a rule would do."""
    return ((rule_id, "second_approval", action),)


APPROVALS: tuple[MatrixCase, ...] = (
    case(
        "an approval: who is named is not blocked",
        expect("review", "second_approval.bank.takedowns.block",
               "bank.takedowns.block",
               held=asked("bank.takedowns.block", "block"), instead_of="block"),
        bank=True, uploader="star-a",
    ),
    case(
        "an approval: a label needs none",
        expect("label", "not-both", "not-both"),
        kind="video", score={"harassment": 0.4}, uploader="star-b",
    ),
    case(
        "an approval: nor does a block for what is missing pass",
        expect("review", "second_approval.missing.media", missing=("media:audio",),
               held=asked("missing.media", "block"), instead_of="block"),
        missing=("media:audio",), uploader="star-c",
    ),
    case(
        "an approval: in the markets of a rule",
        expect("allow", "default.allow", "hate-in-germany",
               by_market={"AT": "review", "DE": "review"},
               held=asked("hate-in-germany", "block"), instead_of="allow"),
        score={"hate": 0.4}, uploader="star-d",
    ),
    case(
        "an approval: what waits for one is not counted",
        expect("review", "second_approval.goods", "goods",
               held=asked("goods", "block"), instead_of="block"),
        upload("first", score=GOODS), score=GOODS, uploader="star-e",
    ),
    case(
        "an approval: beside a missing transcript",
        expect("review", "second_approval.hate-in-germany", "hate-in-germany",
               held=asked("hate-in-germany", "block"), instead_of="block",
               missing=("transcript:audio",)),
        score={"hate": 0.4}, missing=("transcript:audio",), territories=DE,
        uploader="star-f",
    ),
    case(
        "an approval: who has many uploads",
        expect("review", "second_approval.goods", "goods",
               held=asked("goods", "block"), instead_of="block"),
        *KNOWN, score=GOODS,
    ),
    case(
        "an approval: one upload less is not many",
        expect("block", "goods", "goods"), *KNOWN[1:], score=GOODS,
    ),
    case(
        "an approval: many uploads, some of them late",
        expect("review", "second_approval.goods", "goods",
               held=asked("goods", "block"), instead_of="block"),
        *KNOWN[1:], upload("late", at_s=-9 * 86_400.0), score=GOODS,
    ),
)  # fmt: skip
