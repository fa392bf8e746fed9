"""Cases of missing signals: what the policy or a rule says without them."""

from tests.contracts.decision_matrix.case import (
    ALLOW,
    DE,
    PODCAST,
    US,
    MatrixCase,
    case,
    expect,
)

HELD = "missing.hate-in-podcasts"
MISSING: tuple[MatrixCase, ...] = (
    # Missing signals, by the policy's table.
    case(
        "a missing transcript is held",
        expect("review", "missing.transcript", missing=("transcript:audio",)),
        missing=("transcript:audio",),
    ),
    case(
        "a missing language may pass",
        expect("allow", "default.allow", missing=("language:title",)),
        missing=("language:title",),
    ),
    case(
        "missing media is blocked here",
        expect("block", "missing.media", missing=("media:audio",)),
        missing=("media:audio",),
    ),
    case(
        "what no line names has the default",
        expect("review", "missing.default", missing=("hash:cover",)),
        missing=("hash:cover",),
    ),
    case(
        "the strictest of two missing ones",
        expect("block", "missing.media", missing=("language:title", "media:audio")),
        missing=("language:title", "media:audio"),
    ),
    case(
        "a block is not softened by what is missing",
        expect("block", "hate.block>=0.95", "hate.block", "hate.review",
                missing=("transcript:audio",)),
        score={"hate": 0.96}, missing=("transcript:audio",), territories=US,
    ),
    # Missing signals, by a rule's word.
    case(
        "hold: a podcast without a score on hate",
        expect("review", HELD, missing=("score.hate",)), kind=PODCAST,
    ),
    case("hold: but no other kind", ALLOW, kind="video"),
    case(
        "hold: not where the score is there",
        ALLOW, kind=PODCAST, score={"hate": 0.1},
    ),
    case(
        "hold: not softer than what fired",
        expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block",
                missing=("score.hate",)),
        kind=PODCAST, bank=True,
    ),
    case(
        "hold: comes after a rule that fired at equal action",
        expect("review", "velocity.review>=0.9", "velocity.review", "velocity.limit",
                missing=("score.hate",)),
        kind=PODCAST, anomaly={"velocity": 0.95},
    ),
    case(
        "review: the rule fires with review",
        expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("score.privacy",)), kind="audiobook",
    ),
    case(
        "review: what is known to be false is false",
        ALLOW, kind="audiobook", score={"privacy": 0.4},
    ),
    case(
        "review: one true part of an or is enough",
        expect("review", "missing.transcript", "silent-audiobooks",
                missing=("transcript:audio",)),
        kind="audiobook", score={"privacy": 0.5}, missing=("transcript:audio",),
    ),
    case(
        "review: a part that is unknown leaves it unknown",
        expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("transcript:audio", "transcript")),
        kind="audiobook", score={"privacy": 0.4}, missing=("transcript:audio",),
    ),
    case("skip: nothing happens", ALLOW, kind="video", territories=DE),
    case(
        "not: of the unknown is unknown",
        ALLOW, kind="video", score={"privacy": 0.1},
    ),
    case(
        "not: of two falses is true",
        expect("label", "not-both", "not-both"),
        kind="video", score={"harassment": 0.4},
    ),
    case("not: of one true is false", ALLOW, score={"harassment": 0.9}),
    case(
        "not: a low score makes it false",
        ALLOW, kind="video", score={"harassment": 0.39},
    ),
)  # fmt: skip
