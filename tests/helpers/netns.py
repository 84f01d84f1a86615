"""Two network namespaces joined by a cable, for tests that need addresses other than loopback.

Nothing of the machine's own network is touched: the namespaces belong to the test and end with it.
"""

import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct

IP = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
NFT = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
SERVER_ADDRESS = "10.97.0.1"
RELAY_ADDRESS = "10.97.0.3"  # a second one of the server's, see ``add_address``
BROWSER_ADDRESS = "10.97.0.2"


class Namespaces(Struct, frozen=True):
    """Names for ``ip netns exec``; the addresses see each other and nothing else."""

    server: str
    browser: str

    def at_server(self, command: Sequence[str]) -> list[str]:
        """The command, run where the server is."""
        return [_ip(), "netns", "exec", self.server, *command]

    def at_browser(self, command: Sequence[str]) -> list[str]:
        """The command, run where the browser is."""
        return [_ip(), "netns", "exec", self.browser, *command]

    def add_address(self, address: str) -> None:
        """One more for the server."""
        found = subprocess.run(
            [_ip(), "-n", self.server, "-brief", "link", "show", "type", "veth"],
            capture_output=True,
            text=True,
            check=True,
        )
        _do("-n", self.server, "address", "add", f"{address}/24", "dev", found.stdout.split("@")[0].strip())

    def fence_browser(self, allowed: str) -> None:
        """A firewall around the browser: out goes only what the nftables expression names."""
        assert NFT is not None
        rules = f"""
            table inet fence {{
              chain out {{
                type filter hook output priority filter; policy drop;
                oif "lo" accept
                icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit }} accept
                {allowed} accept
              }}
            }}
        """
        subprocess.run(self.at_browser([NFT, "-f", "-"]), input=rules.encode(), check=True)


def why_no_fence() -> str | None:
    """Why firewalls cannot be made here, or None if they can; to be asked after :func:`why_not`."""
    if NFT is None:
        return "nftables is not installed"
    with two_namespaces() as spaces:
        tried = subprocess.run(
            spaces.at_browser(
                [NFT, "add table inet try; add chain inet try out { type filter hook output priority 0; }"]
            ),
            capture_output=True,
            text=True,
            check=False,
        )
    return f"nftables does not work here: {tried.stderr.strip()}" if tried.returncode else None


def why_not() -> str | None:
    """Why namespaces cannot be made here, or None if they can."""
    if IP is None:
        return "iproute2 is not installed"
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"dc-try-{uuid.uuid4().hex[:6]}"
    tried = subprocess.run([IP, "netns", "add", name], capture_output=True, text=True, check=False)
    if tried.returncode:
        return f"network namespaces are not permitted here: {tried.stderr.strip()}"
    subprocess.run([IP, "netns", "del", name], check=True)
    return None


@contextmanager
def two_namespaces() -> Iterator[Namespaces]:
    """A server's and a browser's namespace with a cable between them."""
    mark = uuid.uuid4().hex[:6]
    spaces = Namespaces(server=f"dc-server-{mark}", browser=f"dc-browser-{mark}")
    near, far = f"dcs{mark}", f"dcb{mark}"
    made = []
    try:
        for space in (spaces.server, spaces.browser):
            _do("netns", "add", space)
            made.append(space)
            _do("-n", space, "link", "set", "lo", "up")
        _do("link", "add", near, "netns", spaces.server, "type", "veth", "peer", far, "netns", spaces.browser)
        for space, link, address in (
            (spaces.server, near, SERVER_ADDRESS),
            (spaces.browser, far, BROWSER_ADDRESS),
        ):
            # An IPv6 address that appears by itself a second later makes a browser drop the page it loads.
            _do("-n", space, "link", "set", link, "addrgenmode", "none")
            _do("-n", space, "address", "add", f"{address}/24", "dev", link)
            _do("-n", space, "link", "set", link, "up")
        yield spaces
    finally:
        for space in made:
            subprocess.run([_ip(), "netns", "del", space], check=False)


def _do(*words: str) -> None:
    subprocess.run([_ip(), *words], check=True, capture_output=True)


def _ip() -> str:
    assert IP is not None
    return IP
