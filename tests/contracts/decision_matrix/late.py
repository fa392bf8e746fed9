"""Cases of time: validity, histories, late events and later stages."""

from schemas.records import Stage
from tests.contracts.decision_matrix.case import (
    ALLOW,
    DAY_S,
    MatrixCase,
    case,
    expect,
    upload,
)

EARLIER = tuple(upload(f"before-{n}", at_s=-3600.0 * n) for n in (3, 2, 1))
LATE: tuple[MatrixCase, ...] = (
    # Validity, by the upload's own time.
    case(
        "a rule of autumn, in autumn",
        expect("limit", "gifts-in-autumn", "gifts-in-autumn", strength=0.5),
        kind="title", score={"fraud_spam": 0.4},
    ),
    case(
        "a rule of autumn, by a late event of summer", ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=-100.0 * DAY_S,
    ),
    case(
        "a rule of autumn, in winter", ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=20.0 * DAY_S,
    ),
    case(
        "its last moment is not in it", ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=7.5 * DAY_S,
    ),
    case(
        "nobody knows when it came",
        expect("review", "gifts-in-autumn", "gifts-in-autumn",
                missing=("event_time", "event_time")),
        kind="title", score={"fraud_spam": 0.4}, missing=("event_time",),
    ),
    # Histories and late events.
    case(
        "a newcomer's gifts",
        expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        title="A FREE GIFT for you",
    ),
    case("a newcomer's other words", ALLOW, title="A free concert"),
    case("gifts of someone known", ALLOW, *EARLIER, title="free gift"),
    case(
        "late uploads count as well",
        ALLOW, *EARLIER, title="free gift", at_s=-30.0 * DAY_S,
    ),
    case(
        "uploads without a time don't count",
        expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1", missing=("event_time",)),
        upload("b2", missing=("event_time",)),
        title="free gift",
    ),
    case(
        "blocked uploads don't count",
        expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1", bank=True), upload("b2", bank=True), title="free gift",
    ),
    case(
        "an upload judged twice counts once",
        expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1"), upload("b1"), title="free gift",
    ),
    case(
        "a newer revision counts anew",
        ALLOW, *EARLIER, upload("before-1", at_s=-1.0), title="free gift",
    ),
    # Stages.
    case(
        "speech is still to be heard",
        expect("review", "provisional.review"), stage=Stage.SCREENED,
    ),
    case(
        "what is known already is not softened by waiting",
        expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block"),
        stage=Stage.SCREENED, bank=True,
    ),
    case(
        "an unheard audiobook is unknown to its rule",
        expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("transcript",)),
        kind="audiobook", stage=Stage.SCREENED, score={"privacy": 0.1},
    ),
    case(
        "a final word after a provisional one", ALLOW,
        upload("c1", stage=Stage.SCREENED), provisional_sent=True,
    ),
    case(
        "a swept upload has no history to be new in", ALLOW,
        stage=Stage.SWEPT, title="free gift",
    ),
)  # fmt: skip
