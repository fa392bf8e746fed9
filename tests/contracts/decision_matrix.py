"""One matrix of decisions, as data: rules, missing signals, markets and late events.

Each case is a few uploads of one uploader, judged in order, and what must be said of
the last. Scores travel in the signals, as labels of a model that nobody has, so that
every way to a decision (policy tests, `assess`, the worker, shadow, replay) can be
given the same ones and must give the same decisions:

    judge = matrix_judge()
    for case in CASES:
        ... judge case.uploads in order; compare the last decision with case.expected
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.records import (
    CATEGORIES,
    BankMatch,
    Category,
    ContentSignals,
    Kind,
    Missing,
    ModelUse,
    PictureLabel,
    Stage,
    UploaderHistory,
)
from streams.judge import Judge
from streams.policy_file import parse_policy_folder
from streams.scorers import Score
from tests.builders import an_event, signals

MODEL = "matrix"
DAY_S = 86_400

FILES = {
    "policy.yaml": """
id: matrix
version: "1"
missing: {default: review, transcript: review, language: allow, media: block}
provisional: review
restricted: [child_safety]
""",
    "thresholds.yaml": """
owner: matrix
categories:
  hate: {review: 0.5, block: 0.95, clause: "1.1"}
  fraud_spam: {limit: 0.5, clause: "2.1"}
  graphic_violence: {age_restrict: 0.5, review: 0.9}
anomalies:
  velocity: {limit: 0.8, review: 0.9}
banks:
  takedowns: {block: 0.95}
""",
    "rules.yaml": """
owner: matrix
rules:
  - id: hate-in-podcasts
    clause: "1.2"
    when: score.hate >= 0.8
    kinds: [podcast_episode]
    action: block
  - id: hate-in-germany
    clause: "1.3"
    when: score.hate >= 0.3
    action: block
    for: 30d
    markets: [DE, AT]
    if_missing: skip
  - id: violence-outside-america
    clause: "3.1"
    when: score.graphic_violence >= 0.3
    action: age_restrict
    age: 16
    markets: {except: [US]}
    if_missing: skip
  - id: gifts-of-newcomers
    clause: "2.2"
    when: history.uploads < 2 and text.title matches "(?i)free gift"
    action: review
    if_missing: skip
  - id: gifts-in-autumn
    clause: "2.3"
    when: score.fraud_spam >= 0.3
    action: limit
    strength: 0.5
    valid: {from: 2026-09-01, until: 2026-12-01}
    if_missing: review
    kinds: [title]
  - id: silent-audiobooks
    clause: "4.1"
    when: score.privacy >= 0.5 or transcript matches "(?i)home address"
    kinds: [audiobook]
    action: limit
    if_missing: review
  - id: not-both
    clause: "1.4"
    when: not (score.harassment < 0.4 or kind in [track, title])
    action: label
    if_missing: skip
""",
}


@dataclass(frozen=True)
class Expected:
    """What must be decided; `fired` in the order of strictness."""

    action: str
    clause: str
    fired: tuple[str, ...] = ()
    by_market: Mapping[str, str] | None = None
    missing: tuple[str, ...] = ()
    duration_s: int | None = None
    min_age: int | None = None
    strength: float = 1.0


@dataclass(frozen=True)
class MatrixCase:
    """Uploads of one uploader, and what must be said of the last."""

    name: str
    uploads: tuple[ContentSignals, ...]
    expected: Expected


@dataclass(frozen=True)
class StatedScores:
    """Gives the scores that the signals state: labels such as `score:hate`."""

    name: str = MODEL
    categories: tuple[Category, ...] = CATEGORIES
    models: tuple[ModelUse, ...] = (ModelUse("text_risk", MODEL, "ab" * 32),)
    languages: frozenset[str] | None = None

    def score(
        self, signals: ContentSignals, history: UploaderHistory
    ) -> tuple[Score, ...]:
        """Return them in their order."""
        return tuple(self._one(label) for label in signals.labels)

    def _one(self, label: PictureLabel) -> Score:
        space, _, name = label.label.partition(":")
        category = Category(name.upper()) if space == "score" else None
        return Score(name, label.probability, "stated", category)


def matrix_judge() -> Judge:
    """Return the judge of the matrix: its policy, and scores as stated."""
    policy = parse_policy_folder(FILES, "matrix").policy
    return Judge((StatedScores(),), policy)


def upload(content_id: str = "c1", **fields: Any) -> ContentSignals:
    """Build signals that state scores; `kind` and `title` are the event's."""
    stated = {f"score:{name}": v for name, v in fields.pop("score", {}).items()}
    stated |= {f"anomaly:{name}": v for name, v in fields.pop("anomaly", {}).items()}
    labels = tuple(PictureLabel("cover", MODEL, n, v) for n, v in stated.items())
    missing = tuple(Missing(s, "not_found") for s in fields.pop("missing", ()))
    bank = fields.pop("bank", None)
    match = BankMatch("cover", "takedowns", "e1", Category.OTHER_POLICY, "pdq", 0)
    title = fields.pop("title", None)
    texts = {"texts_of_event": (("title", title),)} if title else {}
    event = {"kind": fields.pop("kind", "track").upper()} | texts
    return _signals(
        content_id,
        event,
        labels=labels,
        missing=missing,
        matches=(match,) if bank else (),
        **fields,
    )


def _signals(content_id: str, event: dict[str, Any], **fields: Any) -> ContentSignals:
    own = {k: fields.pop(k) for k in ("at_s", "territories") if k in fields}
    texts = event.get("texts_of_event", ())
    made = an_event(content_id, kind=Kind(event["kind"]), texts=texts, **own)
    return signals(content_id, event=made, **fields)


def _case(name: str, expected: Expected, *before: ContentSignals, **fields: Any) -> Any:
    return MatrixCase(name, (*before, upload(**fields)), expected)


_ALLOW = Expected("allow", "default.allow")
_HATE_REVIEW = Expected("review", "hate.review>=0.5", ("hate.review",))
_HATE_BLOCK = Expected("block", "hate.block>=0.95", ("hate.block", "hate.review"))
_DE = ("DE",)
_US = ("US",)
_PODCAST = "podcast_episode"
_30D_S = 30 * DAY_S
_EARLIER = tuple(upload(f"before-{n}", at_s=-3600.0 * n) for n in (3, 2, 1))
_HELD = "missing.hate-in-podcasts"


def _expect(action: str, clause: str, *fired: str, **more: Any) -> Expected:
    return Expected(action, clause, fired, **more)


CASES: tuple[MatrixCase, ...] = (
    # Thresholds.
    _case("nothing found", _ALLOW),
    _case("under the threshold", _ALLOW, score={"hate": 0.29}),
    _case("at the threshold", _HATE_REVIEW, score={"hate": 0.5}, territories=_US),
    _case("between two steps", _HATE_REVIEW, score={"hate": 0.94}, territories=_US),
    _case("at the harder step", _HATE_BLOCK, score={"hate": 0.95}, territories=_US),
    _case(
        "a ladder's mild step",
        _expect(
            "age_restrict",
            "graphic_violence.age_restrict>=0.5",
            "graphic_violence.age_restrict",
            min_age=18,
        ),
        score={"graphic_violence": 0.5},
        territories=_US,
    ),
    _case(
        "a ladder's hard step",
        _expect(
            "review",
            "graphic_violence.review>=0.9",
            "graphic_violence.review",
            "graphic_violence.age_restrict",
        ),
        score={"graphic_violence": 0.9},
        territories=_US,
    ),
    _case(
        "an anomaly",
        _expect("limit", "velocity.limit>=0.8", "velocity.limit"),
        anomaly={"velocity": 0.85},
    ),
    _case(
        "a strong anomaly",
        _expect("review", "velocity.review>=0.9", "velocity.review", "velocity.limit"),
        anomaly={"velocity": 0.9},
    ),
    _case(
        "a known hash",
        _expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block"),
        bank=True,
    ),
    # Conflicts: strictest, then value, then order.
    _case(
        "the strictest wins",
        _expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block",
                "hate.review"),
        bank=True, score={"hate": 0.94}, territories=_US,
    ),
    _case(
        "at equal action the higher value wins",
        _expect("review", "velocity.review>=0.9", "velocity.review", "hate.review",
                "velocity.limit"),
        anomaly={"velocity": 0.92}, score={"hate": 0.6}, territories=_US,
    ),
    _case(
        "at equal value the policy's order wins",
        _expect("limit", "fraud_spam.limit>=0.5", "fraud_spam.limit", "velocity.limit"),
        anomaly={"velocity": 0.8}, score={"fraud_spam": 0.8},
    ),
    _case(
        "a score comes before what is missing",
        _expect("review", "hate.review>=0.5", "hate.review",
                missing=("transcript:audio",)),
        score={"hate": 0.6}, missing=("transcript:audio",), territories=_US,
    ),
    _case(
        "whole strength is stricter than half",
        _expect("limit", "fraud_spam.limit>=0.5", "fraud_spam.limit",
                "gifts-in-autumn"),
        kind="title", score={"fraud_spam": 0.5},
    ),
    _case(
        "the higher age is stricter",
        _expect("age_restrict", "graphic_violence.age_restrict>=0.5",
                "graphic_violence.age_restrict", "violence-outside-america",
                min_age=18),
        score={"graphic_violence": 0.6},
    ),
    # Missing signals, by the policy's table.
    _case(
        "a missing transcript is held",
        _expect("review", "missing.transcript", missing=("transcript:audio",)),
        missing=("transcript:audio",),
    ),
    _case(
        "a missing language may pass",
        _expect("allow", "default.allow", missing=("language:title",)),
        missing=("language:title",),
    ),
    _case(
        "missing media is blocked here",
        _expect("block", "missing.media", missing=("media:audio",)),
        missing=("media:audio",),
    ),
    _case(
        "what no line names has the default",
        _expect("review", "missing.default", missing=("hash:cover",)),
        missing=("hash:cover",),
    ),
    _case(
        "the strictest of two missing ones",
        _expect("block", "missing.media", missing=("language:title", "media:audio")),
        missing=("language:title", "media:audio"),
    ),
    _case(
        "a block is not softened by what is missing",
        _expect("block", "hate.block>=0.95", "hate.block", "hate.review",
                missing=("transcript:audio",)),
        score={"hate": 0.96}, missing=("transcript:audio",), territories=_US,
    ),
    # Missing signals, by a rule's word.
    _case(
        "hold: a podcast without a score on hate",
        _expect("review", _HELD, missing=("score.hate",)), kind=_PODCAST,
    ),
    _case("hold: but no other kind", _ALLOW, kind="video"),
    _case(
        "hold: not where the score is there",
        _ALLOW, kind=_PODCAST, score={"hate": 0.1},
    ),
    _case(
        "hold: not softer than what fired",
        _expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block",
                missing=("score.hate",)),
        kind=_PODCAST, bank=True,
    ),
    _case(
        "hold: comes after a rule that fired at equal action",
        _expect("review", "velocity.review>=0.9", "velocity.review", "velocity.limit",
                missing=("score.hate",)),
        kind=_PODCAST, anomaly={"velocity": 0.95},
    ),
    _case(
        "review: the rule fires with review",
        _expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("score.privacy",)), kind="audiobook",
    ),
    _case(
        "review: what is known to be false is false",
        _ALLOW, kind="audiobook", score={"privacy": 0.4},
    ),
    _case(
        "review: one true part of an or is enough",
        _expect("review", "missing.transcript", "silent-audiobooks",
                missing=("transcript:audio",)),
        kind="audiobook", score={"privacy": 0.5}, missing=("transcript:audio",),
    ),
    _case(
        "review: a part that is unknown leaves it unknown",
        _expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("transcript:audio", "transcript")),
        kind="audiobook", score={"privacy": 0.4}, missing=("transcript:audio",),
    ),
    _case("skip: nothing happens", _ALLOW, kind="video", territories=_DE),
    _case(
        "not: of the unknown is unknown",
        _ALLOW, kind="video", score={"privacy": 0.1},
    ),
    _case(
        "not: of two falses is true",
        _expect("label", "not-both", "not-both"),
        kind="video", score={"harassment": 0.4},
    ),
    _case("not: of one true is false", _ALLOW, score={"harassment": 0.9}),
    _case(
        "not: a low score makes it false",
        _ALLOW, kind="video", score={"harassment": 0.39},
    ),
    # Kinds.
    _case(
        "a rule for podcasts, on one",
        _expect("block", "hate-in-podcasts", "hate-in-podcasts", "hate.review"),
        kind=_PODCAST, score={"hate": 0.8}, territories=_US,
    ),
    _case("a rule for podcasts, on a track", _HATE_REVIEW,
          score={"hate": 0.8}, territories=_US),
    _case(
        "both a line and a rule block",
        _expect("block", "hate.block>=0.95", "hate.block", "hate-in-podcasts",
                "hate.review"),
        kind=_PODCAST, score={"hate": 0.97}, territories=_US,
    ),
    # Markets.
    _case(
        "everywhere: Germany and Austria apart",
        _expect("allow", "default.allow", "hate-in-germany",
                by_market={"AT": "block", "DE": "block"}),
        score={"hate": 0.4},
    ),
    _case(
        "to Germany alone: its word is the word",
        _expect("block", "hate-in-germany", "hate-in-germany", duration_s=_30D_S),
        score={"hate": 0.4}, territories=_DE,
    ),
    _case("to America alone: no word of it", _ALLOW,
          score={"hate": 0.4}, territories=_US),
    _case(
        "to both: one of them apart",
        _expect("allow", "default.allow", "hate-in-germany", by_market={"DE": "block"}),
        score={"hate": 0.4}, territories=("US", "DE"),
    ),
    _case(
        "to Germany and Austria: alike",
        _expect("block", "hate-in-germany", "hate-in-germany", duration_s=_30D_S),
        score={"hate": 0.4}, territories=("AT", "DE"),
    ),
    _case(
        "review in general, block in two",
        _expect("review", "hate.review>=0.5", "hate-in-germany", "hate.review",
                by_market={"AT": "block", "DE": "block"}),
        score={"hate": 0.6},
    ),
    _case(
        "a block for good is stricter than one for a month",
        _expect("block", "hate.block>=0.95", "hate.block", "hate-in-germany",
                "hate.review"),
        score={"hate": 0.96},
    ),
    _case(
        "all but America",
        _expect("age_restrict", "violence-outside-america", "violence-outside-america",
                by_market={"US": "allow"}, min_age=16),
        score={"graphic_violence": 0.3},
    ),
    _case(
        "all but America, to it alone", _ALLOW,
        score={"graphic_violence": 0.3}, territories=_US,
    ),
    _case(
        "all but America, to France alone",
        _expect("age_restrict", "violence-outside-america", "violence-outside-america",
                min_age=16),
        score={"graphic_violence": 0.3}, territories=("FR",),
    ),
    _case(
        "two rules for different markets",
        _expect("age_restrict", "violence-outside-america", "hate-in-germany",
                "violence-outside-america", min_age=16,
                by_market={"AT": "block", "DE": "block", "US": "allow"}),
        score={"graphic_violence": 0.4, "hate": 0.4},
    ),
    _case(
        "a missing signal holds in every market",
        _expect("review", "missing.transcript", "hate-in-germany",
                by_market={"AT": "block", "DE": "block"},
                missing=("transcript:audio",)),
        score={"hate": 0.4}, missing=("transcript:audio",),
    ),
    # Validity, by the upload's own time.
    _case(
        "a rule of autumn, in autumn",
        _expect("limit", "gifts-in-autumn", "gifts-in-autumn", strength=0.5),
        kind="title", score={"fraud_spam": 0.4},
    ),
    _case(
        "a rule of autumn, by a late event of summer", _ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=-100.0 * DAY_S,
    ),
    _case(
        "a rule of autumn, in winter", _ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=20.0 * DAY_S,
    ),
    _case(
        "its last moment is not in it", _ALLOW,
        kind="title", score={"fraud_spam": 0.4}, at_s=7.5 * DAY_S,
    ),
    _case(
        "nobody knows when it came",
        _expect("review", "gifts-in-autumn", "gifts-in-autumn",
                missing=("event_time", "event_time")),
        kind="title", score={"fraud_spam": 0.4}, missing=("event_time",),
    ),
    # Histories and late events.
    _case(
        "a newcomer's gifts",
        _expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        title="A FREE GIFT for you",
    ),
    _case("a newcomer's other words", _ALLOW, title="A free concert"),
    _case("gifts of someone known", _ALLOW, *_EARLIER, title="free gift"),
    _case(
        "late uploads count as well",
        _ALLOW, *_EARLIER, title="free gift", at_s=-30.0 * DAY_S,
    ),
    _case(
        "uploads without a time don't count",
        _expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1", missing=("event_time",)),
        upload("b2", missing=("event_time",)),
        title="free gift",
    ),
    _case(
        "blocked uploads don't count",
        _expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1", bank=True), upload("b2", bank=True), title="free gift",
    ),
    _case(
        "an upload judged twice counts once",
        _expect("review", "gifts-of-newcomers", "gifts-of-newcomers"),
        upload("b1"), upload("b1"), title="free gift",
    ),
    _case(
        "a newer revision counts anew",
        _ALLOW, *_EARLIER, upload("before-1", at_s=-1.0), title="free gift",
    ),
    # Stages.
    _case(
        "speech is still to be heard",
        _expect("review", "provisional.review"), stage=Stage.SCREENED,
    ),
    _case(
        "what is known already is not softened by waiting",
        _expect("block", "bank.takedowns.block>=0.95", "bank.takedowns.block"),
        stage=Stage.SCREENED, bank=True,
    ),
    _case(
        "an unheard audiobook is unknown to its rule",
        _expect("review", "silent-audiobooks", "silent-audiobooks",
                missing=("transcript",)),
        kind="audiobook", stage=Stage.SCREENED, score={"privacy": 0.1},
    ),
    _case(
        "a final word after a provisional one", _ALLOW,
        upload("c1", stage=Stage.SCREENED), provisional_sent=True,
    ),
    _case(
        "a swept upload has no history to be new in", _ALLOW,
        stage=Stage.SWEPT, title="free gift",
    ),
)  # fmt: skip
