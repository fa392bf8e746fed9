"""Keeps secrets, addresses and an upload's text out of every log line.

The first guard is that nothing of the kind is logged; this is the second, for the line
that somebody adds on a bad day, and for what libraries say. It would rather hide too
much: a line's shape stays, its values may not.
"""

import re
from collections.abc import Iterable, Mapping, MutableMapping
from itertools import islice
from typing import Any

HIDDEN = "[hidden]"
# A sentence of ours with a few values; beyond it something was dumped.
MOST_CHARS = 500
# Stacks of a stuck worker are the largest value of ours.
MOST_ITEMS = 100

# Fields that would hold what must not be told, whatever is in them.
_SECRET_FIELDS = re.compile(
    r"passw|secret|token|authorization|cookie|api_?key|credential|private|jaas",
    re.IGNORECASE,
)
_UPLOAD_FIELDS = frozenset(
    {"text", "texts", "title", "transcript", "lyrics", "payload", "value", "body"}
)
_PATTERNS = (
    # user:password@ in an address.
    (re.compile(r"(//)[^/@\s]+@"), rf"\1{HIDDEN}@"),
    # The query of a URL: a signed one lets its bearer in.
    (
        re.compile(r"(\b[a-z][a-z0-9+.-]{1,15}://[^\s?\"']+)\?[^\s\"']+"),
        rf"\1?{HIDDEN}",
    ),
    # password=…, "token": "…", Authorization: Bearer ….
    (
        re.compile(
            r"((?:passw\w*|secret\w*|token|api_?key|authorization)[\"']?\s*[=:]\s*)"
            r"(?:bearer\s+|basic\s+)?[\"']?[^\s\"',;]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # AWS' documented forms of key ids; JWTs, which begin with base64 of `{"`.
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*", re.DOTALL), HIDDEN),
    # E-mail addresses: the local part is a person.
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), HIDDEN),
    # asyncio and mode quote exceptions with their arguments.
    (
        re.compile(r"((?:exception|reason|error)=<?\w+)\(.*", re.DOTALL),
        rf"\1({HIDDEN})",
    ),
)


# No pattern above matches a text with none of these: most values of our own lines.
_MARKS = re.compile(r"[@:=?]|eyJ|AKIA|ASIA|---|bearer|basic", re.IGNORECASE)


class Scrubber:
    """A structlog processor; knows this process's own secrets by value too."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # The longest first: one may hold another. Very short ones would hide words.
        self._secrets = sorted(
            (s for s in secrets if len(s) > 3), key=len, reverse=True
        )

    def __call__(
        self, logger: object, method: str, line: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the line without what must not be told."""
        for name, value in line.items():
            line[name] = self._field(str(name), value)
        return line

    def text(self, text: str) -> str:
        """Return a text without what must not be told."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        # Cut first: patterns take time by the length, and so would an attack on them.
        text = text[: 2 * MOST_CHARS]
        if _MARKS.search(text):
            for pattern, instead in _PATTERNS:
                text = pattern.sub(instead, text)
        return text if len(text) <= MOST_CHARS else text[:MOST_CHARS] + "…"

    def _field(self, name: str, value: Any) -> Any:
        if name in _UPLOAD_FIELDS or _SECRET_FIELDS.search(name):
            return HIDDEN
        return self._value(value)

    def _value(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, BaseException):
            return type(value).__name__
        if isinstance(value, bytes | bytearray | memoryview):
            return f"{len(value)} bytes"
        if isinstance(value, Mapping):
            kept = list(value.items())[:MOST_ITEMS]
            return {str(k): self._field(str(k), v) for k, v in kept}
        if isinstance(value, Iterable):
            return [self._value(v) for v in islice(value, MOST_ITEMS)]
        return self.text(repr(value))
