import asyncio
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from schemas.records import MediaRef
from streams.errors import TransientError
from streams.media import MediaStore

SONG = b"la la la" * 100


def fetch(store, uri, **more):
    """Fetch one piece of media."""
    return asyncio.run(store.fetch(MediaRef("audio", uri, **more)))


def reason(store, uri, **more):
    """Return why media is missing."""
    return fetch(store, uri, **more).missing.reason


@pytest.fixture
def folder(tmp_path):
    """A media root with a song in it, and a secret beside it."""
    root = tmp_path / "root"
    (root / "deep").mkdir(parents=True)
    (root / "deep" / "a song.mp3").write_bytes(SONG)
    (tmp_path / "secret").write_bytes(b"secret")
    return root


@pytest.fixture
def files(folder):
    """A store of files below the root."""
    return MediaStore(root=folder, hosts=(), max_bytes=2000, timeout_s=5)


def test_a_file_below_the_root_is_read(files, folder):
    """Percent-encoded names are decoded once."""
    uri = (folder / "deep" / "a song.mp3").as_uri()

    assert fetch(files, uri).data == SONG


@pytest.mark.parametrize("name", ["../secret", "deep/../../secret", "/etc/passwd"])
def test_no_path_leads_outside_the_root(files, folder, name):
    """Neither .. nor an absolute path is followed."""
    uri = f"file://{name}" if name.startswith("/") else f"file://{folder}/{name}"

    assert reason(files, uri).startswith("not_allowed")


@pytest.mark.parametrize("target", ["link", "linked_folder/secret"])
def test_no_link_leads_outside_the_root(files, folder, target):
    """A link is not opened, be it the file or a folder on the way."""
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "linked_folder").symlink_to(folder.parent)

    assert reason(files, f"file://{folder}/{target}").startswith("not_readable")


def test_a_missing_file_is_named_so(files, folder):
    """What is not there is missing for good; no retry."""
    assert reason(files, f"file://{folder}/gone.mp3").startswith("not_found")


def test_a_named_pipe_does_not_hold_the_worker_up(files, folder):
    """Only regular files are read."""
    import os

    os.mkfifo(folder / "pipe")

    assert reason(files, f"file://{folder}/pipe") == "not_found: it is not a file"


def test_a_file_over_the_limit_is_not_read(files, folder):
    """Size is checked before the bytes are read."""
    (folder / "huge.wav").write_bytes(bytes(2001))

    assert reason(files, f"file://{folder}/huge.wav").startswith("too_large")


def test_an_empty_file_is_said_to_be_empty(files, folder):
    """Nothing at all is not media."""
    (folder / "empty.wav").write_bytes(b"")

    assert reason(files, f"file://{folder}/empty.wav").startswith("empty")


def test_a_checksum_is_verified(files, folder):
    """Other bytes than the event promised are not judged in their place."""
    uri = (folder / "deep" / "a song.mp3").as_uri()
    right = hashlib.sha256(SONG).hexdigest()

    assert fetch(files, uri, sha256=right.upper()).data == SONG
    assert reason(files, uri, sha256="0" * 64).startswith("checksum_mismatch")


@pytest.mark.parametrize(
    "uri", ["ftp://x/y", "concat:a|b", "data:,x", "", "http://[bad", "file:a\0b"]
)
def test_odd_uris_are_refused_not_raised(files, uri):
    """Whatever an event names, the answer is a reason."""
    assert reason(files, uri).split(":")[0] in ("not_allowed", "bad_uri")


def test_without_a_root_no_file_is_read(folder):
    """Reading files has to be allowed first."""
    store = MediaStore(root=None, hosts=(), max_bytes=2000, timeout_s=5)

    assert "HEADGATE_MEDIA_ROOT" in reason(store, f"file://{folder}/deep/a%20song.mp3")


class Answers(BaseHTTPRequestHandler):
    """A media store on loopback whose paths say how it answers."""

    def do_GET(self):
        """Answer."""
        status = int(self.path.strip("/")) if self.path[1:].isdigit() else 200
        body = bytes(5000) if self.path == "/huge" else SONG
        self.send_response(status)
        if self.path == "/302":
            self.send_header("location", "/song")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Keep quiet."""


@pytest.fixture(scope="module")
def server():
    """A media store on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def web():
    """A store that may ask loopback."""
    return MediaStore(
        root=None,
        hosts=["127.0.0.1"],
        networks=["127.0.0.1/32"],
        max_bytes=2000,
        timeout_s=5,
    )


def test_an_allowed_host_is_asked(web, server):
    """The bytes come back as they are."""
    assert fetch(web, f"{server}/song").data == SONG


def test_a_host_that_is_not_listed_is_not_asked(files, server):
    """No connection is made."""
    assert "HEADGATE_MEDIA_HOSTS" in reason(files, f"{server}/song")


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_store_in_trouble_is_asked_again(web, server, status):
    """These may pass, so they are transient."""
    with pytest.raises(TransientError, match=str(status)):
        fetch(web, f"{server}/{status}")


def test_a_store_that_is_away_is_asked_again(web):
    """A refused connection may pass."""
    with pytest.raises(TransientError):
        fetch(web, "http://127.0.0.1:9/song")


@pytest.mark.parametrize(
    ("status", "word"), [(404, "not_found"), (403, "refused"), (301, "refused")]
)
def test_a_plain_no_is_final(web, server, status, word):
    """Gone is gone; a redirect without a target is no better."""
    assert reason(web, f"{server}/{status}").startswith(word)


def test_a_redirect_is_followed(web, server):
    """Stores redirect to where the bytes lie."""
    assert fetch(web, f"{server}/302").data == SONG


def test_a_body_over_the_limit_is_cut_off(web, server):
    """Reading stops at the limit, whatever the headers promise."""
    assert reason(web, f"{server}/huge").startswith("too_large")
