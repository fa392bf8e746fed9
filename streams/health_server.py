"""`/healthz`, `/readyz` and `/metrics` over HTTP, from a thread of their own.

Own thread, so that it answers when the event loop hangs and says that it does.
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from streams.errors import StartError
from streams.health import Health
from streams.metrics import Metrics

# A probe that takes longer to send its request line is no probe.
REQUEST_S = 5.0
# A kubelet, a Prometheus and a person; the rest is a flood.
MOST_AT_ONCE = 16
_JSON = "application/json"
Answer = tuple[int, str, bytes]  # Status, content type, body.


class HealthServer:
    """Serves a worker's health until it is closed."""

    def __init__(
        self, address: str, health: Health, metrics: Metrics, facts: dict[str, str]
    ) -> None:
        """Listen at once.

        Args:
            address: host:port to listen on; port 0 takes a free one.
            health: what the probes tell.
            metrics: what `/metrics` tells.
            facts: versions, told by `/readyz`.

        Raises:
            StartError: the address can't be listened on.
        """
        self._health = health
        self._metrics = metrics
        self._facts = facts
        host, _, port = address.rpartition(":")
        try:
            self._server = _BoundedServer(
                (host.strip("[]"), int(port)), _handler(self._routes())
            )
        except (OSError, ValueError, OverflowError) as error:
            raise StartError(
                f"HEADGATE_HTTP_ADDRESS is {address!r}, which can't be listened on: "
                f"{error}; expected host:port, e.g. 127.0.0.1:8080 (port 0: any)"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, host:port."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _routes(self) -> dict[str, Callable[[], Answer]]:
        return {
            "/healthz": lambda: _probe(self._health.live_problems(), {}),
            "/readyz": lambda: _probe(self._health.ready_problems(), self._facts),
            "/metrics": lambda: (
                200,
                CONTENT_TYPE_LATEST,
                generate_latest(self._metrics.registry),
            ),
        }


class _BoundedServer(ThreadingHTTPServer):
    """Answers few at once; whoever comes on top is hung up on."""

    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        self._slots = threading.BoundedSemaphore(MOST_AT_ONCE)
        super().__init__(*args)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()


def _probe(problems: list[str], facts: dict[str, str]) -> Answer:
    body = {"ok": not problems, "problems": problems, **facts}
    return 503 if problems else 200, _JSON, json.dumps(body).encode() + b"\n"


def _handler(routes: dict[str, Callable[[], Answer]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = REQUEST_S
        server_version = "headgate"
        sys_version = ""

        def do_GET(self) -> None:
            """Answer one probe."""
            route = routes.get(self.path.partition("?")[0])
            if route is None:
                known = {"error": "not found", "expected": sorted(routes)}
                self._send(404, _JSON, json.dumps(known).encode() + b"\n")
            else:
                self._send(*route())

        do_HEAD = do_GET

        def _send(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: probes come each second."""

    return Handler
