"""Reads media from files below one root, following no link on the way."""

import asyncio
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from streams.media_source import Told, TooLargeError, UnavailableError


class FileSource:
    """`file:` URIs below the root; with no root, none."""

    def __init__(self, root: Path | None) -> None:
        self._root = root.absolute() if root is not None else None

    async def size_bytes(self, uri: str) -> int:
        """Return the size as the file system has it."""
        return await asyncio.to_thread(self._size_bytes, uri)

    async def read(self, uri: str, limit_bytes: int, told: Told) -> bytes:
        """Return the file's bytes."""
        return await asyncio.to_thread(self._read, uri, limit_bytes)

    def _size_bytes(self, uri: str) -> int:
        with self._opened(uri) as descriptor:
            return _regular_size(descriptor)

    def _read(self, uri: str, limit_bytes: int) -> bytes:
        with self._opened(uri) as descriptor:
            size = _regular_size(descriptor)
            if size > limit_bytes:
                raise TooLargeError(limit_bytes)
            if not size:  # The kernel's own files (/proc) say so, and yield secrets.
                return b""
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:  # It grew since.
            raise TooLargeError(limit_bytes)
        return data

    @contextmanager
    def _opened(self, uri: str) -> Iterator[int]:
        if self._root is None:
            raise UnavailableError("not_allowed: HEADGATE_MEDIA_ROOT is not set")
        parts = _parts_below(self._root, _path_of(uri))
        descriptor = _open_below(self._root.resolve(), parts)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _path_of(uri: str) -> str:
    """Return the path, percent-decoded once; what decodes to `%2e` stays that."""
    split = urlsplit(uri)
    if split.netloc not in ("", "localhost"):
        raise UnavailableError("not_allowed: a file: URI names no host")
    return unquote(split.path)


def _regular_size(descriptor: int) -> int:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UnavailableError("not_found: it is not a file")
    return status.st_size


def _parts_below(root: Path, name: str) -> tuple[str, ...]:
    """Return the steps from the root to the named file, or refuse."""
    if "\0" in name:
        raise UnavailableError("bad_uri: a NUL in the path")
    path = PurePosixPath(name)
    if ".." in path.parts:
        raise UnavailableError("not_allowed: .. in the path")
    try:
        return path.relative_to(root).parts
    except ValueError as error:
        raise UnavailableError("not_allowed: outside HEADGATE_MEDIA_ROOT") from error


def _open_below(root: Path, parts: tuple[str, ...]) -> int:
    """Open step by step with O_NOFOLLOW, so that no link can lead outside."""
    if not parts:
        raise UnavailableError("not_found: it is a folder")
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for part in parts[:-1]:
            deeper = os.open(
                part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder
            )
            os.close(folder)
            folder = deeper
        # Non-blocking, so that a named pipe can't hold the worker up.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        return os.open(parts[-1], flags, dir_fd=folder)
    except FileNotFoundError as error:
        raise UnavailableError("not_found: no such file") from error
    except OSError as error:
        reason = f"not_readable: {os.strerror(error.errno or 0)}"
        raise UnavailableError(reason) from error
    finally:
        if folder >= 0:
            os.close(folder)
