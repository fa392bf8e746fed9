"""The lines of a replay's results: a JSON object each."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield a file's lines as they are needed; the file is one of our own."""
    with path.open("rb") as lines:
        for line in lines:
            yield json.loads(line)
