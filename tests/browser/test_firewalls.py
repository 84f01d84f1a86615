"""A ward behind a firewall sees the chair and is seen: by TCP on the media port, or by a relay on 443.

Server, relay and browser stand in network namespaces of the test's own, with a firewall before the browser.
"""

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from room_manager.ids import HOST
from signaling.cli import lan
from signaling.simulate.job import Job, Place
from tests.helpers import netns
from tests.helpers.browser import CHROMIUM, Camera, Window, browsers
from tests.helpers.server import CHAIR, LiveServer, Planned, ward
from tests.helpers.turn import TURNSERVER, coturn

pytestmark = [
    pytest.mark.browser,
    pytest.mark.netns,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(180),
]

SECRET: Final = "0123456789abcdef-of-this-test"
WAY: Final = """
async () => {
  const found = { pictures: 0, seen_by_server: 0, way: null };
  for (const peer of window.__peers.filter((one) => one.connectionState === "connected")) {
    const reports = [...(await peer.getStats()).values()];
    const named = Object.fromEntries(reports.map((report) => [report.id, report]));
    for (const report of reports) {
      if (report.type === "inbound-rtp") found.pictures += report.framesDecoded ?? 0;
      // What the server has told us of what it received from us.
      if (report.type === "remote-inbound-rtp" && report.roundTripTime > 0) found.seen_by_server += 1;
      const pair = report.type === "transport" ? named[report.selectedCandidatePairId] : undefined;
      const local = pair && named[pair.localCandidateId];
      if (local) found.way = [local.candidateType, local.protocol, local.relayProtocol ?? ""];
    }
  }
  return found;
}
"""


@pytest.fixture(scope="module", autouse=True)
def _namespaces() -> None:
    why_not = netns.why_not() or netns.why_no_fence()
    if why_not is not None:
        pytest.skip(why_not)


@contextmanager
def meeting(
    folder: Path, spaces: netns.Namespaces, certificate: lan.Certificate, *flags: str
) -> Iterator[Planned]:
    """A server on 443, with the chair's picture in it and a link for a ward."""
    server = LiveServer(
        folder,
        host=netns.SERVER_ADDRESS,
        port=443,
        scheme="https",
        wrap=spaces.at_server([]),
        flags=[
            *("--certificate", str(certificate.certificate), "--key", str(certificate.key)),
            *("--media-address", netns.SERVER_ADDRESS, *flags),
        ],
    )
    planned = server.plan([CHAIR, ward("00004")])
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.start()
        job = Job(
            server.origin,
            str(certificate.certificate),
            (Place(HOST, planned.tokens[0]),),
            seed=1,
            lively=False,
        )
        chair = subprocess.Popen(
            spaces.at_server([sys.executable, "-m", "signaling.simulate"]), stdin=subprocess.PIPE
        )
        stack.callback(_end, chair)
        assert chair.stdin is not None
        chair.stdin.write(msgspec.json.encode(job) + b"\n")
        chair.stdin.flush()
        yield planned


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate(timeout=10)


def both_ways(window: Window) -> list[str]:
    """Wait until the ward sees the chair and is received by the server; how it is connected."""
    seen: dict[str, Any] = {}

    def flows() -> bool:
        seen.update(window.page.evaluate(WAY))
        return bool(seen["way"] and seen["pictures"] > 10 and seen["seen_by_server"] > 0)

    window.enter()
    window.wait(flows, True, "pictures go both ways", limit_s=60)
    way: list[str] = seen["way"]
    return way


def test_a_ward_without_udp_comes_by_tcp_on_the_media_port(tmp_path: Path) -> None:
    certificate = lan.certificate(tmp_path, [netns.SERVER_ADDRESS], dt.datetime.now(dt.UTC))
    with netns.two_namespaces() as spaces, meeting(tmp_path, spaces, certificate) as planned:
        spaces.fence_browser("meta l4proto tcp")
        with browsers(tmp_path, spaces.at_browser([])) as opened:
            way = both_ways(opened.window(planned.urls[1], Camera("green", 660)))

    assert way[1] == "tcp"
    assert way[0] != "relay"


@pytest.mark.skipif(TURNSERVER is None, reason="coturn is not installed")
def test_a_ward_that_reaches_only_443_comes_by_the_relay(tmp_path: Path) -> None:
    addresses = [netns.SERVER_ADDRESS, netns.RELAY_ADDRESS]
    certificate = lan.certificate(tmp_path, addresses, dt.datetime.now(dt.UTC))
    secret = tmp_path / "turn-secret"
    secret.write_text(SECRET + "\n")
    flags = (
        *("--turn-urls", f"turns:{netns.RELAY_ADDRESS}:443?transport=tcp"),
        *("--turn-secret-file", str(secret)),
    )
    with ExitStack() as stack:
        spaces = stack.enter_context(netns.two_namespaces())
        spaces.add_address(netns.RELAY_ADDRESS)
        stack.enter_context(
            coturn(
                tmp_path,
                SECRET,
                listen=(netns.RELAY_ADDRESS,),
                allowed=(netns.SERVER_ADDRESS,),
                ports=(3478, 443),
                extra=(f"cert={certificate.certificate}", f"pkey={certificate.key}"),
                wrap=spaces.at_server([]),
            )
        )
        planned = stack.enter_context(meeting(tmp_path, spaces, certificate, *flags))
        spaces.fence_browser("tcp dport 443")
        opened = stack.enter_context(
            browsers(tmp_path, spaces.at_browser([]), ["--ignore-certificate-errors"])
        )

        way = both_ways(opened.window(planned.urls[1], Camera("green", 660)))

    assert way == ["relay", "udp", "tls"]
