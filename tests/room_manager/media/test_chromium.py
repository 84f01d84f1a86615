"""Three real Chromiums with cameras of their own against the real forwarding unit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.engine import Scene
from room_manager.media.light import LightPeer
from room_manager.media.loops import shipped
from tests.helpers.browser import CHROMIUM, Camera, Window, browsers
from tests.helpers.media_page import ROOM, MediaStand, media_stand

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(180),
]

HOST, WARD, OTHER = SiteId("TP"), SiteId("00004"), SiteId("00007")
SIMULATED = SiteId("00016")
CAMERAS = {HOST: Camera("red", 440), WARD: Camera("green", 660), OTHER: Camera("blue", 880)}


class Meeting:
    """Three windows in one room."""

    def __init__(self, stand: MediaStand, windows: dict[SiteId, Window]) -> None:
        self.stand = stand
        self.windows = windows

    def scene(self, scene: Scene) -> None:
        self.stand.do(self.stand.engine.set_scene(ROOM, scene))

    def best_arrives(self, watching: SiteId, shown: SiteId) -> tuple[int, str]:
        """Until the main slot has the largest of several layers that the site sends: its width, its rid.

        A busy machine's encoder gives up layers and takes them back, so the answer is of that moment.
        """
        best: list[tuple[int, str]] = []

        def same() -> bool:
            sent = self.evaluate(shown, "layers()")
            best[:] = [(width, rid) for width, rid in sent[-1:]]
            return len(sent) > 1 and self.evaluate(watching, "width('main')") == best[0][0]

        self.windows[watching].wait(same, True, "main has the best layer:", limit_s=60)
        return best[0]

    def more_frames(self, before: dict[str, Any]) -> list[str]:
        """The sections in which OTHER has decoded more than ten frames since."""
        after = self.evaluate(OTHER, "inbound()")
        return [mid for mid in after if after[mid]["frames"] > before.get(mid, {"frames": 0})["frames"] + 10]

    def evaluate(self, site: SiteId, script: str) -> Any:
        return self.windows[site].page.evaluate(script)


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meeting]:
    folder: Path = tmp_path_factory.mktemp("cameras")
    with media_stand() as stand, browsers(folder) as opened:
        windows = {site: opened.window(stand.url, camera) for site, camera in CAMERAS.items()}
        stand.do(stand.engine.set_scene(ROOM, Scene(main=HOST, host=HOST)))
        for site, window in windows.items():
            window.page.evaluate("site => join(site)", site)
        yield Meeting(stand, windows)


def test_the_stage_arrives_and_the_main_site_sees_the_host(meeting: Meeting) -> None:
    host, ward, other = (meeting.windows[site] for site in (HOST, WARD, OTHER))

    meeting.scene(Scene(main=WARD, host=HOST, tiles=(OTHER,), heard_only=frozenset({WARD}), voices=(WARD,)))

    other.wait_colour("main", "green")
    host.wait_colour("main", "green")
    ward.wait_colour("main", "red")
    host.wait_colour("tile-1", "blue")
    assert other.colour("tile-1") is None
    other.wait_tone(CAMERAS[WARD].tone_hz)
    host.wait_tone(CAMERAS[WARD].tone_hz)
    assert ward.level_db() < -70


def test_the_best_layer_that_is_sent_comes_for_the_main_slot(meeting: Meeting) -> None:
    meeting.best_arrives(OTHER, WARD)

    assert meeting.evaluate(OTHER, "width('main')") > 240
    assert meeting.evaluate(HOST, "width('tile-1')") == 240


def test_switching_needs_no_renegotiation_and_loses_nothing(meeting: Meeting) -> None:
    other = meeting.windows[OTHER]
    before = meeting.evaluate(OTHER, "inbound()")

    for main, colour in ((HOST, "red"), (WARD, "green"), (HOST, "red"), (WARD, "green")):
        meeting.scene(Scene(main=main, host=HOST, heard_only=frozenset({main}), voices=(main,)))
        other.wait_colour("main", colour, limit_s=5)
        other.wait_tone(CAMERAS[main].tone_hz, limit_s=5)

    after = meeting.evaluate(OTHER, "inbound()")
    assert sum(s["frames"] for s in after.values()) > sum(s["frames"] for s in before.values())
    assert sum(s["lost"] for s in after.values()) == 0
    assert all(meeting.evaluate(site, "renegotiations") == 0 for site in CAMERAS)


def test_a_layer_that_vanishes_while_watched_is_replaced(meeting: Meeting) -> None:
    other = meeting.windows[OTHER]
    meeting.scene(Scene(main=WARD, host=HOST))
    width, top = meeting.best_arrives(OTHER, WARD)

    meeting.evaluate(WARD, f"setLayer('{top}', false)")
    ward = meeting.windows[WARD]
    ward.wait(lambda: bool(meeting.evaluate(WARD, "layers()")), True, "a layer is still sent:")
    before = meeting.evaluate(OTHER, "inbound()")

    other.wait(lambda: 0 < other.page.evaluate("width('main')") < width, True, "a smaller picture:")
    other.wait(lambda: bool(meeting.more_frames(before)), True, "the smaller picture moves:")
    other.wait_colour("main", "green")
    meeting.evaluate(WARD, f"setLayer('{top}', true)")
    meeting.best_arrives(OTHER, WARD)


def test_a_shared_screen_is_content_without_renegotiation(meeting: Meeting) -> None:
    meeting.evaluate(WARD, "share('rgb(230,220,30)')")

    meeting.scene(Scene(main=HOST, host=HOST, content=WARD))

    meeting.windows[OTHER].wait_colour("content", "yellow")
    meeting.windows[HOST].wait_colour("content", "yellow")
    assert meeting.windows[WARD].colour("content") is None
    assert meeting.evaluate(WARD, "renegotiations") == 0


def test_what_a_mode_forbids_is_dropped_here(meeting: Meeting) -> None:
    meeting.scene(Scene(main=HOST, host=HOST, heard_only=frozenset({HOST}), voices=(HOST,)))
    meeting.windows[OTHER].wait_tone(CAMERAS[HOST].tone_hz)
    before = meeting.stand.do(meeting.stand.engine.stats(ROOM))

    meeting.scene(Scene(main=HOST, host=HOST, heard_only=None, heard_never=frozenset(CAMERAS)))

    meeting.windows[OTHER].wait_silence()
    after = meeting.stand.do(meeting.stand.engine.stats(ROOM))
    assert before is not None
    assert after is not None
    assert after.audio_dropped > before.audio_dropped + 20


def test_a_simulated_sites_loop_is_decoded(meeting: Meeting) -> None:
    stand, other = meeting.stand, meeting.windows[OTHER]

    async def simulated() -> LightPeer:
        peer = LightPeer(count_only=True)
        answer = await stand.engine.join(ROOM, ConnectionId("simulated"), SIMULATED, peer.offer())
        await peer.accept(answer.sdp, answer.slots)
        await peer.connected()
        peer.play(shipped()[0])
        return peer

    async def end(peer: LightPeer) -> None:
        peer.close()

    peer = stand.do(simulated())
    meeting.scene(Scene(main=SIMULATED, host=HOST, heard_only=None, voices=(SIMULATED,)))
    other.wait(lambda: other.page.evaluate("width('main')"), 640, "the width of main is")
    before = meeting.evaluate(OTHER, "inbound()")
    other.wait(lambda: other.level_db() > -70, True, "the murmur is heard:")
    other.wait(lambda: len(meeting.more_frames(before)) > 0, True, "the picture goes on:")
    stand.do(end(peer))
