"""No URI of an event makes a worker talk to a machine it should not talk to."""

import asyncio
from ipaddress import ip_address

import httpcore2
import pytest

from streams.addresses import AddressGuard, is_public
from streams.media_http import HttpSource
from streams.media_source import UnavailableError
from tests.security.stores import LOOPBACK, PUBLIC, Resolver, a_store, fetch, reason
from tests.security.trap import listening_trap
from tests.security.web import a_web, plain, redirect

SONG = b"la la la"

# Names of loopback, of private networks and of the clouds' metadata services.
INSIDE = [
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "168.63.129.16",
    "100.100.100.200",
    "224.0.0.1",
    "255.255.255.255",
]


@pytest.fixture
def trap():
    """A port on loopback that must see no connection."""
    with listening_trap() as trap:
        yield trap
        assert trap.connections == []


@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_an_inner_address_is_on_the_list(host, trap):
    """A host that nobody allowed is not even resolved."""
    resolver = Resolver([PUBLIC])
    store = a_store(hosts=["media.example"], resolve=resolver)

    assert "HEADGATE_MEDIA_HOSTS" in reason(store, f"http://{host}:{trap.port}/song")
    assert resolver.asked == []


@pytest.mark.parametrize("host", INSIDE)
def test_an_inner_address_is_refused_even_of_an_allowed_host(host, trap):
    """The list allows names; where they lead is judged apart."""
    store = a_store(hosts=[host])

    assert "HEADGATE_MEDIA_NETWORKS" in reason(store, f"http://{host}:{trap.port}/song")


@pytest.mark.parametrize(
    "name", ["metadata.google.internal", "instance-data", "metadata.azure.com"]
)
def test_metadata_names_lead_nowhere(name):
    """An allowed name that resolves to the metadata service is refused."""
    store = a_store(hosts=[name], resolve=Resolver(["169.254.169.254"]))

    assert reason(store, f"http://{name}/latest/meta-data/").startswith("not_allowed")


def test_one_inner_address_among_public_ones_is_enough(trap):
    """A host that has both is refused, in whatever order they come."""
    store = a_store(hosts=["media.example"], resolve=Resolver([PUBLIC, "127.0.0.1"]))

    uri = f"http://media.example:{trap.port}/song"
    assert "HEADGATE_MEDIA_NETWORKS" in reason(store, uri)


class Dialled(httpcore2.AsyncMockBackend):
    """Notes who is dialled, and answers in their place."""

    def __init__(self):
        super().__init__([b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n" + SONG])
        self.hosts = []

    async def connect_tcp(self, host, port, *rest, **more):
        """Note and answer."""
        self.hosts.append(host)
        return await super().connect_tcp(host, port, *rest, **more)


def test_the_address_that_was_checked_is_the_one_dialled():
    """The name is resolved once; the second answer, loopback, is never asked for."""
    resolver, dialled = Resolver([PUBLIC], ["127.0.0.1"]), Dialled()
    guard = AddressGuard((), resolver)
    source = HttpSource(["media.example"], guard, timeout_s=5, backend=dialled)

    read = source.read("http://media.example/song", 100, lambda size: None)
    assert asyncio.run(read) == SONG
    assert (dialled.hosts, resolver.asked) == ([PUBLIC], ["media.example"])


def test_a_name_that_rebinds_to_loopback_is_not_followed_there(trap):
    """The same over real connections: the first address answers, the trap is idle."""
    with a_web(plain(SONG), host="127.0.0.2") as web:
        guard = AddressGuard(["127.0.0.2/32"], Resolver(["127.0.0.2"], ["127.0.0.1"]))
        source = HttpSource(["media.example"], guard, timeout_s=5)

        def read():
            uri = f"http://media.example:{web.port}/song"
            return asyncio.run(source.read(uri, 100, lambda size: None))

        assert read() == SONG
        with pytest.raises(UnavailableError, match="HEADGATE_MEDIA_NETWORKS"):
            read()


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/song",
        "http://[::1]:{port}/song",
        "//127.0.0.1:{port}/song",
        "http://2130706433:{port}/",
        "http://user:word@127.0.0.1:{port}/",
    ],
)
def test_a_redirect_inwards_is_not_followed(location, trap):
    """Hosts of redirects must be on the list too."""
    target = location.format(port=trap.port)
    with a_web(redirect(target), host="127.0.0.2") as web:
        store = a_store(hosts=["127.0.0.2"], networks=LOOPBACK)

        assert reason(store, f"{web.url}/song").startswith("not_allowed")


def test_the_address_of_a_redirect_is_judged_too(trap):
    """An allowed host that redirects to itself may have moved inwards by then."""
    target = f"http://media.example:{trap.port}/song"
    with a_web(redirect(target), host="127.0.0.2") as web:
        resolver = Resolver(["127.0.0.2"], ["127.0.0.1"])
        store = a_store(
            hosts=["media.example"], networks=["127.0.0.2/32"], resolve=resolver
        )

        found = reason(store, f"http://media.example:{web.port}/song")
        assert "HEADGATE_MEDIA_NETWORKS" in found


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://x/", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(target):
    """No redirect turns a download into the reading of a file."""
    with a_web(redirect(target)) as web:
        store = a_store(hosts=["127.0.0.1", ""], networks=LOOPBACK)

        assert reason(store, f"{web.url}/song").startswith("not_allowed")


def test_a_redirect_loop_ends():
    """Three redirects are followed and no more."""
    with a_web(redirect("/again")) as web:
        store = a_store(hosts=["127.0.0.1"], networks=LOOPBACK)

        assert reason(store, f"{web.url}/song") == "refused: more than 3 redirects"
        assert len(web.requests) == 4


def test_a_user_name_is_refused_even_before_an_allowed_host():
    """An event has no business with the store's passwords."""
    with a_web(plain(SONG)) as web:
        store = a_store(hosts=["127.0.0.1"], networks=LOOPBACK)

        uri = f"http://user:word@127.0.0.1:{web.port}/song"
        assert "user name or password" in reason(store, uri)
    assert web.requests == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://user:word@media.example/song",
        "http://media.example@127.0.0.1:{port}/song",
        "http://media.example:80@127.0.0.1:{port}/song",
        "http://media.example\\@127.0.0.1:{port}/song",
        "http://media.example#@127.0.0.1:{port}/song",
        "http://127.0.0.1:{port}\\@media.example/song",
    ],
)
def test_a_user_name_is_no_way_round_the_list(uri, trap):
    """Whatever stands before an @ is not mistaken for the host."""
    store = a_store(hosts=["media.example"], resolve=Resolver(["127.0.0.1"]))

    code = reason(store, uri.format(port=trap.port)).split(":")[0]
    assert code in ("not_allowed", "bad_uri")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        (PUBLIC, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        (f"::ffff:{PUBLIC}", True),
        ("64:ff9b::5db8:d70e", True),  # PUBLIC, behind a translator.
        ("64:ff9b::a9fe:a9fe", False),  # 169.254.169.254, behind it.
        ("64:ff9b:1::5db8:d70e", False),  # A translator's local prefix, RFC 8215.
        ("2002:5db8:d70e::1", False),  # 6to4, whatever it carries.
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False),  # Teredo.
        ("::5db8:d70e", False),  # IPv4-compatible, deprecated.
        ("192.0.0.192", False),  # Oracle's metadata.
        ("198.18.0.1", False),
        ("203.0.113.7", False),
        ("240.0.0.1", False),
        ("239.1.2.3", False),
        ("ff0e::1", False),
        ("2001:db8::1", False),
        ("3fff::1", False),
        ("fec0::1", False),
        ("4000::1", False),  # Not given out by IANA.
    ],
)
def test_only_global_unicast_is_public(address, public):
    """What an address carries counts, not how it is written."""
    assert is_public(ip_address(address)) is public


def test_an_operators_own_network_can_be_allowed():
    """A private media store is named by its network; its neighbours are not."""
    with a_web(plain(SONG), host="127.0.0.2") as web:
        store = a_store(hosts=["127.0.0.2", "127.0.0.3"], networks=["127.0.0.2/32"])

        assert fetch(store, f"{web.url}/song").data == SONG
        other = f"http://127.0.0.3:{web.port}/song"
        assert "HEADGATE_MEDIA_NETWORKS" in reason(store, other)
