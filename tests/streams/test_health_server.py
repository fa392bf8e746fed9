import json
import socket
import urllib.error
import urllib.request

import pytest

from streams.errors import StartError
from streams.health import Health
from streams.health_server import MOST_AT_ONCE, HealthServer
from streams.metrics import Metrics


@pytest.fixture
def health():
    """The health of a worker that joined its group."""
    health = Health(["g"])
    health.tick([], {"g": True})
    return health


@pytest.fixture
def server(health):
    """A server on a free port."""
    with HealthServer(
        "127.0.0.1:0", health, Metrics("1.2.3"), {"ffmpeg": "8.1.2"}
    ) as server:
        yield server


def get(server, path):
    """Return the status and the body of an answer."""
    try:
        with urllib.request.urlopen(f"http://{server.address}{path}") as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_a_ready_worker_says_so_and_what_decodes_for_it(server):
    """200, with FFmpeg's version for who looks for its CVEs."""
    status, body = get(server, "/readyz")

    assert (status, json.loads(body)) == (
        200,
        {"ok": True, "problems": [], "ffmpeg": "8.1.2"},
    )


def test_a_worker_that_stops_lives_but_is_not_ready(server, health):
    """503 says why."""
    health.stopping = True

    assert get(server, "/healthz")[0] == 200
    status, body = get(server, "/readyz")
    assert (status, json.loads(body)["problems"]) == (503, ["it is stopping"])


def test_metrics_are_prometheus_text(server):
    """Names with units, and the version that runs."""
    status, body = get(server, "/metrics")

    assert status == 200
    assert b'headgate_build_info{version="1.2.3"} 1.0' in body
    assert b"headgate_process_resident_memory_bytes" in body


def test_another_path_lists_the_known(server):
    """Whoever mistypes one sees the right ones."""
    status, body = get(server, "/health")

    assert status == 404
    assert json.loads(body)["expected"] == ["/healthz", "/metrics", "/readyz"]


def test_a_flood_of_connections_is_hung_up_on(server):
    """More at once than any use needs hold no threads."""
    host, _, port = server.address.rpartition(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(MOST_AT_ONCE)]
    try:
        with socket.create_connection((host, int(port)), timeout=3) as late:
            late.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            with pytest.raises((ConnectionError, AssertionError)):
                assert late.recv(100), "hung up"
    finally:
        for one in idle:
            one.close()


def test_an_address_that_cannot_be_used_is_named(health):
    """One sentence with the setting, the value and what was expected."""
    with pytest.raises(StartError, match=r"HEADGATE_HTTP_ADDRESS is 'nowhere'"):
        HealthServer("nowhere", health, Metrics("0"), {})
