"""A port on loopback that nobody should ever connect to, and counts who does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Trap:
    """Listens on 127.0.0.1 and, where the machine has it, on ::1 at the same port."""

    def __init__(self) -> None:
        self.connections: list[str] = []
        first = socket.create_server(("127.0.0.1", 0))
        self.port: int = first.getsockname()[1]
        self._listeners = [first]
        with suppress(OSError):  # No IPv6 here, or the port is taken there.
            six = socket.create_server(("::1", self.port), family=socket.AF_INET6)
            self._listeners.append(six)
        self._threads = [
            threading.Thread(target=self._accept, args=(listener,), daemon=True)
            for listener in self._listeners
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # Wakes `accept`.
            listener.close()
        for thread in self._threads:
            thread.join()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, address = listener.accept()
            except OSError:
                return
            self.connections.append(address[0])
            connection.close()


@contextmanager
def listening_trap() -> Iterator[Trap]:
    """Yield a trap; whoever uses it asserts that `connections` stays empty."""
    trap = Trap()
    try:
        yield trap
    finally:
        trap.close()
