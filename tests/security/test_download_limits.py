"""A media store may send what it likes: a worker takes so much, for so long."""

import asyncio
import socket
import ssl
import threading
import time
import zlib
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from schemas.records import MediaRef
from streams.addresses import AddressGuard
from streams.errors import TransientError
from streams.media_http import HttpSource
from tests.security.stores import LOOPBACK, Resolver, a_store, fetch, reason
from tests.security.trap import listening_trap
from tests.security.web import a_web, head, plain, redirect

SONG = b"la la la"
HUGE = 10 * 1000**3  # 10 GB.
MIB = 1 << 20


def web_store(**fields):
    """Build a store that may ask loopback."""
    return a_store(**({"hosts": ["127.0.0.1", "::1"], "networks": LOOPBACK} | fields))


def endless(*headers):
    """Answer with a body that never ends, as fast as it is read."""

    def answer(path, connection):
        connection.sendall(head(200, *headers))
        chunk = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        while True:
            answer.sent_bytes += connection.send(chunk)

    answer.sent_bytes = 0
    return answer


def test_a_body_that_says_it_is_huge_is_not_read():
    """10 GB told: refused by the header alone, with no byte of it waited for."""

    def answer(path, connection):
        connection.sendall(head(200, f"content-length: {HUGE}"))
        connection.recv(1)  # Until the other side hangs up.

    with a_web(answer) as web:
        assert reason(web_store(), f"{web.url}/song") == "too_large: over 2000 bytes"


def test_a_body_that_hides_its_size_is_cut_off():
    """Chunks without end: reading stops at the limit."""
    answer = endless("transfer-encoding: chunked")
    with a_web(answer) as web:
        store = web_store(max_bytes=MIB)
        assert reason(store, f"{web.url}/song").startswith("too_large")
    assert answer.sent_bytes < 20 * MIB  # What sockets hold.


@pytest.mark.parametrize("part", ["status", "head", "body", "redirects"])
def test_a_slow_drip_ends_at_the_time_limit(part):
    """The limit is for the whole fetch: bytes that keep coming do not extend it."""

    def answer(path, connection):
        if part == "redirects":
            time.sleep(0.2)
            redirect("/again")(path, connection)
            return
        if part == "body":
            connection.sendall(head(200, "content-length: 2000"))
        elif part == "head":
            connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    with a_web(answer) as web:
        started_s = time.monotonic()
        with pytest.raises(TransientError, match=r"longer than 0\.5 s"):
            fetch(web_store(timeout_s=0.5), f"{web.url}/song")
    assert time.monotonic() - started_s < 2


def test_nothing_is_unpacked():
    """A bomb stays as small as it was sent; and it was asked not to be packed."""
    bomb = zlib.compress(bytes(100 * MIB), 9)

    def answer(path, connection):
        length = f"content-length: {len(bomb)}"
        connection.sendall(head(200, "content-encoding: deflate", length) + bomb)

    with a_web(answer) as web:
        assert fetch(web_store(max_bytes=MIB), f"{web.url}/song").data == bomb
    assert "accept-encoding: identity" in web.requests[0].lower()


def test_headers_without_end_are_an_error():
    """They are read up to 100 KiB."""

    def answer(path, connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x-more: " + b"x" * 1000 + b"\r\n")

    with a_web(answer) as web, pytest.raises(TransientError, match="ProtocolError"):
        fetch(web_store(), f"{web.url}/song")


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999999999999999\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nxxxxxx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\nx",
        b"HTTP/1.1 302 OK\r\nlocation: http://[bad\r\n\r\n",
        b"HTTP/1.1 302 OK\r\nlocation: \xff\xfe\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\nxxxx",
        b"",
    ],
)
def test_what_is_no_answer_is_no_crash(said):
    """It is tried again, or missing; never bytes, never another error."""

    def answer(path, connection):
        connection.sendall(said)

    with a_web(answer) as web, suppress(TransientError):
        assert fetch(web_store(), f"{web.url}/song").data is None


def test_room_is_given_back_as_soon_as_the_length_is_told():
    """Before the body is there, only what it will need is held."""
    go_on = threading.Event()

    def answer(path, connection):
        connection.sendall(head(200, f"content-length: {len(SONG)}"))
        go_on.wait(5)
        connection.sendall(SONG)

    async def borrow(store, uri):
        async with store.borrow([MediaRef("audio", uri)]) as (fetched,):
            return fetched.data

    async def run():
        store = web_store()
        task = asyncio.create_task(borrow(store, f"{web.url}/song"))
        async with asyncio.timeout(5):
            while store.budget.held_bytes != len(SONG):
                await asyncio.sleep(0.01)
        go_on.set()
        assert await task == SONG

    with a_web(answer) as web:
        asyncio.run(run())


def test_a_body_that_ends_early_is_tried_again():
    """Half a song is not judged in its place."""

    def answer(path, connection):
        connection.sendall(head(200, "content-length: 100") + SONG)

    with a_web(answer) as web, pytest.raises(TransientError):
        fetch(web_store(), f"{web.url}/song")


def test_no_proxy_is_taken_from_the_environment(monkeypatch):
    """A proxy would see every upload, and resolve names on its own."""
    with listening_trap() as trap, a_web(plain(SONG)) as web:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        assert fetch(web_store(), f"{web.url}/song").data == SONG
    assert trap.connections == []


def test_no_password_is_taken_from_netrc(monkeypatch, tmp_path):
    """What this machine's user may do elsewhere is not shown to media stores."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password canary")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with a_web(plain(SONG)) as web:
        fetch(web_store(), f"{web.url}/song")

    assert "authorization" not in web.requests[0].lower()


def test_the_name_stays_in_the_request():
    """The Host header says what the URI said, not the address that was dialled."""
    with a_web(plain(SONG)) as web:
        resolve = Resolver(["127.0.0.1"])
        store = web_store(hosts=["media.example"], resolve=resolve)
        fetch(store, f"http://media.example:{web.port}/a%20song?v=1#part")

    first, *headers = web.requests[0].split("\r\n")
    assert first == "GET /a%20song?v=1 HTTP/1.1"
    assert f"host: media.example:{web.port}" in [line.lower() for line in headers]


def test_an_address_of_version_6_can_be_asked():
    """It goes in brackets in the URI and in the Host header."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 on this machine's loopback")
    with a_web(plain(SONG), host="::1") as web:
        assert fetch(web_store(), f"http://[::1]:{web.port}/song").data == SONG
    assert f"host: [::1]:{web.port}" in web.requests[0].lower()


def test_the_next_address_is_tried_when_one_is_away():
    """Hosts have several so that one may be down."""
    with a_web(plain(SONG)) as web:
        resolve = Resolver(["127.0.0.9", "127.0.0.1"])  # Nobody listens on the first.
        store = web_store(hosts=["media.example"], resolve=resolve)

        uri = f"http://media.example:{web.port}/song"
        assert fetch(store, uri).data == SONG


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for media.example, signed by itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "media.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("media.example")]), False
        )
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file


def https_read(web, certificate, host):
    """Fetch /song from the server under a name."""
    trusting = ssl.create_default_context(cafile=certificate)
    guard = AddressGuard(LOOPBACK, Resolver(["127.0.0.1"]))
    source = HttpSource([host], guard, timeout_s=5, ssl_context=trusting)
    uri = f"https://{host}:{web.port}/song"
    return asyncio.run(source.read(uri, 2000, lambda size: None))


def a_tls_web(answer, certificate, seen=None):
    """Build a server that speaks TLS and notes the names it is asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    if seen is not None:
        context.sni_callback = lambda tls, name, _: seen.append(name)
    return a_web(answer, wrap=lambda raw: context.wrap_socket(raw, server_side=True))


def test_tls_checks_the_name_not_the_address(certificate):
    """The server is asked for by name, and its certificate must be that name's."""
    seen = []
    with a_tls_web(plain(SONG), certificate, seen) as web:
        assert https_read(web, certificate, "media.example") == SONG
        with pytest.raises(TransientError):
            https_read(web, certificate, "other.example")
    assert seen == ["media.example", "other.example"]


def test_no_redirect_leaves_tls(certificate):
    """A redirect from https to http is refused, even to the same host."""
    with a_web(plain(SONG)) as bare:
        target = f"http://media.example:{bare.port}/song"
        with (
            a_tls_web(redirect(target), certificate) as web,
            pytest.raises(Exception, match="from https to http"),
        ):
            https_read(web, certificate, "media.example")
    assert bare.requests == []
