"""Which network addresses media may be fetched from: public ones and allowed networks.

A name is resolved once, all its addresses are judged, and media_http.py connects to
those and no others: a name that means another machine a moment later gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from streams.errors import TransientError
from streams.media_source import UnavailableError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# A host and a port to the host's addresses.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Not public, though Python (3.11.7) calls them global.
_NEVER_PUBLIC = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments, RFC 6890.
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, gone with RFC 7526.
    IPv4Network("168.63.129.16/32"),  # Azure's own services, seen from its machines.
    IPv6Network("2001::/23"),  # IETF protocol assignments, Teredo among them.
    IPv6Network("2002::/16"),  # 6to4 carries any IPv4 address; gone with RFC 7526.
    IPv6Network("3fff::/20"),  # Documentation, RFC 9637.
)
# All that IANA has ever given out as global unicast.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# RFC 6052: an IPv4 address behind a translator, in the last four bytes.
_NAT64 = IPv6Network("64:ff9b::/96")


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the host's addresses as the operating system resolves them."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


class AddressGuard:
    """Resolves hosts and refuses those with an address that is not allowed."""

    def __init__(
        self, networks: Iterable[str | Network], resolve: Resolve = system_resolve
    ) -> None:
        self._networks = tuple(ip_network(network) for network in networks)
        self._resolve = resolve

    async def checked(self, host: str, port: int) -> tuple[str, ...]:
        """Return the host's addresses, each once, in the resolver's order.

        Raises:
            UnavailableError: one of them is not allowed, so the host is not.
            TransientError: the name does not resolve now.
        """
        try:
            found = tuple(dict.fromkeys(await self._resolve(host, port)))
        except OSError as error:
            raise TransientError("media store: its name did not resolve") from error
        except UnicodeError as error:
            raise UnavailableError("bad_uri: the host is no name") from error
        if not found:
            raise TransientError("media store: its name has no address")
        if not all(self._allows(address) for address in found):
            # Which address is not told: decisions are no map of a private network.
            raise UnavailableError(
                "not_allowed: the host's address is not public; if it is yours, add "
                "its network to HEADGATE_MEDIA_NETWORKS"
            )
        return found

    def _allows(self, text: str) -> bool:
        address = _carried(ip_address(text))
        if any(address in network for network in self._networks):
            return True
        return is_public(address)


def is_public(address: Address) -> bool:
    """Say whether an address is one of the public Internet's, for one machine."""
    address = _carried(address)
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    if any(address in network for network in _NEVER_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _carried(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one carries, else the address."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address
