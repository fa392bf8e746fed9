"""The names that a condition may use: each with its type and how to read it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Literal

from schemas.records import CATEGORIES, Kind, Stage
from streams.rules.findings import MISSING_SIGNALS, Findings

# A value of None is unknown: not found, or could not be had.
Value = float | str | tuple[str, ...] | None
Type = Literal["number", "text", "words"]  # `words` is a list of texts.

KINDS = tuple(kind.lower() for kind in Kind if kind is not Kind.UNKNOWN)
STAGES = tuple(stage.lower() for stage in Stage if stage is not Stage.UNKNOWN)
HISTORY = ("uploads", "age_days")
TERRITORY = re.compile(r"[A-Z]{2}")
_CATEGORY_NAMES = {category.lower(): category for category in CATEGORIES}
_OPEN = ("bank", "label", "text")  # What follows the dot is the operator's own name.


@dataclass(frozen=True, slots=True)
class Term:
    """A name of the language.

    A number is in [low, high]; a text, or each entry of `words`, is one of `allowed`
    where that is not None. `risk` marks numbers in [0, 1] that a model or a bank gave.
    """

    name: str
    type: Type
    read: Callable[[Findings], Value]
    low: float = -inf
    high: float = inf
    allowed: tuple[str, ...] | None = None
    risk: bool = False


class Vocabulary:
    """Every name that is known; `anomalies` are those of the scorers that are on."""

    def __init__(self, anomalies: Iterable[str]) -> None:
        self._terms = dict(_FIXED)
        for name in anomalies:
            self._terms[f"anomaly.{name}"] = risk_term("anomaly", name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, and the beginnings after which any name may follow."""
        return (*self._terms, *(f"{space}.NAME" for space in _OPEN))

    def find(self, name: str) -> Term | None:
        """Return the term with this name; None where there is none."""
        known = self._terms.get(name)
        space, _, rest = name.partition(".")
        if known is None and space in _OPEN and rest:
            return _open_term(space, rest)
        return known


@cache
def risk_term(space: str, name: str) -> Term:
    """Return the term of a score, an anomaly or a bank, in [0, 1]."""
    read = {"score": _score, "anomaly": _anomaly, "bank": _bank}[space](name)
    return Term(f"{space}.{name}", "number", read, 0.0, 1.0, risk=True)


class Facts(dict[str, Value]):
    """An upload's values by name, each read when a rule first asks for it."""

    def __init__(self, findings: Findings, terms: Mapping[str, Term]) -> None:
        super().__init__()
        self._findings = findings
        self._terms = terms

    @property
    def banks(self) -> frozenset[str] | None:
        """The names of the banks with a match; None where others may have one too."""
        if _unsure(self._findings):
            return None
        return frozenset(f"bank.{name}" for name in self._findings.banks)

    def __missing__(self, name: str) -> Value:
        value = self[name] = self._terms[name].read(self._findings)
        return value


def _score(name: str) -> Callable[[Findings], Value]:
    category = _CATEGORY_NAMES[name]
    return lambda findings: findings.categories.get(category)


def _anomaly(name: str) -> Callable[[Findings], Value]:
    return lambda findings: findings.anomalies.get(name)


def _bank(name: str) -> Callable[[Findings], Value]:
    """Nothing like it in the bank is 0, but only where everything was looked up."""
    return lambda found: found.banks.get(name, None if _unsure(found) else 0.0)


def _unsure(findings: Findings) -> bool:
    """Whether something could not be looked up in the banks."""
    return findings.lacks("media", "hash", "frames", "fingerprint")


def _open_term(space: str, name: str) -> Term:
    if space == "bank":
        return risk_term("bank", name)
    if space == "text":
        return Term(f"text.{name}", "text", lambda found: found.texts.get(name, ""))

    def label(findings: Findings) -> Value:
        return None if findings.labels is None else findings.labels.get(name, 0.0)

    return Term(f"label.{name}", "number", label, 0.0, 1.0, risk=True)


def _history(name: str) -> Callable[[Findings], Value]:
    return lambda found: None if found.history is None else found.history.get(name)


def _transcript(findings: Findings) -> Value:
    return None if findings.heard is None else "\n".join(findings.heard)


def _kinds_of_missing(findings: Findings) -> Value:
    return tuple(missing.signal.partition(":")[0] for missing in findings.missing)


_FIXED: dict[str, Term] = {
    term.name: term
    for term in (
        *(risk_term("score", category.lower()) for category in CATEGORIES),
        *(Term(f"history.{name}", "number", _history(name), 0.0) for name in HISTORY),
        Term("kind", "text", lambda found: found.kind.lower(), allowed=KINDS),
        Term("stage", "text", lambda found: found.stage.lower(), allowed=STAGES),
        Term("uploader_id", "text", lambda found: found.uploader_id),
        Term("language", "text", lambda found: found.language),
        Term("transcript", "text", _transcript),
        Term("revision", "number", lambda found: float(found.revision), 0.0),
        Term("media_s", "number", lambda found: found.media_s, 0.0),
        Term("territories", "words", lambda found: found.territories),
        Term("missing", "words", _kinds_of_missing, allowed=MISSING_SIGNALS),
    )
}
