"""No file: URI leads out of the media root, whatever else happens on the disk."""

import os
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.security.stores import a_store, fetch, reason

SONG = b"la la la"
SECRET = b"secret"
SWAPS = 400  # Enough for the swap to fall between any two of our system calls.


@pytest.fixture
def root(tmp_path):
    """A media root with a song in it, and a secret beside it."""
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "song").write_bytes(SONG)
    (tmp_path / "secret").write_bytes(SECRET)
    return root


@pytest.fixture
def files(root):
    """A store of files below the root."""
    return a_store(root=root)


@pytest.mark.parametrize(
    "path",
    [
        "{root}/../secret",
        "{root}/deep/../../secret",
        "{root}/%2e%2e/secret",
        "{root}/%2E%2E%2Fsecret",
        "{root}/deep%2f..%2f..%2fsecret",
        "{root}/%252e%252e/secret",  # Decoded once: a name with percent signs.
        "{root}/..%00/secret",
        "{root}/deep/song%00.mp3",
        "{root}/../root/../secret",
        "{root}/．．/secret",  # Full-width dots,
        "{root}/%EF%BC%8E%EF%BC%8E/secret",
        "{root}/‥/secret",  # a two-dot leader,
        "{root}/․․/secret",  # and one-dot leaders: never dots.
        "{root}/%c0%ae%c0%ae/secret",  # Overlong UTF-8.
        "{root}/..\\secret",
        "{root}//..//secret",
        "{root}x/../secret",
        "/etc/passwd",
        "//etc/passwd",
        "/proc/self/environ",
        "/proc/self/root{root}/deep/song",
        "/dev/zero",
        "",
        "/",
        "{root}",
        "{root}/",
        "{root}/deep",
    ],
)
def test_no_spelling_leads_outside(files, root, path):
    """Each is refused or not found, and never anything but the song."""
    found = fetch(files, f"file://{path.format(root=root)}")

    assert found.data is None


@pytest.mark.parametrize(
    "uri", ["file:///x?a", "file:secret", "file:../secret", "file:\ud800", "file:%ff"]
)
def test_odd_uris_have_a_reason(files, uri):
    """A relative path, half a character: refused, not raised."""
    assert reason(files, uri).split(":")[0] in ("not_allowed", "bad_uri")


@pytest.mark.parametrize("host", ["example.com", "127.0.0.1", "user@localhost", "."])
def test_a_host_is_no_way_to_another_machine(files, root, host):
    """file: means this machine."""
    assert reason(files, f"file://{host}{root}/deep/song").startswith("not_allowed")


def test_a_long_name_is_refused_by_the_file_system(files, root):
    """Not raised."""
    assert reason(files, f"file://{root}/{'x' * 3000}").startswith("not_readable")


def test_a_name_with_odd_letters_is_only_a_name(files, root):
    """What looks like dots is a letter like any other."""
    (root / "．．").write_bytes(SONG)

    assert fetch(files, f"file://{root}/{quote('．．')}").data == SONG


@pytest.mark.parametrize("target", ["link", "linked/secret", "deep/loop"])
def test_links_are_not_followed(files, root, target):
    """Not at the end, not on the way."""
    (root / "link").symlink_to(root.parent / "secret")
    (root / "linked").symlink_to(root.parent)
    (root / "deep" / "loop").symlink_to("loop")

    assert reason(files, f"file://{root}/{target}").startswith("not_readable")


def swapping(first, second, stop):
    """Swap two names for each other, over and over."""
    third = first.with_name("third")
    while not stop.is_set():
        first.rename(third)
        second.rename(first)
        third.rename(second)


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_that_is_swapped_in_meanwhile_is_not_followed(files, root, what):
    """However the swap falls, the bytes are the song's or none."""
    (root.parent / "outside").mkdir()
    (root.parent / "outside" / "song").write_bytes(SECRET)
    target = root / "deep" if what == "folder" else root / "deep" / "song"
    away = root.parent / "outside" if what == "folder" else root.parent / "secret"
    decoy = target.with_name("decoy")
    decoy.symlink_to(away)
    stop = threading.Event()
    swapper = threading.Thread(target=swapping, args=(target, decoy, stop))
    swapper.start()
    source = files._sources["file"]

    seen = set()
    try:
        # Longer where the swapping thread gets more of the processor than this one.
        for count in range(50 * SWAPS):
            seen.add(attempt(source, f"file://{root}/deep/song"))
            if count >= SWAPS and SONG in seen:
                break
    finally:
        stop.set()
        swapper.join()
    assert seen <= {SONG, None}
    assert SONG in seen  # The race was run, not lost at once.


def attempt(source, uri):
    """Read once, or None."""
    from streams.media_source import UnavailableError

    try:
        return source._read(uri, 100)
    except UnavailableError:
        return None


def test_pipes_sockets_and_devices_are_not_read(root):
    """Only regular files are; the others could wait for ever, or never end."""
    os.mkfifo(root / "pipe")
    store = a_store(root=Path("/dev"))

    assert reason(a_store(root=root), f"file://{root}/pipe").startswith("not_found")
    for device in ("zero", "tty", "null"):
        code = reason(store, f"file:///dev/{device}").split(":")[0]
        assert code in ("not_found", "not_readable")


def test_the_kernels_own_files_have_no_bytes():
    """Even with / as the root: they say they are empty, and are taken at their word."""
    store = a_store(root=Path("/"))

    for name in ("environ", "cmdline", "maps"):
        uri = f"file:///proc/{os.getpid()}/{name}"
        assert reason(store, uri) == "empty: 0 bytes"
