"""Downloads media over http and https from hosts on a list, at checked addresses."""

import asyncio
import ssl
from collections.abc import Iterable
from functools import cache
from io import BytesIO

import httpcore2
import httpx2

from streams.addresses import AddressGuard
from streams.errors import TransientError
from streams.media_source import Told, TooLargeError, UnavailableError
from streams.pinned_connection import pinned_get

# A store redirects once, to where the bytes lie; a CDN before it makes two.
MAX_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
# They may pass: request timeout, too early, too many requests; and every 5xx.
_PASSING = frozenset({408, 425, 429})


class HttpSource:
    """`http:` and `https:` URIs of the given hosts; each redirect is judged anew."""

    def __init__(
        self,
        hosts: Iterable[str],
        addresses: AddressGuard,
        timeout_s: float,
        *,
        ssl_context: ssl.SSLContext | None = None,
        backend: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._addresses = addresses
        self._timeout_s = timeout_s
        self._ssl_context = ssl_context
        self._backend = backend or httpcore2.AnyIOBackend()

    async def size_bytes(self, uri: str) -> None:
        """Return None: a HEAD would cost a round trip, and signed URLs refuse it."""

    async def read(self, uri: str, limit_bytes: int, told: Told) -> bytes:
        """Return the body, within the time limit, redirects and all."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._follow(uri, limit_bytes, told)
        except TimeoutError as error:
            raise TransientError(
                f"media took longer than {self._timeout_s} s to fetch"
            ) from error
        except httpcore2.LocalProtocolError as error:
            raise UnavailableError("bad_uri: it can't be requested") from error
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
        ) as error:
            raise TransientError(f"media store: {type(error).__name__}") from error

    async def _follow(self, uri: str, limit_bytes: int, told: Told) -> bytes:
        url = _parsed(uri)
        for _ in range(MAX_REDIRECTS + 1):
            answer = await self._get(url, limit_bytes, told)
            if isinstance(answer, bytes):
                return answer
            url = answer
        raise UnavailableError(f"refused: more than {MAX_REDIRECTS} redirects")

    async def _get(
        self, url: httpx2.URL, limit_bytes: int, told: Told
    ) -> bytes | httpx2.URL:
        """Return the body, or where the store says it is."""
        host, port = self._checked(url)
        addresses = await self._addresses.checked(host, port)
        # The URL is taken apart once: what was judged is what is asked for.
        target = httpcore2.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path
        )
        async with pinned_get(
            target,
            url.netloc,  # With brackets round IPv6, which httpcore2 would leave out.
            addresses,
            inner=self._backend,
            ssl_context=self._ssl_context or _system_tls(),
            timeout_s=self._timeout_s,
        ) as response:
            if response.status in _REDIRECTS:
                return _redirected(url, response)
            _check_status(response.status)
            return await _body(response, limit_bytes, told)

    def _checked(self, url: httpx2.URL) -> tuple[str, int]:
        """Return the host and port to connect to, or refuse."""
        if url.scheme not in _PORTS:
            raise UnavailableError("not_allowed: a redirect that is not http or https")
        if url.userinfo:
            raise UnavailableError("not_allowed: a user name or password in the URI")
        host = url.raw_host.decode("ascii").lower()
        if host not in self._hosts:
            raise UnavailableError(
                "not_allowed: the host is not in HEADGATE_MEDIA_HOSTS"
            )
        return host, url.port or _PORTS[url.scheme]


@cache
def _system_tls() -> ssl.SSLContext:
    """Return the machine's certificates; reading them takes tens of milliseconds."""
    return httpcore2.default_ssl_context()


def _parsed(uri: str) -> httpx2.URL:
    try:
        return httpx2.URL(uri)
    except httpx2.InvalidURL as error:
        raise UnavailableError("bad_uri: it can't be parsed") from error


def _redirected(url: httpx2.URL, response: httpcore2.Response) -> httpx2.URL:
    """Return the redirect's target; `_checked` judges it as it did the first."""
    location = _header(response, b"location")
    if location is None:
        raise UnavailableError(f"refused: the store answered {response.status}")
    try:
        target = url.join(location)
    except httpx2.InvalidURL as error:
        raise UnavailableError("refused: a redirect that can't be parsed") from error
    if url.scheme == "https" and target.scheme == "http":
        raise UnavailableError("not_allowed: a redirect from https to http")
    return target


def _check_status(status: int) -> None:
    if status in _PASSING or status >= 500:
        raise TransientError(f"media store answered {status}")
    if status in (404, 410):
        raise UnavailableError(f"not_found: the store answered {status}")
    if status != 200:
        raise UnavailableError(f"refused: the store answered {status}")


async def _body(response: httpcore2.Response, limit_bytes: int, told: Told) -> bytes:
    """Read up to the limit, whatever the headers promise."""
    length = _header(response, b"content-length")  # Digits, or h11 had refused it.
    if length is not None:
        if int(length) > limit_bytes:
            raise TooLargeError(limit_bytes)
        told(int(length))
    body = BytesIO()  # Gives its bytes away without a copy.
    async for chunk in response.aiter_stream():
        if body.tell() + len(chunk) > limit_bytes:
            raise TooLargeError(limit_bytes)
        body.write(chunk)
    return body.getvalue()


def _header(response: httpcore2.Response, name: bytes) -> str | None:
    for key, value in response.headers:
        if key.lower() == name:
            return value.decode("latin-1")
    return None
