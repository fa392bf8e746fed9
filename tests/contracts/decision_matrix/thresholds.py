"""Cases of thresholds and of rules that disagree: the strictest wins."""

from tests.contracts.decision_matrix.case import (
    ALLOW,
    HATE_BLOCK,
    HATE_REVIEW,
    US,
    MatrixCase,
    case,
    expect,
)

THRESHOLDS: tuple[MatrixCase, ...] = (
    # Thresholds.
    case("nothing found", ALLOW),
    case("under the threshold", ALLOW, score={"hate": 0.29}),
    case("at the threshold", HATE_REVIEW, score={"hate": 0.5}, territories=US),
    case("between two steps", HATE_REVIEW, score={"hate": 0.94}, territories=US),
    case("at the harder step", HATE_BLOCK, score={"hate": 0.95}, territories=US),
    case(
        "a ladder's mild step",
        expect(
            "age_restrict",
            "graphic_violence.age_restrict>=0.5",
            "graphic_violence.age_restrict",
            min_age=18,
        ),
        score={"graphic_violence": 0.5},
        territories=US,
    ),
    case(
        "a ladder's hard step",
        expect(
            "review",
            "graphic_violence.review>=0.9",
            "graphic_violence.review",
            "graphic_violence.age_restrict",
        ),
        score={"graphic_violence": 0.9},
        territories=US,
    ),
    case(
        "an anomaly",
        expect("limit", "velocity.limit>=0.8", "velocity.limit"),
        anomaly={"velocity": 0.85},
    ),
    case(
        "a strong anomaly",
        expect("review", "velocity.review>=0.9", "velocity.review", "velocity.limit"),
        anomaly={"velocity": 0.9},
    ),
    case(
        "a known hash",
        expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block"),
        bank=True,
    ),
    # Conflicts: strictest, then value, then order.
    case(
        "the strictest wins",
        expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block",
                "hate.review"),
        bank=True, score={"hate": 0.94}, territories=US,
    ),
    case(
        "at equal action the higher value wins",
        expect("review", "velocity.review>=0.9", "velocity.review", "hate.review",
                "velocity.limit"),
        anomaly={"velocity": 0.92}, score={"hate": 0.6}, territories=US,
    ),
    case(
        "at equal value the policy's order wins",
        expect("limit", "fraud_spam.limit>=0.5", "fraud_spam.limit", "velocity.limit"),
        anomaly={"velocity": 0.8}, score={"fraud_spam": 0.8},
    ),
    case(
        "a score comes before what is missing",
        expect("review", "hate.review>=0.5", "hate.review",
                missing=("transcript:audio",)),
        score={"hate": 0.6}, missing=("transcript:audio",), territories=US,
    ),
    case(
        "whole strength is stricter than half",
        expect("limit", "fraud_spam.limit>=0.5", "fraud_spam.limit",
                "gifts-in-autumn"),
        kind="title", score={"fraud_spam": 0.5},
    ),
    case(
        "the higher age is stricter",
        expect("age_restrict", "graphic_violence.age_restrict>=0.5",
                "graphic_violence.age_restrict", "violence-outside-america",
                min_age=18),
        score={"graphic_violence": 0.6},
    ),
)  # fmt: skip
