"""`HEADGATE_SHADOW`: the candidates that run beside the live policy.

    strict=deploy/policies/strict@10, head-7=deploy/policies/default;head=weights/7

A candidate has a name, a policy, the percentage of uploaders it is asked about, and, if
it is to be, a risk head of its own.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from streams.errors import StartError

SETTING = "HEADGATE_SHADOW"
FORM = "NAME=PATH[@PERCENT][;head=FILE], separated by commas"
# It stands in every record, in metrics' labels and in headers.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate as the setting names it; nothing was read yet."""

    name: str
    policy: Path
    percent: float = 100.0  # Of uploaders, in (0, 100].
    head: Path | None = None  # A risk head; None: the live one.


def parse_candidates(text: str) -> tuple[Candidate, ...]:
    """Read the setting; empty: none.

    Raises:
        StartError: it is not of that form, or gives a name twice.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    candidates = tuple(_candidate(part) for part in parts)
    names = [candidate.name for candidate in candidates]
    for name in names:
        if names.count(name) > 1:
            raise _wrong(text, f"names {name!r} {names.count(name)} times", "once each")
    return candidates


def _candidate(part: str) -> Candidate:
    name, equals, rest = part.partition("=")
    if not equals or not _NAME.fullmatch(name):
        expected = "a name of a to z, 0 to 9, dots, dashes and underscores, then ="
        raise _wrong(part, f"begins with {name!r}", expected)
    where, *options = rest.split(";")
    path, percent = _path_and_percent(part, where)
    return Candidate(name, Path(path), percent, _head(part, options))


def _path_and_percent(part: str, where: str) -> tuple[str, float]:
    path, at, percent = where.rpartition("@")
    if not at or "/" in percent:  # The @ is of a folder's name.
        path, percent = where, "100"
    if not path:
        raise _wrong(part, "names no path", "the folder or file of a policy")
    try:
        number = float(percent)
    except ValueError:
        number = 0.0
    if not 0.0 < number <= 100.0:  # Written so that NaN fails it too.
        expected = "a number above 0, 100 at most"
        raise _wrong(part, f"has the percentage {percent!r}", expected)
    return path, number


def _head(part: str, options: list[str]) -> Path | None:
    if not options:
        return None
    key, _, file = options[0].partition("=")
    if len(options) > 1 or key.strip() != "head" or not file:
        raise _wrong(part, f"has the option {';'.join(options)!r}", "head=FILE")
    return Path(file)


def _wrong(part: str, found: str, expected: str) -> StartError:
    return StartError(
        f"{SETTING}: {part!r} {found}; expected {expected}: write it as {FORM}"
    )
