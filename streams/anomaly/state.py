"""The saved state of a detector: JSON values with a version, checked when loaded."""

from collections.abc import Sequence
from typing import Any

from streams.errors import StartError

State = dict[str, Any]  # JSON values.


class StateError(StartError):
    """A saved state is of another version, or no state of this detector."""


def take_state(name: str, state: object, version: int, fields: Sequence[str]) -> State:
    """Return the state's fields; raises StateError if one is missing."""
    if not isinstance(state, dict):
        raise StateError(
            f"{name}: the saved state is a {type(state).__name__}, expected an object"
        )
    if state.get("version") != version:
        raise StateError(
            f"{name}: the saved state has version {state.get('version')!r}, expected "
            f"{version}; learn anew, or run the release that wrote it"
        )
    missing = [field for field in fields if field not in state]
    if missing:
        raise StateError(f"{name}: the saved state lacks {', '.join(missing)}")
    return {field: state[field] for field in fields}
