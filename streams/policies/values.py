"""Small values of a policy's files: names, actions, times, durations, territories."""

import re
from datetime import UTC, datetime, timedelta

from schemas.records import Action
from streams.rules.rule import SEVERITY, Brake, Markets, Validity
from streams.rules.softening import SecondApproval
from streams.rules.vocabulary import TERRITORY
from streams.yaml_tree import Node, quoted

ACTION_NAMES = tuple(action.lower() for action in SEVERITY)
MAX_NAME_CHARS = 200  # Ids, versions and bank names travel with every decision.
MAX_DURATION_S = 10 * 365 * 86_400  # What should last longer should have no end.
_MAX_PER_HOUR = 10_000_000
_MAX_UPLOADS = 1_000_000_000
_DURATION = re.compile(r"(\d{1,6})(m|h|d|w)")
_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def name(node: Node, expected: str) -> str:
    """Return a short plain text."""
    value = node.text(expected, "write it as plain text")
    if len(value) > MAX_NAME_CHARS:
        most = f"{expected} of at most {MAX_NAME_CHARS} characters"
        raise node.place.error(f"{len(value)} characters", most, "shorten it")
    return value


def action(node: Node) -> Action:
    """Return an action."""
    return Action(node.one_of(ACTION_NAMES, "an action").upper())


def whole_number(node: Node, low: int, high: int, expected: str) -> int:
    """Return a whole number in [low, high]."""
    shown = f"{expected}, a whole number from {low} to {high}"
    value = node.number(shown, f"write {low} or more")
    if value != int(value) or not low <= value <= high:
        raise node.place.error(f"{value:g}", shown, f"write {low} or more")
    return int(value)


def duration_s(node: Node) -> int:
    """Return a duration such as 30d in seconds."""
    expected = "a duration of at most ten years"
    remedy = "write minutes, hours, days or weeks: 90m, 12h, 30d, 2w"
    match = _DURATION.fullmatch(node.text(expected, remedy))
    seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if not 0 < seconds <= MAX_DURATION_S:
        raise node.place.error(node.described, expected, remedy)
    return seconds


def shown_duration(seconds: int) -> str:
    """Write a duration as a policy does."""
    for unit, size in reversed(_UNITS_S.items()):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return str(timedelta(seconds=seconds))


def time(node: Node) -> datetime:
    """Return a time in UTC; a day stands for its first moment there."""
    expected = "a day, or a time with Z or an offset"
    remedy = "write 2026-07-01 or 2026-07-01T12:00:00Z"
    value = node.text(expected, remedy)
    try:
        read = datetime.fromisoformat(value)
    except ValueError:
        raise node.place.error(node.described, expected, remedy) from None
    if len(value) == len("2026-07-01"):
        return read.replace(tzinfo=UTC)
    if read.tzinfo is None:
        raise node.place.error(node.described, expected, remedy)
    try:
        return read.astimezone(UTC)
    except OverflowError:
        raise node.place.error(node.described, expected, remedy) from None


def validity(node: Node) -> Validity:
    """Return when a rule is in force."""
    bounds: dict[str, datetime] = {}
    for key, value in node.items("a mapping with from, until or both", "from: DAY"):
        bounds[key.one_of(("from", "until"), "from or until")] = time(value)
    since, until = bounds.get("from"), bounds.get("until")
    if since is not None and until is not None and until <= since:
        found = f"until {until.isoformat()}"
        expected = f"a time after from, {since.isoformat()}"
        raise node.place.error(found, expected, "mend one; the rule is never in force")
    return Validity(since, until)


def markets(node: Node) -> Markets:
    """Return the territories of a list, or all but those of `{except: [US]}`."""
    if node.kind != "mapping":
        return Markets(only=_territories(node))
    but: frozenset[str] = frozenset()
    for key, value in node.items("{except: […]}", "write [DE] or {except: [US]}"):
        key.one_of(("except",), "except")
        but = _territories(value)
    if not but:
        raise node.place.error("no territory", "one", "write {except: [US]}")
    return Markets(but=but)


def brake(node: Node) -> Brake:
    """Return a rule's limits; one at least."""
    limits: dict[str, int] = {}
    known = ("per_hour", "per_uploader_per_hour")
    for key, value in node.items("a mapping with per_hour", "write {per_hour: 100}"):
        limit = key.one_of(known, "a brake's limit")
        limits[limit] = whole_number(value, 1, _MAX_PER_HOUR, "times an hour")
    if not limits:
        raise node.place.error("no limit", "one", "write {per_hour: 100}")
    return Brake(**limits)


def second_approval(node: Node) -> SecondApproval:
    """Return on whom nothing hard is done without a person."""
    uploaders: frozenset[str] = frozenset()
    over: int | None = None
    shape, remedy = "a mapping with uploaders, uploads_over or both", "uploaders: [ID]"
    for key, value in node.items(shape, remedy):
        if key.one_of(("uploaders", "uploads_over"), "who they are") == "uploaders":
            listed = value.entries("a list of uploader ids", "write [ID, ID]")
            uploaders = frozenset(name(entry, "an uploader's id") for entry in listed)
        else:
            over = whole_number(value, 0, _MAX_UPLOADS, "uploads")
    if not uploaders and over is None:
        raise node.place.error("nobody", "somebody", "write {uploads_over: 10000}")
    return SecondApproval(uploaders, over)


def _territories(node: Node) -> frozenset[str]:
    expected, remedy = "a country of ISO 3166-1", "write two capitals: [DE, FR]"
    found = set()
    for entry in node.entries(f"a list, each {expected}", remedy):
        value = entry.text(expected, remedy)
        if not TERRITORY.fullmatch(value):
            raise entry.place.error(quoted(value), expected, remedy)
        found.add(value)
    if not found:
        remedy = "name one, or remove the line: then it is for all"
        raise node.place.error("an empty list", "a territory", remedy)
    return frozenset(found)
