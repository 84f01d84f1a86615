"""The wall's own connection, a restart of ICE, and what is told of layers and of a line's step."""

import asyncio
from pathlib import Path
from typing import Any

from room_manager.ids import SiteId
from room_manager.media.engine import (
    LayersWanted,
    LineQuality,
    LineStep,
    MediaDown,
    MediaUp,
    Scene,
)
from room_manager.media.fake import FakeEngine
from room_manager.meeting.values import Device, Role
from tests.helpers.engines import offer, wall_offer
from tests.helpers.servers import A, B, C, Client, Hall, hall, settings


class Watched(FakeEngine):
    """Keeps what was watched, restarted and left, by connection."""

    def __init__(self) -> None:
        super().__init__()
        self.joined: list[tuple[str, SiteId | None]] = []
        self.walls: list[tuple[str, tuple[SiteId, ...]]] = []
        self.restarted: list[str] = []
        self.left: list[str] = []
        self._leaving = asyncio.Condition()

    async def join(self, room: Any, connection: Any, source: SiteId | None, offer: str) -> Any:
        self.joined.append((connection, source))
        return await super().join(room, connection, source, offer)

    async def watch(self, connection: Any, sites: tuple[SiteId, ...]) -> None:
        await super().watch(connection, sites)
        self.walls.append((connection, sites))

    async def restart(self, connection: Any, offer: str) -> Any:
        answer = await super().restart(connection, offer)
        self.restarted.append(connection)
        return answer

    async def leave(self, connection: Any) -> None:
        await super().leave(connection)
        async with self._leaving:
            self.left.append(connection)
            self._leaving.notify_all()

    async def until_left(self, *connections: str) -> None:
        async with asyncio.timeout(8), self._leaving:
            await self._leaving.wait_for(lambda: set(connections) <= set(self.left))


async def told(here: Hall, event: Any) -> None:
    (await here.edge.rooms.fanout(here.meeting)).on_media(event)


def connection_of(here: Hall, site: SiteId) -> Any:
    [connection] = here.manager.told(here.meeting).sites[site].devices.values()
    return connection


async def row_of(client: Client, site: str, **wanted: Any) -> dict[str, Any]:
    """The first row of the site that fits."""

    def fits(row: dict[str, Any]) -> bool:
        return row["code"] == site and all(row[name] == value for name, value in wanted.items())

    message = await client.hear("presence", where=lambda m: any(fits(row) for row in m["sites"]))
    found: dict[str, Any] = next(row for row in message["sites"] if fits(row))
    return found


def test_a_wall_is_a_connection_of_its_own_that_stands_for_nobody_and_ends_with_the_window(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        engine = Watched()
        async with hall(settings(tmp_path), engine=engine) as here:
            chair = await here.enter(Role.CHAIR)
            await chair.ask("offer", sdp=offer())
            answer = await chair.ask("offer", sdp=wall_offer(), purpose="wall")
            assert answer["type"] == "answer", answer
            assert set(answer["slots"].values()) == {f"wall-{n}" for n in range(1, 26)}
            (own, host), (wall, nobody) = engine.joined
            assert (host, nobody) == ("TP", None)
            assert own != wall

            assert (await chair.ask("watch-wall", sites=[B, A]))["type"] == "done"
            assert engine.walls == [(wall, (B, A))]
            await chair.ask("restart-ice", sdp=wall_offer(), purpose="wall")
            await chair.ask("restart-ice", sdp=offer())
            assert engine.restarted == [wall, own]

            await chair.close()
            await engine.until_left(own, wall)

    asyncio.run(scenario())


def test_a_second_wall_of_a_window_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = Watched()
        async with hall(settings(tmp_path), engine=engine) as here:
            operator = await here.enter(Role.OPERATOR)
            for _ in range(2):
                await operator.ask("offer", sdp=wall_offer(), purpose="wall")
            (first, _), (second, _) = engine.joined
            await engine.until_left(first)

            await operator.ask("watch-wall", sites=[C])
            assert engine.walls == [(second, (C,))]

            await operator.ask("close-wall")
            await engine.until_left(second)
            assert (await operator.ask("watch-wall", sites=[C]))["code"] == "not-joined"

    asyncio.run(scenario())


def test_a_wall_that_cannot_be_is_refused_with_a_code(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = Watched()
        async with hall(settings(tmp_path), engine=engine) as here:
            operator = await here.enter(Role.OPERATOR)
            assert (await operator.ask("watch-wall", sites=[A]))["code"] == "not-joined"
            assert (await operator.ask("restart-ice", sdp=wall_offer()))["code"] == "not-joined"
            await operator.ask("offer", sdp=wall_offer(), purpose="wall")
            assert (await operator.ask("watch-wall", sites=["99999"]))["code"] == "unknown-site"
            assert (await operator.ask("watch-wall", sites=[A] * 26))["code"] == "bad-field"
            assert (await operator.ask("offer", sdp=offer(), purpose="roof"))["code"] == "bad-field"
            assert engine.walls == []
            engine.die()
            assert (await operator.ask("watch-wall", sites=[A]))["code"] == "engine-away"

    asyncio.run(scenario())


def test_a_publisher_is_told_which_layers_are_wanted_and_nobody_else_is(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            site, other = await here.enter(Role.SITE, A), await here.enter(Role.SITE, B)
            for layers in ((), ("q",), ("q", "h", "f")):
                await told(here, LayersWanted(here.meeting, connection_of(here, A), "camera", layers))
                heard = await site.hear("layers")
                assert (heard["role"], tuple(heard["layers"])) == ("camera", layers)
            await other.settle()
            assert "layers" not in {m["type"] for m in other.heard}

    asyncio.run(scenario())


def test_a_step_goes_to_its_site_and_to_whoever_watches_with_its_reason_and_since_when(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            operator, site = await here.enter(Role.OPERATOR), await here.enter(Role.SITE, A)
            await operator.ask("watch-presence", on=True)
            connection = connection_of(here, A)
            await told(here, MediaUp(here.meeting, connection))
            begun = await row_of(operator, A, step="full")
            assert begun["reason"] == "room"

            await told(here, LineStep(here.meeting, connection, "audio-only", "loss", 90_000))
            line = await site.hear("line", where=lambda m: m["step"] == "audio-only")
            assert (line["reason"], line["available_bps"], line["grade"]) == ("loss", 90_000, "good")
            row = await row_of(operator, A, step="audio-only", reason="loss")
            assert row["step_at"] >= begun["step_at"]

            await told(here, LineQuality(here.meeting, connection, "bad", 300.0, 0.2))
            line = await site.hear("line", where=lambda m: m["grade"] == "bad")
            assert (line["step"], line["reason"]) == ("audio-only", "loss")
            assert (await row_of(operator, A, line="bad"))["step_at"] == row["step_at"]

            await told(here, MediaDown(here.meeting, connection))
            gone = await row_of(operator, A, step=None)
            assert (gone["line"], gone["reason"], gone["step_at"]) == (None, None, None)

    asyncio.run(scenario())


def test_the_row_tells_of_the_device_that_is_seen_not_of_the_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            operator = await here.enter(Role.OPERATOR)
            await operator.ask("watch-presence", on=True)
            primary = await here.enter(Role.SITE, A, Device.PRIMARY)
            await here.enter(Role.SITE, A, Device.BACKUP)
            devices = here.manager.told(here.meeting).sites[A].devices
            for device, step in ((Device.BACKUP, "quarter"), (Device.PRIMARY, "half")):
                await told(here, LineStep(here.meeting, devices[device], step, "bandwidth", None))  # type: ignore[arg-type]
            assert (await row_of(operator, A, step="half"))["device"] == "primary"

            await primary.close()
            assert (await row_of(operator, A, device="backup"))["step"] == "quarter"

    asyncio.run(scenario())


def test_what_an_engine_says_of_connections_nobody_has_is_left_aside(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with hall(settings(tmp_path)) as here:
            site = await here.enter(Role.SITE, A)
            nobody: Any = "nobody"
            await told(here, LayersWanted(here.meeting, nobody, "camera", ()))
            await told(here, LineStep(here.meeting, nobody, "still", "silent", None))
            await told(here, MediaDown(here.meeting, nobody))
            await site.settle()
            assert not {"layers", "line"} & {m["type"] for m in site.heard}

    asyncio.run(scenario())


def test_after_a_restart_of_the_engine_a_wall_is_offered_anew(tmp_path: Path) -> None:
    async def scenario() -> None:
        engine = Watched()
        async with hall(settings(tmp_path), engine=engine) as here:
            operator = await here.enter(Role.OPERATOR)
            await operator.ask("offer", sdp=wall_offer(), purpose="wall")
            engine.revive()
            await operator.hear("media-lost")
            assert (await operator.ask("watch-wall", sites=[A]))["code"] == "not-joined"
            await operator.ask("offer", sdp=wall_offer(), purpose="wall")
            assert (await operator.ask("watch-wall", sites=[A]))["type"] == "done"
            assert engine.scenes[here.meeting] != Scene()

    asyncio.run(scenario())
