"""A web server on loopback that answers with raw bytes: also what no server would."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

# Is given the path and the connection, and writes what it likes.
Answer = Callable[[str, socket.socket], None]


class Web:
    """One thread a connection; keeps the head of each request."""

    def __init__(self, answer: Answer, host: str, wrap: Callable | None) -> None:
        self.requests: list[str] = []
        self.sent_bytes = 0
        self._answer = answer
        self._wrap = wrap or (lambda connection: connection)
        self._listener = socket.create_server(
            (host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        )
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError), raw, self._wrap(raw) as connection:
            head = connection.recv(65536).decode("latin-1")
            if not head:
                return
            self.requests.append(head)
            self._answer(head.split(" ")[1], connection)
            with suppress(OSError):  # Not every socket can: TLS says so.
                connection.shutdown(socket.SHUT_WR)


@contextmanager
def a_web(
    answer: Answer, host: str = "127.0.0.1", wrap: Callable | None = None
) -> Iterator[Web]:
    """Yield a running server; `wrap` may put TLS round a connection."""
    web = Web(answer, host, wrap)
    try:
        yield web
    finally:
        web.close()


def plain(body: bytes) -> Answer:
    """Answer 200 with a body, its length told."""

    def answer(path: str, connection: socket.socket) -> None:
        connection.sendall(head(200, f"content-length: {len(body)}") + body)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    """Answer with a redirect."""

    def answer(path: str, connection: socket.socket) -> None:
        connection.sendall(head(status, f"location: {location}", "content-length: 0"))

    return answer


def head(status: int, *headers: str) -> bytes:
    """Return a status line and headers."""
    lines = [f"HTTP/1.1 {status} Said", *headers, "connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")
