"""Two real Chromiums over a line that loses every 25th media packet, both ways: pictures are repaired."""

from pathlib import Path

import pytest

from room_manager.ids import SiteId
from room_manager.media.engine import Scene
from tests.helpers.browser import CHROMIUM, Camera, browsers
from tests.helpers.lossy import lossy
from tests.helpers.media_page import ROOM, media_stand

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(120),
]

SHOWN, WATCHING = SiteId("TP"), SiteId("00004")


def test_lost_packets_are_sent_again_in_both_directions(tmp_path: Path) -> None:
    with (
        media_stand() as stand,
        lossy(("127.0.0.1", stand.engine.port), lose_every=25) as relay,
        browsers(tmp_path) as opened,
    ):
        stand.through = relay.port
        shown = opened.window(stand.url, Camera("red", 440))
        watching = opened.window(stand.url, Camera("blue", 880))
        stand.do(stand.engine.set_scene(ROOM, Scene(main=SHOWN, host=SHOWN)))
        for window, site in ((shown, SHOWN), (watching, WATCHING)):
            window.page.evaluate("site => join(site)", site)
        watching.wait_colour("main", "red")

        def repaired() -> bool:
            if min(relay.lost.values()) <= 5:
                return False
            stats = stand.do(stand.engine.stats(ROOM))
            return stats is not None and stats.repaired > 5 and shown.page.evaluate("repaired()") > 5

        watching.wait(repaired, True, "packets sent again both ways:")
        before = watching.page.evaluate("inbound()")
        watching.page.evaluate("new Promise(go => setTimeout(go, 3000))")
        after = watching.page.evaluate("inbound()")
        frames = sum(s["frames"] for s in after.values()) - sum(s["frames"] for s in before.values())
        assert frames >= 3 * 10 * 0.6  # the camera gives ten a second, and this machine is shared
