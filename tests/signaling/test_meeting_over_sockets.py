"""One way through the house, over real sockets: hello → welcome → snapshot → command → event."""

import asyncio
from pathlib import Path

from room_manager.meeting.values import Role
from tests.helpers.servers import A, B, hall, settings

SECTIONS = {"meeting", "floor", "hands", "stage", "counts", "microphones", "recording"}


def test_a_site_comes_in_raises_its_hand_and_everybody_hears(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            site = await here.enter(Role.SITE, A)
            assert {message["type"] for message in site.heard} >= SECTIONS | {"welcome"}
            assert site.heard[0]["you"]["site"]["code"] == A

            answer = await site.ask("raise-hand")

            assert answer["type"] == "done"
            told = await chair.hear("hands", where=lambda m: m["total"] == 1)
            assert told["first"][0]["code"] == A
            assert told["seq"] == answer["seq"]

            given = await chair.ask("give-floor", site=A, floor_version=chair.last("floor")["version"])
            assert given["type"] == "done"
            assert (await site.hear("floor"))["site"]["code"] == A
            assert (await site.hear("microphones"))["you_may_speak"] is True

            stale = await chair.ask("give-floor", site=B, floor_version=0)
            assert (stale["type"], stale["code"]) == ("problem", "stale")

    asyncio.run(scenario())
