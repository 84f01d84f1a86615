"""A player follows the floor: the picture and the voice of whoever speaks."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from room_manager.ids import SiteId
from room_manager.meeting.values import Device, LinkKind, Role
from signaling.links import LinkFor
from signaling.simulate.door import Door
from signaling.wire.client import GiveFloor
from tests.helpers.client import Client
from tests.helpers.server import CHAIR, LiveServer
from tests.interop.pairs import AIORTC, LOOPBACK, WATCHES, encoder, player

WARD = SiteId("00004")
QUIET, LOUD = 3_000, 24_000  # 18 dB apart: neither ever pauses, and who has the voice keeps it from an equal
HALL = LinkFor(Role.CHAIR, device=Device.BACKUP, kind=LinkKind.WHIP)


@pytest.mark.timeout(120)
def test_a_player_sees_and_hears_whoever_has_the_floor(interop_server: LiveServer, tmp_path: Path) -> None:
    server = interop_server
    ward = LinkFor(Role.SITE, WARD, kind=LinkKind.WHIP)
    chair, sends_hall, sends_ward, watches = server.plan([CHAIR, HALL, ward, WATCHES]).tokens

    def sends(token: str, colour: str, tone_hz: int, volume: int) -> list[str]:
        url = f"{server.origin}/whip"
        sounds = ["--tone", str(tone_hz), "--volume", str(volume)]
        return [*AIORTC, "publish", url, token, "--colour", colour, *sounds, *LOOPBACK]

    def seen() -> dict[str, Any]:
        return player([*AIORTC, "watch", f"{server.origin}/whep", watches, *LOOPBACK])

    async def give_floor() -> None:
        client = await Client(Door(server.origin, None)).enter(chair)
        try:
            await client.command(GiveFloor, site=WARD, floor_version=0)
        finally:
            await client.close()

    with (
        encoder(sends(sends_hall, "red", 440, QUIET), tmp_path / "hall.log"),
        encoder(sends(sends_ward, "green", 660, LOUD), tmp_path / "ward.log"),
    ):
        before = seen()
        asyncio.run(give_floor())
        after = seen()

    assert (before["colour"], before["tone_hz"]) == ("red", 440)
    assert (after["colour"], after["tone_hz"]) == ("green", 660)
