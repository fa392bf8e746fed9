"""Connects to addresses that were checked, whatever the name means by now."""

import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import httpcore2

# Some servers answer without a user agent as they would a broken client: refuse.
USER_AGENT = "headgate"


class PinnedBackend(httpcore2.AsyncNetworkBackend):
    """Dials the given addresses in turn in place of the host's name.

    TLS still checks the name, and the Host header still carries it: both come from
    the URL, which is left alone.
    """

    def __init__(
        self, inner: httpcore2.AsyncNetworkBackend, addresses: Sequence[str]
    ) -> None:
        self._inner = inner
        self._addresses = addresses

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's own interface.
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers."""
        share_s = timeout / len(self._addresses) if timeout is not None else None
        for address in self._addresses[:-1]:
            try:
                return await self._inner.connect_tcp(
                    address, port, share_s, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(
            self._addresses[-1], port, share_s, local_address, socket_options
        )


@asynccontextmanager
async def pinned_get(
    url: httpcore2.URL,
    host: bytes,
    addresses: Sequence[str],
    *,
    inner: httpcore2.AsyncNetworkBackend,
    ssl_context: ssl.SSLContext,
    timeout_s: float,
) -> AsyncIterator[httpcore2.Response]:
    """Ask `host` for a URL at these addresses and yield the answer, its body unread.

    httpcore2 below httpx2 on purpose: it follows no redirect, unpacks nothing and
    takes no proxy, netrc or cookie from anywhere. Headers over 100 KiB are an error
    (its `MAX_INCOMPLETE_EVENT_SIZE`).
    """
    # Unpacked on the way, a small answer could become a huge one.
    headers: dict[bytes | str, bytes | str] = {
        "host": host,
        "accept": "*/*",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
    }
    waits = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)
    async with (
        httpcore2.AsyncConnectionPool(
            ssl_context=ssl_context,
            max_connections=1,
            network_backend=PinnedBackend(inner, addresses),
        ) as pool,
        pool.stream(
            "GET", url, headers=headers, extensions={"timeout": waits}
        ) as response,
    ):
        yield response
