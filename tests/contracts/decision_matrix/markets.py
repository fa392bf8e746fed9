"""Cases of kinds and markets: what is done where, and to what."""

from tests.contracts.decision_matrix.case import (
    ALLOW,
    DAY_S,
    DE,
    HATE_REVIEW,
    PODCAST,
    US,
    MatrixCase,
    case,
    expect,
)

MONTH_S = 30 * DAY_S
MARKETS: tuple[MatrixCase, ...] = (
    # Kinds.
    case(
        "a rule for podcasts, on one",
        expect("block", "hate-in-podcasts", "hate-in-podcasts", "hate.review"),
        kind=PODCAST, score={"hate": 0.8}, territories=US,
    ),
    case("a rule for podcasts, on a track", HATE_REVIEW,
          score={"hate": 0.8}, territories=US),
    case(
        "both a line and a rule block",
        expect("block", "hate.block>=0.95", "hate.block", "hate-in-podcasts",
                "hate.review"),
        kind=PODCAST, score={"hate": 0.97}, territories=US,
    ),
    # Markets.
    case(
        "everywhere: Germany and Austria apart",
        expect("allow", "default.allow", "hate-in-germany",
                by_market={"AT": "block", "DE": "block"}),
        score={"hate": 0.4},
    ),
    case(
        "to Germany alone: its word is the word",
        expect("block", "hate-in-germany", "hate-in-germany", duration_s=MONTH_S),
        score={"hate": 0.4}, territories=DE,
    ),
    case("to America alone: no word of it", ALLOW,
          score={"hate": 0.4}, territories=US),
    case(
        "to both: one of them apart",
        expect("allow", "default.allow", "hate-in-germany", by_market={"DE": "block"}),
        score={"hate": 0.4}, territories=("US", "DE"),
    ),
    case(
        "to Germany and Austria: alike",
        expect("block", "hate-in-germany", "hate-in-germany", duration_s=MONTH_S),
        score={"hate": 0.4}, territories=("AT", "DE"),
    ),
    case(
        "review in general, block in two",
        expect("review", "hate.review>=0.5", "hate-in-germany", "hate.review",
                by_market={"AT": "block", "DE": "block"}),
        score={"hate": 0.6},
    ),
    case(
        "a block for good is stricter than one for a month",
        expect("block", "hate.block>=0.95", "hate.block", "hate-in-germany",
                "hate.review"),
        score={"hate": 0.96},
    ),
    case(
        "all but America",
        expect("age_restrict", "violence-outside-america", "violence-outside-america",
                by_market={"US": "allow"}, min_age=16),
        score={"graphic_violence": 0.3},
    ),
    case(
        "all but America, to it alone", ALLOW,
        score={"graphic_violence": 0.3}, territories=US,
    ),
    case(
        "all but America, to France alone",
        expect("age_restrict", "violence-outside-america", "violence-outside-america",
                min_age=16),
        score={"graphic_violence": 0.3}, territories=("FR",),
    ),
    case(
        "two rules for different markets",
        expect("age_restrict", "violence-outside-america", "hate-in-germany",
                "violence-outside-america", min_age=16,
                by_market={"AT": "block", "DE": "block", "US": "allow"}),
        score={"graphic_violence": 0.4, "hate": 0.4},
    ),
    case(
        "a missing signal holds in every market",
        expect("review", "missing.transcript", "hate-in-germany",
                by_market={"AT": "block", "DE": "block"},
                missing=("transcript:audio",)),
        score={"hate": 0.4}, missing=("transcript:audio",),
    ),
)  # fmt: skip
