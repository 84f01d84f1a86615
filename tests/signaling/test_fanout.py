"""What a room tells to whom: lines, voices, presence, microphones; over real sockets with a played engine."""

import asyncio
from pathlib import Path
from typing import Any

from room_manager.ids import ConnectionId
from room_manager.media.engine import ConnectionsLost, EngineRestarted, LineQuality, Speaking
from room_manager.meeting.values import Role
from signaling.fanout import Fanout
from tests.helpers.engines import offer
from tests.helpers.servers import A, B, C, Client, Hall, hall, settings


async def fanout_of(here: Hall) -> Fanout:
    return await here.edge.rooms.fanout(here.meeting)


def connection_of(here: Hall, site: Any) -> Any:
    [connection] = here.manager.told(here.meeting).sites[site].devices.values()
    return connection


def test_the_quality_of_a_line_goes_to_its_site_and_to_whoever_watches(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            operator = await here.enter(Role.OPERATOR)
            site, other = await here.enter(Role.SITE, A), await here.enter(Role.SITE, B)
            await operator.ask("watch-presence", on=True)
            room = await fanout_of(here)

            room.on_media(LineQuality(here.meeting, connection_of(here, A), "bad", 480.0, 0.12))

            line = await site.hear("line")
            assert (line["grade"], line["rtt_ms"]) == ("bad", 480.0)
            row = await row_of(operator, A, line="bad")
            assert row["state"] == "present"
            await other.settle()
            assert not [m for m in other.heard if m["type"] in ("line", "presence")]

    asyncio.run(scenario())


async def row_of(client: Client, site: str, **wanted: Any) -> dict[str, Any]:
    """The first row of the site that fits."""

    def fits(row: dict[str, Any]) -> bool:
        return row["code"] == site and all(row[name] == value for name, value in wanted.items())

    message = await client.hear("presence", where=lambda m: any(fits(row) for row in m["sites"]))
    found: dict[str, Any] = next(row for row in message["sites"] if fits(row))
    return found


def test_a_covered_camera_shows_in_the_row_until_the_device_goes(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            site = await here.enter(Role.SITE, A)
            await chair.ask("watch-presence", on=True)
            await site.ask("device-state", microphone=True, camera=False)
            assert (await row_of(chair, A, camera=False))["microphone"] is True
            await site.close()
            assert (await row_of(chair, A, state="away"))["camera"] is True
            await chair.ask("watch-presence", on=False)
            await here.enter(Role.SITE, A)
            await chair.hear("counts", where=lambda m: m["present"] == 1)
            await chair.settle()
            assert not any(
                row["state"] == "present" and row["code"] == A and row["camera"] is False
                for message in chair.heard[-5:]
                if message["type"] == "presence"
                for row in message["sites"]
            )

    asyncio.run(scenario())


def test_only_the_newest_of_many_voices_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            site = await here.enter(Role.SITE, A)
            room = await fanout_of(here)
            for speakers in ((A,), (B,), (C,), (B, C)):
                room.on_media(Speaking(here.meeting, speakers))
            await site.hear("speaking", where=lambda m: [s["code"] for s in m["sites"]] == [B, C])
            assert len([m for m in site.heard if m["type"] == "speaking"]) <= 2

    asyncio.run(scenario())


def test_after_a_restart_of_the_engine_everybody_has_a_place_in_the_ramp(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            members = [await here.enter(Role.SITE, site) for site in (A, B, C)]
            (await fanout_of(here)).on_media(EngineRestarted())
            waits = [(await member.hear("media-lost"))["retry_after_ms"] for member in members]
            assert len(set(waits)) == 3

    asyncio.run(scenario())


def test_when_a_worker_dies_only_its_connections_are_told_to_come_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            first, kept, third = [await here.enter(Role.SITE, site) for site in (A, B, C)]
            operator, room = await here.enter(Role.OPERATOR), await fanout_of(here)
            await operator.ask("watch-presence", on=True)
            room.on_media(LineQuality(here.meeting, connection_of(here, A), "bad", 480.0, 0.12))
            await row_of(operator, A, line="bad")
            gone = (connection_of(here, A), connection_of(here, C), ConnectionId("of-somebody-who-left"))
            room.on_media(ConnectionsLost(here.meeting, gone))
            await row_of(operator, A, line=None)
            assert (await first.hear("media-lost"))["retry_after_ms"] == 0
            assert (await third.hear("media-lost"))["retry_after_ms"] > 0
            await kept.settle()
            assert not [m for m in kept.heard if m["type"] == "media-lost"]

    asyncio.run(scenario())


def test_a_mute_for_all_is_told_to_each_as_it_concerns_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            first, second = await here.enter(Role.SITE, A), await here.enter(Role.SITE, B)
            await chair.ask("set-mode", mode="open", mode_version=0)
            for site in (first, second):
                await site.hear("microphones", where=lambda m: m["you_may_speak"])

            await chair.ask("mute-all")
            for site in (first, second):
                told = await site.hear("microphones")
                assert (told["you_may_speak"], told["you_are_muted"], told["all_muted"]) == (
                    False,
                    True,
                    True,
                )
            late = await here.enter(Role.SITE, C)
            assert late.last("microphones")["you_may_speak"] is False

            await chair.ask("unmute-site", site=A)
            assert (await first.hear("microphones"))["you_may_speak"] is True
            before = len(second.heard)
            await second.settle()
            assert "microphones" not in {m["type"] for m in second.heard[before:]}
            assert chair.last("microphones")["you_may_speak"] is True

    asyncio.run(scenario())


def test_counts_of_a_crowd_are_summed_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            chair = await here.enter(Role.CHAIR)
            for _ in range(4):
                for site in (A, B, C):
                    await here.enter(Role.SITE, site)
            await chair.hear("counts", where=lambda m: m["present"] == 3)
            joins = here.manager.seq(here.meeting)
            assert len([m for m in chair.heard if m["type"] == "counts"]) < joins

    asyncio.run(scenario())


def test_an_offer_is_answered_with_the_slots(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            site = await here.enter(Role.SITE, A)
            answer = await site.ask("offer", sdp=offer())
            assert answer["type"] == "answer", answer
            assert "main" in answer["slots"].values()
            assert len(answer["sdp"]) > 100

    asyncio.run(scenario())
