"""Reads a policy's files: one file, or a folder with its tests below it."""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from streams.errors import StartError
from streams.policy import Policy
from streams.policy_file import TESTS, CheckedPolicy, parse_policy, parse_policy_folder
from streams.yaml_tree import MAX_BYTES, Place

# Of a folder. Ten thousand rules in files of three hundred are 40 files and 2 MB.
MAX_FILES = 1_000
MAX_FOLDER_BYTES = 16 * 1024 * 1024
_SUFFIX = ".yaml"
_NOTES = (".md", ".txt")  # For people; no part of the policy or its hash.


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    """A policy as it lies on disk: texts by their paths, tests apart from rules."""

    name: str
    is_folder: bool
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def tests(self) -> Mapping[str, str]:
        """The files with tests, by their whole paths."""
        return {
            f"{self.name}/{path}": text
            for path, text in self.texts.items()
            if self.is_folder and path.startswith(TESTS)
        }

    def checked(self) -> CheckedPolicy:
        """Read the policy.

        Raises:
            PolicyError: it can't be used.
        """
        with _no_collection():
            if self.is_folder:
                return parse_policy_folder(self.texts, self.name)
            (text,) = self.texts.values()
            return CheckedPolicy(parse_policy(text, self.name), ())


def read_policy_files(path: Path, setting: str = "") -> PolicyFiles:
    """Read a policy's files; `setting` names in errors where the path comes from.

    Raises:
        StartError: they can't be read.
        PolicyError: a file is too large, or is no part of a policy.
    """
    try:
        if not path.is_dir():
            return PolicyFiles(str(path), False, {path.name: _text(path, str(path))})
        return PolicyFiles(str(path), True, _folder(path))
    except (OSError, UnicodeDecodeError) as error:
        where = f"{setting}: " if setting else ""
        raise StartError(f"{where}{path} can't be read: {error}") from error


def read_policy(path: Path) -> Policy:
    """Read a policy from a file or a folder.

    Raises:
        StartError: it can't be read, or says something that is not a policy.
    """
    return read_policy_files(path, "HEADGATE_POLICY").checked().policy


@contextmanager
def _no_collection() -> Iterator[None]:
    """Make no garbage collection: half the time of reading ten thousand rules."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _folder(folder: Path) -> dict[str, str]:
    texts: dict[str, str] = {}
    size = 0
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in path.split("/"))
        if hidden or file.is_dir() or file.suffix in _NOTES:
            continue
        start = Place(f"{folder}/{path}", 1, 1)
        if file.suffix != _SUFFIX:
            remedy = f"rename it to end in {_SUFFIX}, or move it out of the folder"
            raise start.error(f"a file {file.suffix or 'of no kind'}", _SUFFIX, remedy)
        texts[path] = _text(file, f"{folder}/{path}")
        size += file.stat().st_size
        if len(texts) > MAX_FILES or size > MAX_FOLDER_BYTES:
            found = f"{len(texts)} files of {size} bytes so far"
            expected = f"at most {MAX_FILES} files and {MAX_FOLDER_BYTES} bytes"
            raise start.error(found, expected, "list what is alike in a bank")
    return texts


def _text(file: Path, name: str) -> str:
    """Read a file that is not too large to be looked at."""
    size = file.stat().st_size
    if size > MAX_BYTES:
        remedy = "shorten the policy, or make it a folder of files"
        raise Place(name, 1, 1).error(f"{size} bytes", f"at most {MAX_BYTES}", remedy)
    # Line ends as they are: the hash knows them.
    return file.read_bytes().decode("utf-8")
