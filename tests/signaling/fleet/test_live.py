"""The live feed over real sockets: who is let in, who hears what, and how it ends."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from websockets.exceptions import InvalidStatus

from kiosk_hub.fleet.ids import DeviceId, IncidentId
from kiosk_hub.fleet.permissions import Grant
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import FleetRole
from room_manager.ids import SiteId
from signaling.fleet.live import Live
from tests.helpers.fleet import device, facts
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import BA_DINH, HOAN_KIEM, furnish, hear, hub_of, person
from tests.signaling.fleet.test_devices_rest import HANG_BAI, at_hall, two

D1, D2 = DeviceId("d00001"), DeviceId("d00002")


def live_of(here: Hall) -> Live:
    live: Live = here.server.app.state.live
    return live


def beat(here: Hall, which: DeviceId, **changed: Any) -> None:
    hub_of(here).registry.on_beat(which, facts(**changed), hub_of(here).directory.clock())


def test_hello_then_rows_then_pulses(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            socket = await someone.dial()
            hello = await hear(socket, "fleet-hello")
            assert hello["total"] == 2

            beat(here, D1, touch_ok=False)
            beat(here, D1, touch_ok=False)
            told = await hear(socket, "rows-changed")
            assert [row["id"] for row in told["rows"]] == [D1]
            assert told["rows"][0]["status"] == "faulty"
            assert told["rows"][0]["version"] > hello["version"]

            hub_of(here).changes.incident_changed(IncidentId("i1"))
            assert (await hear(socket, "something-changed"))["incidents"] == ["i1"]
            live_of(here).pulse()
            assert (await hear(socket, "fleet-pulse"))["version"] == hub_of(here).changes.version
            await socket.close()

    at_hall(tmp_path, act, *two())


def test_a_technician_hears_of_the_own_districts_only(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            socket = await someone.dial()
            assert (await hear(socket, "fleet-hello"))["total"] == 1
            beat(here, D2)
            hub_of(here).changes.commands_changed(D2)
            hub_of(here).changes.commands_changed(D1)
            live_of(here).tell()
            assert (await hear(socket, "rows-changed", "something-changed"))["commands"] == [D1]

            moved = replace(device(1), place=Place(unit=HANG_BAI))
            async with hub_of(here).directory.change() as change:
                await change.put(moved)
            live_of(here).tell()
            assert (await hear(socket, "rows-changed"))["gone"] == [D1]
            async with hub_of(here).directory.change() as change:
                await change.put(replace(device(2), place=Place(unit=SiteId("00001"))))
            live_of(here).tell()
            told = await hear(socket, "rows-changed")
            assert ([row["id"] for row in told["rows"]], told["gone"]) == ([D2], [])
            await socket.close()

    at_hall(tmp_path, act, *two())


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"origin": "https://elsewhere.example"}, 403), ({"cookie": "diemcau=made-up"}, 401)],
)
def test_who_is_not_let_in(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            with pytest.raises(InvalidStatus) as refused:
                await someone.dial(headers)
            assert refused.value.response.status_code == status

    at_hall(tmp_path, act)


def test_it_ends_with_the_log_in_and_with_the_grant(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        hub, live = hub_of(here), live_of(here)
        async with person(here) as someone, person(here, FleetRole.VIEWER, name="lan") as other:
            first, second = await someone.dial(), await other.dial()
            for socket in (first, second):
                await hear(socket, "fleet-hello")

            await hub.staff.set("lan", Grant(FleetRole.VIEWER, frozenset({HOAN_KIEM})))
            await live.check()
            gone = await hear(second, "fleet-gone")
            assert (gone["code"], gone["retry_after_ms"]) == ("changed", 0)
            second = await other.dial()
            assert (await hear(second, "fleet-hello"))["total"] == 1
            await hub.staff.set("lan", None)
            await live.check()
            assert (await hear(second, "fleet-gone"))["code"] == "not-allowed"

            answer = await someone.client.delete("/api/session", headers={"x-csrf-token": someone.csrf})
            assert answer.status_code == 204
            await live.check()
            assert (await hear(first, "fleet-gone"))["code"] == "logged-out"
            await first.wait_closed()
            assert first.close_code == 4403
            assert len(live) == 0

    at_hall(tmp_path, act, *two())


def test_many_changes_come_in_pieces_and_each_row_once(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            socket = await someone.dial()
            await hear(socket, "fleet-hello")
            for _ in range(3):
                for number in range(1, 1201):
                    beat(here, device(number).id)
            sizes: list[int] = []
            seen: set[str] = set()
            while len(seen) < 1200:
                live_of(here).tell()
                told = await hear(socket, "rows-changed")
                sizes.append(len(told["rows"]))
                seen |= {row["id"] for row in told["rows"]}
            assert sizes == [500, 500, 200]
            await socket.close()

    at_hall(tmp_path, act, *(device(number) for number in range(1, 1201)))


def test_a_page_too_many_takes_the_place_of_the_oldest(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            sockets = [await someone.dial() for _ in range(21)]
            assert (await hear(sockets[0], "fleet-gone"))["code"] == "superseded"
            assert len(live_of(here)) == 20
            await asyncio.gather(*(socket.close() for socket in sockets))

    at_hall(tmp_path, act)


def test_a_restart_tells_pages_when_to_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with hall(settings(tmp_path), sites=()) as here:
            await furnish(here)
            async with person(here) as someone:
                socket = await someone.dial()
                await hear(socket, "fleet-hello")
                here.server.should_exit = True
                gone = await hear(socket, "fleet-gone")
                assert (gone["code"], gone["retry_after_ms"]) == ("shutting-down", 1000)

    asyncio.run(main())


def test_a_page_whose_line_is_slow_holds_nobody_and_is_owed_the_newest_only(tmp_path: Path) -> None:
    ids = [device(number).id for number in range(1, 501)]

    async def act(here: Hall) -> None:
        live = live_of(here)
        async with person(here) as someone:
            slow = await someone.dial(max_queue=1)
            quick = await someone.dial()
            await hear(quick, "fleet-hello")
            page = next(iter(live._pages))
            told = 0
            while page.direct.writable and told < 200:
                told += 1
                for id in ids:
                    beat(here, id)
                live.tell()
                await asyncio.sleep(0)
            assert not page.direct.writable
            owed_from = page.told

            for _ in range(50):  # nothing of this waits anywhere
                for id in ids:
                    beat(here, id)
                live.tell()
            assert page.told == owed_from

            beat(here, D1, touch_ok=False)
            beat(here, D1, touch_ok=False)
            newest: dict[str, Any] = {}
            messages = 0
            while newest.get("status") != "faulty":
                for row in (await hear(slow, "rows-changed"))["rows"]:
                    newest = row if row["id"] == D1 else newest
                messages += 1
            assert messages <= told + 2

            page.moved_on_at = -1e9
            page.direct.writable = False
            live.tell()
            assert page not in live._pages
            await asyncio.gather(slow.close(), quick.close())

    at_hall(tmp_path, act, *(device(number) for number in range(1, 501)))
