"""A manifest: what would be sent, on disk, under a hash that whoever agrees names.

`manifest.jsonl` has a line for each decision to correct; `manifest.json` says what was
asked, counts, and has the hash of the lines.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schemas.errors import CodecError
from schemas.json_form import decision_to_json, record_from_json
from schemas.records import RiskDecision
from streams.errors import StartError

FORMAT: Final = "headgate-manifest/2"
HASH_DIGITS: Final = 12  # Of the hash, at least, to agree to a manifest.


@dataclass(frozen=True, slots=True)
class Correction:
    """One decision and what takes its place."""

    then_action: str  # In lower case.
    then_clause: str
    basis: str  # How it is known; see streams/replay/compensation.py.
    now: RiskDecision

    @property
    def content_id(self) -> str:
        """Whose decision it is."""
        return self.now.content_id

    @property
    def replaces(self) -> str:
        """The id of the decision whose place it takes."""
        assert self.now.supersedes is not None
        return self.now.supersedes


def write_manifest(
    folder: Path, request: Mapping[str, Any], corrections: Iterable[Correction]
) -> dict[str, Any]:
    """Write a manifest; return its summary. An older one is replaced.

    `braked` counts the corrections that a brake made milder, `held` them by rule and
    limit.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    counts = {name: Counter[str]() for name in ("actions", "basis", "held")}
    braked = 0
    with (folder / "manifest.jsonl").open("wb") as lines:
        for correction in corrections:
            line = _line(correction)
            digest.update(line)
            lines.write(line)
            arrow = f"{correction.then_action} -> {correction.now.action.lower()}"
            counts["actions"][arrow] += 1
            counts["basis"][correction.basis] += 1
            counts["held"].update(_held(correction.now))
            braked += correction.now.braked
    summary = {
        "format": FORMAT,
        "request": dict(request),
        "corrections": counts["actions"].total(),
        "braked": braked,
        **{name: dict(counter.most_common()) for name, counter in counts.items()},
        "sha256": digest.hexdigest(),
    }
    written = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
    (folder / "manifest.json").write_text(written, "utf-8")
    return summary


def agreed_manifest(
    folder: Path, sha256: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """Read a manifest's summary, if it is the one that is agreed to.

    Raises:
        StartError: there is none, it is of another request, it was changed, or the
            hash is another's.
    """
    path = folder / "manifest.json"
    try:
        summary: dict[str, Any] = json.loads(path.read_text("utf-8"))
        is_ours = summary["format"] == FORMAT
        asked, named = summary["request"], str(summary["sha256"])
        with (folder / "manifest.jsonl").open("rb") as lines:
            found = hashlib.file_digest(lines, "sha256").hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StartError(
            f"{path} is no manifest ({error}); make one by a dry run, without --yes"
        ) from error
    if not is_ours or asked != json.loads(json.dumps(dict(request))):
        raise StartError(
            f"{path} was made for another request: {asked}; expected {dict(request)}"
        )
    if found != named:
        raise StartError(f"{folder}/manifest.jsonl was changed; make it anew")
    if len(sha256) < HASH_DIGITS or not found.startswith(sha256.lower()):
        raise StartError(
            f"--yes is {sha256!r}; expected the manifest's hash, of which "
            f"{HASH_DIGITS} digits will do: {found}"
        )
    return summary


def corrections_of(folder: Path) -> Iterator[Correction]:
    """Yield the corrections of a manifest.

    Raises:
        StartError: a line is none, or of another version of ours.
    """
    with (folder / "manifest.jsonl").open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                read = json.loads(line)
                now = record_from_json(read["now"], RiskDecision)
                then = read["then"]
                yield Correction(then["action"], then["clause"], read["basis"], now)
            except (ValueError, KeyError, CodecError) as error:
                where = f"{folder}/manifest.jsonl:{number}"
                raise StartError(f"{where} is no correction: {error}") from error


def _held(decision: RiskDecision) -> set[str]:
    """Name each rule that is held and by what: `spam: per_hour`."""
    return {f"{one.rule_id}: {one.reason.partition(':')[0]}" for one in decision.brakes}


def _line(correction: Correction) -> bytes:
    written = {
        "content_id": correction.content_id,
        "then": {
            "decision_id": correction.replaces,
            "action": correction.then_action,
            "clause": correction.then_clause,
        },
        "basis": correction.basis,
        "now": decision_to_json(correction.now),
    }
    return json.dumps(written, ensure_ascii=False).encode() + b"\n"
