"""Object stores: buckets on the list, in bounds, and no credential gets out."""

import asyncio
import logging
import time
import traceback

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from streams.errors import StartError, TransientError
from streams.media_objects import ObjectSource
from streams.settings import load_settings
from streams.wiring import build_store
from tests.security.stores import a_store, fetch, reason
from tests.security.trap import listening_trap
from tests.security.web import a_web, head

SONG = b"la la la"
KEY_ID, SECRET_KEY = "AKIACANARY00000000AB", "canary-secret-key"
BAD_KEYS = ["", "/", "//", "a//b", "../other/song", "deep/../../song", "./song"]


@pytest.fixture(autouse=True)
def credentials(monkeypatch):
    """What a machine's environment has; the tests look for it where it must not be."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)


@pytest.fixture(scope="module")
def endpoint():
    """An S3 on loopback with two buckets."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # A line a request.
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET_KEY,
        config=Config(proxies={}),
    )
    for bucket in ("uploads", "private"):
        client.create_bucket(Bucket=bucket)
        for key in ("song", "deep/a b", "a%20b?c#d", "Ünï/歌", "pod/song"):
            client.put_object(Bucket=bucket, Key=key, Body=SONG)
        client.put_object(Bucket=bucket, Key="empty", Body=b"")
        client.put_object(Bucket=bucket, Key="film", Body=bytes(3_000_000))
    yield address
    client.close()
    server.stop()


def objects(endpoint, *buckets, **fields):
    """Build a store over an S3 endpoint."""
    buckets = buckets or ("s3://uploads",)
    return a_store(buckets=buckets, endpoint=endpoint, **fields)


@pytest.mark.parametrize("key", ["song", "deep/a b", "a%20b?c#d", "Ünï/歌"])
def test_an_object_is_read_by_its_key_as_it_is(endpoint, key):
    """Keys are names, not paths: nothing in them is decoded."""
    assert fetch(objects(endpoint), f"s3://uploads/{key}").data == SONG


def test_a_large_object_comes_in_whole(endpoint):
    """It is read in several chunks."""
    store = objects(endpoint, max_bytes=3_000_000)

    assert fetch(store, "s3://uploads/film").data == bytes(3_000_000)


def test_a_missing_object_is_missing(endpoint):
    """No retry: a key or bucket that is not there is not there."""
    store = objects(endpoint, "s3://uploads", "s3://nowhere")

    assert reason(store, "s3://uploads/gone") == "not_found: no such object"
    assert reason(store, "s3://nowhere/song") == "not_found: no such object"


def test_an_empty_object_is_said_to_be_empty(endpoint):
    """Nothing at all is not media."""
    assert reason(objects(endpoint), "s3://uploads/empty") == "empty: 0 bytes"


@pytest.mark.parametrize(
    "uri",
    [
        "s3://private/song",
        "s3://uploads-2/song",
        "s3://uploads.private/song",
        "s3://me@uploads/song",
        "s3://uploads",
        "s3://uploads:80/song",
        "s3://Uploads/song",
        "s3:uploads/song",
        "gs://uploads/song",
        "az://uploads/song",
    ],
)
def test_only_buckets_on_the_list_are_read(endpoint, uri):
    """The whole name counts, and the scheme with it."""
    assert "HEADGATE_MEDIA_BUCKETS" in reason(objects(endpoint), uri)


@pytest.mark.parametrize("key", BAD_KEYS)
def test_no_key_leads_to_another_bucket_or_to_a_list(endpoint, key):
    """With no key, the store would answer with the names of all objects."""
    store = objects(endpoint, max_bytes=10**6)

    assert reason(store, f"s3://uploads/{key}").startswith("bad_uri")


@pytest.mark.parametrize("key", ["song", "pod", "pod/", "podcast/song", "pod/../song"])
def test_a_prefix_is_a_fence(endpoint, key):
    """Of a bucket that is listed with a prefix, what lies beside it is not read."""
    store = objects(endpoint, "s3://uploads/pod")

    assert fetch(store, "s3://uploads/pod/song").data == SONG
    assert reason(store, f"s3://uploads/{key}").split(":")[0] in (
        "not_allowed",
        "bad_uri",
    )


def test_an_object_over_the_limit_is_not_read(endpoint):
    """Its size is known before its bytes."""
    assert reason(objects(endpoint), "s3://uploads/film").startswith("too_large")


def test_its_size_is_known_from_a_head(endpoint):
    """The budget asks before it reads."""
    source = ObjectSource(["s3://uploads"], endpoint, timeout_s=5)

    assert asyncio.run(source.size_bytes("s3://uploads/film")) == 3_000_000


def test_an_object_that_says_it_is_huge_is_not_read():
    """10 GB told: refused by the header alone, with no byte of it waited for."""

    def answer(path, connection):
        connection.sendall(an_object(f"content-length: {10 * 1000**3}"))
        connection.recv(1)  # Until the other side hangs up.

    with a_web(answer) as web:
        assert attempt(objects(web.url)) == "too_large: over 2000 bytes"


def test_a_body_that_outgrows_its_limit_is_cut_off():
    """A store that lies about the size is not believed."""

    def answer(path, connection):
        connection.sendall(an_object("transfer-encoding: chunked"))
        while True:
            connection.sendall(b"10000\r\n" + bytes(0x10000) + b"\r\n")

    with a_web(answer) as web:
        found = attempt(objects(web.url, max_bytes=1 << 20))
    assert found.startswith(("too_large", "TransientError"))


def an_object(*headers):
    """Return the head of an S3 answer."""
    when = "last-modified: Mon, 23 Nov 2026 12:00:00 GMT"
    return head(200, when, 'etag: "x"', *headers)


def attempt(store, uri="s3://uploads/song"):
    """Return why there are no bytes: the reason, or the transient error."""
    try:
        return reason(store, uri)
    except TransientError as error:
        told = "".join(traceback.format_exception(error))
        return f"TransientError: {told}"


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "TransientError"),
        (401, "refused"),
        (403, "refused"),
        (404, "not_found"),
        (410, "TransientError"),
        (429, "TransientError"),
        (500, "TransientError"),
        (503, "TransientError"),
    ],
)
def test_no_credential_is_in_an_error(status, word, capfd):
    """S3 quotes the key id in its refusals; neither error, traceback nor log does."""
    body = f"<Error><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId>{SECRET_KEY}</Error>"

    def answer(path, connection):
        told = head(status, f"content-length: {len(body)}")
        connection.sendall(told + body.encode())

    with a_web(answer) as web:
        found = attempt(objects(web.url))
    assert found.startswith(word)
    out = found + "".join(capfd.readouterr())
    assert KEY_ID not in out
    assert SECRET_KEY not in out
    assert len(web.requests) == 1  # Our retries only: obstore's would come on top.


def test_a_store_that_is_away_is_asked_again():
    """A refused connection may pass."""
    assert attempt(objects("http://127.0.0.1:9")).startswith("TransientError")


def test_a_slow_drip_ends_at_the_time_limit():
    """Bytes that keep coming do not extend it."""

    def answer(path, connection):
        connection.sendall(an_object("content-length: 1000"))
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    with a_web(answer) as web:
        started_s = time.monotonic()
        assert attempt(objects(web.url, timeout_s=0.5)).startswith("TransientError")
    assert time.monotonic() - started_s < 2


def test_no_proxy_is_taken_from_the_environment(endpoint, monkeypatch):
    """Left alone, obstore takes one; it would see the signed requests."""
    with listening_trap() as trap:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
        named = endpoint.replace("127.0.0.1", "localhost")
        assert fetch(objects(endpoint), "s3://uploads/song").data == SONG
        assert fetch(objects(named), "s3://uploads/song").data == SONG
    assert trap.connections == []


@pytest.mark.parametrize(
    "bucket",
    ["uploads", "s3://", "file:///etc", "http://x/y", "memory://x", "az://no-account"],
)
def test_a_bucket_that_can_not_be_used_refuses_to_start(bucket, monkeypatch):
    """The sentence names the setting, the value and the forms that work."""
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)

    with pytest.raises(StartError, match=r"HEADGATE_MEDIA_BUCKETS: '.*s3://BUCKET"):
        build_store(load_settings(media_buckets=(bucket,)))


@pytest.mark.parametrize(
    "bucket", ["gs://uploads", "abfss://uploads@account.dfs.core.windows.net/pod"]
)
def test_googles_and_azures_buckets_can_be_listed(bucket):
    """They open without a request; reading needs their clouds."""
    ObjectSource([bucket], None, timeout_s=5)
