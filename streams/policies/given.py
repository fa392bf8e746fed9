"""What a policy's test gives: findings, written by hand, and rules that a brake holds.

given: {kind: podcast_episode, score: {hate: 0.7}, markets: [DE], braked: [spam]}
"""

from datetime import datetime

from schemas.records import CATEGORIES, Category, Kind, Missing, Stage
from streams.policies import values
from streams.rules.findings import Findings
from streams.rules.vocabulary import HISTORY, KINDS, STAGES
from streams.yaml_tree import Node, quoted

_OTHERS = "others"  # The probability of every category that is not given.
_CATEGORY_NAMES = tuple(category.lower() for category in CATEGORIES)


class Given:
    """What a test gives; what it doesn't say is missing, or empty."""

    def __init__(self, node: Node, anomalies: tuple[str, ...]) -> None:
        self._parts = mapping(node, tuple(_READERS), "a finding")
        self._anomalies = anomalies

    def findings(self) -> Findings:
        """Return the findings."""
        return Findings(
            stage=Stage(self._one_of("stage", STAGES, "complete").upper()),
            categories=self._scores(),
            anomalies=self._numbers("anomaly", self._anomalies),
            banks=self._numbers("bank", None),
            missing=tuple(
                Missing(signal, "in a test") for signal in self._list("missing")
            ),
            labels=self._numbers("label", None),
            history=self._numbers("history", HISTORY, most=None)
            if "history" in self._parts
            else None,
            kind=Kind(self._one_of("kind", KINDS, "unknown").upper()),
            uploader_id=self._text("uploader_id") or "",
            revision=int(self._number("revision")),
            territories=self._list("markets"),
            language=self._text("language"),
            texts=self._texts(),
            heard=self._heard(),
            media_s=self._number("media_s"),
            event_time=self._time(),
            uploads=int(self._numbers("history", HISTORY, most=None).get("uploads", 0)),
        )

    @property
    def braked(self) -> tuple[str, ...]:
        """The rules that a brake holds; what it counted is not a test's to say."""
        return self._list("braked")

    def _scores(self) -> dict[Category, float]:
        given = self._numbers("score", (*_CATEGORY_NAMES, _OTHERS))
        others = given.pop(_OTHERS, None)
        scores = {} if others is None else dict.fromkeys(_CATEGORY_NAMES, others)
        return {Category(n.upper()): v for n, v in {**scores, **given}.items()}

    def _numbers(
        self, key: str, allowed: tuple[str, ...] | None, most: float | None = 1.0
    ) -> dict[str, float]:
        node = self._parts.get(key)
        if node is None:
            return {}
        found: dict[str, float] = {}
        for name, value in node.items("a mapping to numbers", "write {NAME: 0.9}"):
            known = name.one_of(allowed, "a known name") if allowed else None
            found[known or values.name(name, "a name")] = _number(value, most)
        return found

    def _number(self, key: str) -> float:
        return _number(self._parts[key], None) if key in self._parts else 0.0

    def _one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        node = self._parts.get(key)
        return default if node is None else node.one_of(allowed, f"a {key}")

    def _list(self, key: str) -> tuple[str, ...]:
        return names(self._parts[key]) if key in self._parts else ()

    def _text(self, key: str) -> str | None:
        node = self._parts.get(key)
        return None if node is None else node.text("a text", "write it in quotes")

    def _texts(self) -> dict[str, str]:
        node = self._parts.get("text")
        if node is None:
            return {}
        pairs = node.items("a mapping to texts", 'write {title: "…"}')
        return {
            values.name(name, "a text's name"): value.text("a text", "write it out")
            for name, value in pairs
        }

    def _heard(self) -> tuple[str, ...] | None:
        heard = self._text("transcript")
        missing = any(s.startswith("transcript") for s in self._list("missing"))
        if heard is None and (
            missing or self._one_of("stage", STAGES, "") == "screened"
        ):
            return None
        return () if heard is None else (heard,)

    def _time(self) -> datetime | None:
        node = self._parts.get("event_time")
        return None if node is None else values.time(node)


_READERS = (
    *("kind", "stage", "score", "anomaly", "bank", "label", "history", "missing"),
    *("markets", "uploader_id", "language", "revision", "text", "transcript"),
    *("media_s", "event_time", "braked"),
)


def mapping(node: Node, allowed: tuple[str, ...], what: str) -> dict[str, Node]:
    """Return what stands under each key; no other key may be there."""
    pairs = node.items("a mapping", f"write {allowed[0]}: …")
    return {key.one_of(allowed, what): value for key, value in pairs}


def names(node: Node) -> tuple[str, ...]:
    """Return a list of names."""
    entries = node.entries("a list of names", "write [NAME]")
    return tuple(values.name(entry, "a name") for entry in entries)


def _number(node: Node, most: float | None) -> float:
    expected = "a number in [0, 1]" if most else "a number of at least 0"
    value = node.number(expected, "write 0.9")
    if value < 0.0 or (most is not None and value > most):
        raise node.place.error(quoted(f"{value:g}"), expected, "write 0.9")
    return value
