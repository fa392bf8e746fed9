"""A store of media on loopback that answers 500 for as long as it is told to."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self


class FlakyMediaStore:
    """Serves the files of a folder over http; `failing` makes it an outage."""

    def __init__(self, folder: Path) -> None:
        self.failing = False
        self.refused = 0
        store = self

        class Answer(BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self) -> None:
                """Send the file, or 500."""
                file = folder / Path(self.path).name
                if store.failing:
                    store.refused += 1
                    self.send_error(500)
                elif not file.is_file():
                    self.send_error(404)
                else:
                    data = file.read_bytes()
                    self.send_response(200)
                    self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Return where it listens, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
