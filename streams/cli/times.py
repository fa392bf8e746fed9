"""Times in options: ISO 8601 with a zone, so that nobody's clock is guessed."""

from datetime import datetime

from streams.errors import StartError


def parse_time(text: str, option: str, also: str = "") -> datetime:
    """Read a time.

    Raises:
        StartError: it isn't one, or has no zone; `also` says what else would do.
    """
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        raise StartError(
            f"{option} is {text!r}; expected {also}a time with its zone, as "
            "2026-11-02T14:00:00Z"
        )
    return when
