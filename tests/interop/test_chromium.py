"""Chromium sends by WHIP and watches by WHEP, from a page of another origin; by itself and with others'
packages."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.browser import CHROMIUM, Camera, Window, browsers
from tests.helpers.server import LiveServer
from tests.interop.pairs import AIORTC, LOOPBACK, Meeting, encoder, meeting, player
from tests.interop.studio import bundled, studio, why_no_packages

CAMERA = Camera("cyan", 880)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    folder = tmp_path_factory.mktemp("studio")
    clients = bundled(folder) if why_no_packages() is None else b""
    with studio(clients) as url, browsers(folder) as opened:
        yield opened.window(url, CAMERA)


@pytest.fixture
def page(window: Window) -> Window:
    """The page as it is at first."""
    window.page.reload()
    return window


def call(name: str, meeting_url: list[str], *more: str) -> str:
    """A call of one of the page's functions, to be awaited."""
    return f"(async () => {name}({', '.join([*map(json.dumps, meeting_url), *more])}))()"


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_what_chromium_sends_is_seen(interop_server: LiveServer, page: Window, codec: str) -> None:
    if not page.page.evaluate(f"codecs('{codec}').length"):
        pytest.skip(f"this Chromium has no {codec}")
    here = meeting(interop_server)

    page.page.evaluate(call("publish", here.whip(), "await camera()", f"'{codec}'"))
    seen = player([*AIORTC, "watch", *here.whep(), *LOOPBACK])

    assert (seen["colour"], seen["tone_hz"]) == (CAMERA.colour, CAMERA.tone_hz)
    assert page.page.evaluate("hangUp()") == 200


@pytest.mark.parametrize("codec", ["VP8", "H264"])
def test_chromium_sees_the_programme(
    interop_server: LiveServer, page: Window, tmp_path: Path, codec: str
) -> None:
    here = meeting(interop_server)
    sends = [*AIORTC, "publish", *here.whip(), "--colour", "yellow", "--tone", "330", "--codec", codec]

    with encoder([*sends, *LOOPBACK], tmp_path / "encoder.log"):
        page.page.evaluate(call("watch", here.whep()))
        page.wait_colour("main", "yellow")
        page.wait_tone(330)

    assert page.page.evaluate("hangUp()") == 200


def test_an_encoder_restarts_ice_and_goes_on(interop_server: LiveServer, page: Window) -> None:
    here = meeting(interop_server)
    page.page.evaluate(call("publish", here.whip(), "await camera()"))

    assert page.page.evaluate("restartIce()") is True
    seen = player([*AIORTC, "watch", *here.whep(), *LOOPBACK])

    assert (seen["colour"], seen["tone_hz"]) == (CAMERA.colour, CAMERA.tone_hz)
    assert page.page.evaluate("begun.pc.connectionState") == "connected"
    assert page.page.evaluate("hangUp()") == 200


def test_a_pair_from_a_package(interop_server: LiveServer, page: Window) -> None:
    _skip_without_packages()
    here = meeting(interop_server)

    page.page.evaluate(_with_package(here))
    page.wait_colour("main", CAMERA.colour)
    page.wait_tone(CAMERA.tone_hz)

    page.page.evaluate("Promise.all([sending.stop(), watching.stop()])")
    told = {(method, door, status) for method, door, status in page.page.evaluate("told")}
    assert told == {
        *{("POST", "whip", 201), ("PATCH", "whip", 204), ("DELETE", "whip", 200)},
        *{("POST", "whep", 201), ("PATCH", "whep", 428), ("DELETE", "whep", 200)},
    }  # the package's player sends no If-Match with its candidates, and needs none of them


def _with_package(here: Meeting) -> str:
    """whip-whep: candidates trickle by PATCH, cross-origin, with the entity tag."""
    return f"""(async () => {{
      const asked = window.fetch;
      window.told = [];
      window.fetch = async (url, options) => {{
        const response = await asked(url, options);
        told.push([options.method, new URL(url).pathname.split("/")[1], response.status]);
        return response;
      }};
      window.sending = new WHIPClient();
      const out = new RTCPeerConnection({{bundlePolicy: "max-bundle"}});
      const media = await camera(), sends = {{direction: "sendonly", streams: [media]}};
      for (const track of media.getTracks()) out.addTransceiver(track, sends);
      await sending.publish(out, {json.dumps(here.whip()[0])}, {json.dumps(here.sends)});
      window.watching = new WHEPClient();
      const into = new RTCPeerConnection({{bundlePolicy: "max-bundle"}});
      for (const kind of ["audio", "video"]) into.addTransceiver(kind, {{direction: "recvonly"}});
      show(into);
      await watching.view(into, {json.dumps(here.whep()[0])}, {json.dumps(here.watches)});
      await Promise.all([connected(out), connected(into)]);
    }})()"""


def test_an_encoder_of_another_package(interop_server: LiveServer, page: Window) -> None:
    _skip_without_packages()
    here = meeting(interop_server)

    page.page.evaluate(f"""(async () => {{
      window.sending = new EyevinnWhip({{endpoint: {json.dumps(here.whip()[0])},
        opts: {{authkey: {json.dumps(here.sends)}, iceServers: [], noTrickleIce: true, timeout: 300}}}});
      await sending.ingest(await camera());
    }})()""")
    seen = player([*AIORTC, "watch", *here.whep(), *LOOPBACK])

    assert (seen["colour"], seen["tone_hz"]) == (CAMERA.colour, CAMERA.tone_hz)
    page.page.evaluate("sending.destroy()")


def _skip_without_packages() -> None:
    reason = why_no_packages()
    if reason is not None:
        pytest.skip(reason)
