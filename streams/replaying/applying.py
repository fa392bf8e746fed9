"""From a what-if replay's flips to corrections of what was decided."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from schemas.errors import CodecError
from schemas.json_form import record_from_json
from schemas.records import CATEGORIES, RiskDecision
from streams.errors import StartError
from streams.replay.compensation import promoted
from streams.replaying.manifest import Correction


def flips_to_apply(folder: Path) -> Iterator[Correction]:
    """Yield a correction for each flip of a final decision in flips.jsonl.

    Raises:
        StartError: a line is no flip of this version.
    """
    with (folder / "flips.jsonl").open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                flip = json.loads(line)
                if flip["then"] is None or flip["now"] is None:
                    continue
                then, now = _decision(flip["then"]), _decision(flip["now"])
            except (ValueError, KeyError, CodecError) as error:
                where = f"{folder}/flips.jsonl:{number}"
                raise StartError(f"{where} is no flip: {error}") from error
            if then.provisional or now.provisional or then.action is now.action:
                continue
            yield Correction(
                then.action.lower(), then.clause, "what_if", promoted(then, now)
            )


def _decision(written: Mapping[str, Any]) -> RiskDecision:
    """Read a decision whose categories are those that something spoke on."""
    unsaid: dict[str, Any] = {
        c.lower(): {"probability": None, "evidence": []} for c in CATEGORIES
    }
    whole = {**written, "categories": unsaid | written["categories"]}
    return record_from_json(whole, RiskDecision)
