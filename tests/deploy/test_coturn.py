"""A real coturn with the shipped configuration relays to the media server and to nobody else."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Final

import pytest

from room_manager.ids import ConnectionId
from signaling.turn import Relays
from tests.helpers.server import free_port
from tests.helpers.turn import SHIPPED, SUCCESS, TURNSERVER, Coturn, Refused, TurnClient, coturn

pytestmark = [
    pytest.mark.skipif(TURNSERVER is None, reason="coturn is not installed"),
    pytest.mark.timeout(60),
]

SECRET: Final = "a-secret-of-this-test-alone"
MEDIA: Final = ("203.0.113.10", "2001:db8::10")
URLS: Final = ("turn:127.0.0.1",)

DENIED: Final = {
    "this network": "0.0.0.1 0.255.255.255",
    "private": "10.0.0.1 10.255.255.254 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.254",
    "shared by carriers": "100.64.0.1 100.127.255.254",
    "loopback": "127.0.0.1 127.0.0.53 127.255.255.254 ::1",
    "link-local": "169.254.1.1 169.254.169.254 fe80::1 febf::1 fec0::1",
    "protocol assignments": "192.0.0.1 192.0.0.170 192.88.99.1",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.9 203.0.113.11 2001:db8::1 2001:db8::11",
    "benchmarking": "198.18.0.1 198.19.255.254 2001:2::1",
    "multicast": "224.0.0.1 239.255.255.250 ff02::1 ff05::2",
    "reserved and broadcast": "240.0.0.1 255.255.255.255",
    "unspecified": "0.0.0.0 ::",
    "unique local": "fc00::1 fd00::1 fd12:3456::1",
    "mapped": "::ffff:10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:192.168.1.1 ::ffff:8.8.8.8",
    "compatible": "::10.0.0.1 ::127.0.0.1",
    "translated": "64:ff9b::10.0.0.1 64:ff9b:1::1 2002:a00:1::1 2001::1",
    "discard": "100::1",
}
ELSEWHERE: Final = ("8.8.8.8", "203.0.114.10", "2606:4700::1111")
ALL: Final = ("denied-peer-ip=0.0.0.0-255.255.255.255", "denied-peer-ip=::-ffff:")


@pytest.fixture(scope="module", params=["as shipped", "by the named ranges alone"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    without = () if request.param == "as shipped" else ALL
    folder = tmp_path_factory.mktemp("coturn")
    ports = (free_port(), free_port())
    extra = ("no-tls", "allow-loopback-peers")  # it stands on loopback here; the table must hold even so
    with coturn(
        folder, SECRET, listen=("127.0.0.1", "::1"), allowed=MEDIA, ports=ports, extra=extra, without=without
    ) as running:
        yield running


def client(server: Coturn, now: float | None = None, secret: str = SECRET) -> TurnClient:
    relays = Relays(URLS, secret, lambda: time.time() if now is None else now)
    (told,) = relays(ConnectionId("c-1"))
    return TurnClient(("127.0.0.1", server.port), told.username, told.credential)


@pytest.fixture(scope="module")
def allocated(server: Coturn) -> Iterator[dict[int, TurnClient]]:
    """A client with a relay of each family."""
    made = {}
    for family in (4, 6):
        made[family] = client(server)
        made[family].allocate(family)
    yield made
    for one in made.values():
        one.close()


def test_the_shipped_rules_for_ports_are_understood() -> None:
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if nft is None or os.geteuid() != 0:
        pytest.skip("nftables is not installed, or this is not root")

    checked = subprocess.run(
        [nft, "--check", "--file", str(SHIPPED.with_name("turnserver.nft"))],
        capture_output=True,
        text=True,
        check=False,
    )

    if "not permitted" in checked.stderr or "not supported" in checked.stderr:
        pytest.skip(checked.stderr.strip())
    assert checked.stderr == ""


@pytest.mark.parametrize("addresses", DENIED.values(), ids=DENIED.keys())
def test_nobody_is_reached_through_the_relay(addresses: str, allocated: dict[int, TurnClient]) -> None:
    for host in addresses.split():
        asking = allocated[6 if ":" in host else 4]

        assert (host, asking.permission(host), asking.bind(host)) == (host, 403, 403)


def test_nor_is_anybody_else(request: pytest.FixtureRequest, allocated: dict[int, TurnClient]) -> None:
    for host in ELSEWHERE:
        asking = allocated[6 if ":" in host else 4]
        # Without the two lines a stranger's IPv6 address is reached: which shows that the table can fail.
        expected = SUCCESS if ":" in host and "named" in request.node.name else 403

        assert (host, asking.permission(host), asking.bind(host)) == (host, expected, expected)


def test_the_media_server_is(allocated: dict[int, TurnClient]) -> None:
    for host in MEDIA:
        asking = allocated[6 if ":" in host else 4]

        assert (asking.permission(host), asking.bind(host)) == (SUCCESS, SUCCESS)


def test_credentials_of_yesterday_and_of_others_are_worth_nothing(server: Coturn) -> None:
    for asking in (
        client(server, now=time.time() - 86_400),
        client(server, secret="another secret, guessed"),
    ):
        with pytest.raises(Refused) as refused:
            asking.allocate(4)
        asking.close()

        assert refused.value.code == 401
