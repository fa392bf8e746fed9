"""Finds the peers that `make bench-peers` installed beside our own packages."""

import sys
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "build" / "peers"


def use() -> None:
    """Let this process import the peers; what both have is ours, for it is first."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))


def is_here(name: str) -> bool:
    """Say whether a peer can be imported."""
    use()
    return find_spec(name) is not None


def versions() -> dict[str, str]:
    """Return the versions of the peers that are here."""
    found: list[Distribution] = list(distributions(path=[str(FOLDER)]))
    known = {one.metadata["Name"]: one.version for one in found}
    return {name: known[name] for name in ("quixstreams", "bytewax") if name in known}
