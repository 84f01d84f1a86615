"""Stills over real sockets: taken off the media process, small, for officials, and gone with the meeting."""

import asyncio
from email.utils import parsedate_to_datetime
from pathlib import Path

import av
import httpx
import pytest

from room_manager.media.light import LightPeer
from room_manager.media.loops import shipped
from room_manager.meeting.values import Role
from room_manager.photographer import Photographer
from signaling.settings import MediaSettings
from tests.helpers import databases
from tests.helpers.servers import A, B, C, Client, Hall, hall, settings
from tests.integration.test_recording import sending
from tests.signaling.test_rest import bearer, browser

pytestmark = pytest.mark.timeout(100)

LIMIT_S = 40.0


@pytest.fixture(autouse=True)
def schema() -> None:
    databases.prepare()


def path(here: Hall, site: str) -> str:
    return f"/api/meetings/{here.meeting}/stills/{site}"


async def until_taken(page: httpx.AsyncClient, here: Hall, who: Client, site: str) -> httpx.Response:
    """The first still of the site."""
    async with asyncio.timeout(LIMIT_S):
        while (answer := await page.get(path(here, site), headers=bearer(who))).status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (404, "no-still")
            await asyncio.sleep(0.3)
    return answer


def test_officials_see_a_small_picture_of_each_site_while_the_meeting_goes_on(tmp_path: Path) -> None:
    chosen = settings(tmp_path, media=MediaSettings(engine="sfu"), stills_every_s=1.0)

    async def scenario() -> None:
        async with hall(chosen) as here, browser(here) as page:
            chair, operator = await here.enter(Role.CHAIR), await here.enter(Role.OPERATOR)
            assert "stills" in operator.last("welcome")["features"]
            wards = {site: await here.enter(Role.SITE, site) for site in (A, B)}
            peers: list[LightPeer] = [await sending(ward) for ward in wards.values()]
            peers[1].play(shipped()[1])
            try:
                pictures = {site: await until_taken(page, here, operator, site) for site in wards}
                for answer in pictures.values():
                    assert answer.headers["content-type"] == "image/jpeg"
                    assert len(answer.content) <= 20_000
                    assert parsedate_to_datetime(answer.headers["last-modified"])
                    assert decoded(answer.content) == (160, 90)
                assert pictures[A].content != pictures[B].content
                assert (await page.get(path(here, C), headers=bearer(operator))).status_code == 404
                assert (await page.get(path(here, A), headers=bearer(wards[A]))).status_code == 403
                assert (await page.get(path(here, A))).status_code == 401

                await chair.ask("end-meeting")
                photographer: Photographer | None = here.server.app.state.stills.photographer
                assert photographer is not None
                assert photographer.still(here.meeting, A) is None
            finally:
                for peer in peers:
                    peer.close()

    asyncio.run(scenario())


def test_none_is_taken_unless_it_was_asked_for(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here, browser(here) as page:
            operator = await here.enter(Role.OPERATOR)
            assert "stills" not in operator.last("welcome")["features"]
            assert (await page.get(path(here, A), headers=bearer(operator))).json()["code"] == "no-still"

    asyncio.run(scenario())


def decoded(jpeg: bytes) -> tuple[int, int]:
    """Width and height of the picture."""
    decoder = av.CodecContext.create("mjpeg", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    [frame] = [*decoder.decode(av.Packet(jpeg)), *decoder.decode(None)]
    return frame.width, frame.height
