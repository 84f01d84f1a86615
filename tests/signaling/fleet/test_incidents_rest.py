"""The board and one incident over real HTTP: what is told, who may do what, and what is refused."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera, Facts
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.values import FleetRole
from tests.helpers.fleet import device, facts
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import BA_DINH, HOAN_KIEM, furnish, hub_of, person

QUAN = Grant(FleetRole.ADMINISTRATOR)
FROZEN = facts(camera=Camera(state="frozen"))


def at_hall(folder: Path, act: Callable[[Hall], Coroutine[Any, Any, None]], *devices: Device) -> None:
    async def main() -> None:
        async with hall(settings(folder), sites=()) as here:
            await furnish(here, devices)
            await act(here)

    asyncio.run(main())


async def beats(here: Hall, one: Device, told: Facts = FROZEN) -> None:
    """Of the last two minutes, and what they come to."""
    hub = hub_of(here)
    now = hub.directory.clock()
    for ago in (120, 90, 60, 30, 0):
        hub.registry.on_beat(one.id, told, now - ago)
    await hub.incidents.turn()


async def the_one(here: Hall) -> str:
    await beats(here, device(1))
    (row,) = hub_of(here).incidents.open_rows(QUAN)
    return row.id


def test_the_board_says_what_is_wrong_where_and_who_has_it(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        await beats(here, device(1))
        async with person(here) as someone:
            answer = await someone.get("/incidents")
            row = answer["incidents"][0]
            rows = (await someone.get("/devices"))["devices"]

        assert answer["total"] == 1
        assert (row["severity"], row["level"], row["state"]) == ("minor", "device", "open")
        assert row["sentence"]["vi"].startswith("Camera đứng hình từ")
        assert row["place"]["vi"] == "Ki-ốt 1, Phường Phúc Xá, Quận Ba Đình"
        assert rows[0]["incident"] == row["id"]

    at_hall(tmp_path, act, device(1))


def test_acknowledged_assigned_commented_closed(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        name = await the_one(here)
        async with person(here) as someone:
            one = await someone.get(f"/incidents/{name}")
            assert one["may_handle"]
            version = one["row"]["version"]
            row = await someone.post(f"/incidents/{name}/acknowledge", {"version": version})
            assert row["state"] == "acknowledged"
            assert await someone.refused(
                "POST", f"/incidents/{name}/assign", {"to": "", "version": version}
            ) == (409, "stale")
            me = one["handlers"][0]["account"]
            row = await someone.post(f"/incidents/{name}/assign", {"to": me, "version": row["version"]})
            await someone.post(f"/incidents/{name}/comment", {"text": "Đã gọi người trông nhà"})
            refused = await someone.refused(
                "POST", f"/incidents/{name}/close", {"note": "", "version": row["version"]}
            )
            assert refused == (400, "invalid")
            row = await someone.post(
                f"/incidents/{name}/close", {"note": "Chờ thay camera", "version": row["version"]}
            )
            assert row["state"] == "closed"

            one = await someone.get(f"/incidents/{name}")
            said = [entry["what"] for entry in one["timeline"]]
            assert said == ["closed", "commented", "assigned", "acknowledged", "fell-ill", "opened"]
            assert one["timeline"][0]["text"] == "Chờ thay camera"
            assert (await someone.get("/incidents"))["total"] == 0
            assert (await someone.get("/incidents/closed"))["incidents"][0]["id"] == name
            row = await someone.post(f"/incidents/{name}/reopen", {"note": "", "version": row["version"]})
            assert row["state"] == "open"

    at_hall(tmp_path, act, device(1))


def test_another_district_is_neither_seen_nor_touched(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        name = await the_one(here)
        async with person(here, FleetRole.TECHNICIAN, [HOAN_KIEM]) as stranger:
            assert (await stranger.get("/incidents"))["total"] == 0
            assert await stranger.refused("GET", f"/incidents/{name}") == (403, "not-allowed")
            refused = await stranger.refused("POST", f"/incidents/{name}/acknowledge", {"version": 1})
            assert refused == (403, "not-allowed")
        async with person(here, FleetRole.VIEWER, name="xem") as viewer:
            assert (await viewer.get("/incidents"))["total"] == 1
            assert not (await viewer.get(f"/incidents/{name}"))["may_handle"]
            refused = await viewer.refused("POST", f"/incidents/{name}/comment", {"text": "Xin chào"})
            assert refused == (403, "not-allowed")
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH], name="lan") as own:
            assert (await own.get("/incidents"))["total"] == 1

    at_hall(tmp_path, act, device(1))


def test_bad_input_is_refused_with_a_code(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        name = await the_one(here)
        async with person(here) as someone:
            for path, body, code in (
                (f"/incidents/{name}/acknowledge", {"version": "1"}, (400, "bad-field")),
                (f"/incidents/{name}/comment", {"text": "x"}, (400, "bad-field")),
                (f"/incidents/{name}/comment", {"text": "x" * 1_001}, (400, "bad-field")),
                (f"/incidents/{name}/assign", {"to": "nobody", "version": 1}, (400, "invalid")),
                ("/incidents/in-none/acknowledge", {"version": 1}, (404, "unknown-incident")),
            ):
                assert await someone.refused("POST", path, body) == code, path
            assert await someone.refused("GET", "/incidents?severity=bad") == (400, "invalid")
            assert await someone.refused("GET", "/incidents/in-none") == (404, "unknown-incident")

    at_hall(tmp_path, act, device(1))
