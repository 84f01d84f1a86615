"""The list and one device, asked over real HTTP: who sees what, and what changing it leaves behind."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import select

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.places import Place
from kiosk_hub.fleet.values import FleetRole
from kiosk_hub.store.tables import audit
from room_manager.ids import SiteId
from signaling.settings import FleetSettings
from tests.helpers.fleet import device, facts
from tests.helpers.servers import Hall, hall, settings
from tests.helpers.staff import BA_DINH, HOAN_KIEM, furnish, hub_of, person

PHUC_XA, HANG_BAI = SiteId("00001"), SiteId("00082")
"""A ward of Ba Đình and one of Hoàn Kiếm."""


def at_hall(
    folder: Path,
    act: Callable[[Hall], Coroutine[Any, Any, None]],
    *devices: Device,
    fleet_settings: FleetSettings | None = None,
) -> None:
    async def main() -> None:
        async with hall(settings(folder, fleet=fleet_settings or FleetSettings()), sites=()) as here:
            await furnish(here, devices)
            await act(here)

    asyncio.run(main())


def two() -> tuple[Device, Device]:
    return device(1), replace(device(2), place=Place(unit=HANG_BAI, building="Nhà văn hóa số 3"))


async def entries(here: Hall, action: str) -> list[dict[str, Any]]:
    """What the audit says of this kind of deed."""
    async with hub_of(here).database.read() as connection:
        rows = await connection.execute(select(audit.c.body).order_by(audit.c.seq))
        told = [msgspec.json.decode(row.body)["entry"] for row in rows]
    return [one for one in told if one["action"] == action]


def test_nobody_without_a_role_sees_anything(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, None) as someone:
            assert await someone.refused("GET", "/devices") == (403, "not-allowed")
            assert await someone.refused("GET", "/me") == (403, "not-allowed")
            someone.client.cookies.clear()
            assert await someone.refused("GET", "/devices") == (401, "not-logged-in")

    at_hall(tmp_path, act)


def test_a_row_says_what_is_wrong_in_a_sentence(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        registry = hub_of(here).registry
        now = hub_of(here).directory.clock()
        frozen = facts(camera=Camera(state="frozen"), touch_ok=False)
        registry.on_connected(device(1).id, "boot-0001", now)
        for _ in range(2):
            registry.on_beat(device(1).id, frozen, now)
        async with person(here) as someone:
            answer = await someone.get("/devices")
            one = await someone.get("/devices/d00001")

        row = answer["devices"][0]
        assert (answer["total"], row["status"], row["more"], row["connected"]) == (2, "faulty", 1, True)
        assert row["reason"]["vi"].startswith("Màn hình cảm ứng không nhận chạm từ")
        assert row["agent"] == "0.1.0"
        assert [reason["code"] for reason in one["reasons"]] == ["touch-failed", "camera-frozen"]
        assert one["facts"]["camera"]["state"] == "frozen"
        assert {
            "metric": "disk_free_share",
            "enter": 0.1,
            "leave": 0.12,
            "above": False,
            "status": "degraded",
        } in (one["thresholds"])
        assert "command" in one["may"]

    at_hall(tmp_path, act, *two())


def test_a_technician_sees_only_the_own_districts(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            answer = await someone.get("/devices")
            assert [row["id"] for row in answer["devices"]] == ["d00001"]
            assert answer["total"] == 1
            assert await someone.refused("GET", "/devices/d00002") == (403, "not-allowed")
            assert await someone.refused("PATCH", "/devices/d00002", {"name": "Khác"}) == (403, "not-allowed")
            assert await someone.refused("GET", "/devices/none") == (404, "unknown-device")
            assert await someone.refused("GET", "/roles") == (403, "not-allowed")
            me = await someone.get("/me")
            assert (me["role"], me["districts"]) == ("technician", [BA_DINH])
            assert len((await someone.get("/places"))["districts"]) == 30

    at_hall(tmp_path, act, *two())


def test_an_edit_is_kept_judged_and_in_the_audit(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            body = {"name": "Ki-ốt sảnh A", "maintenance_minutes": 60}
            answer = await someone.ask("PATCH", "/devices/d00001", body)
            assert answer.status_code == 200, answer.text
            assert answer.json()["row"]["name"] == "Ki-ốt sảnh A"
            assert answer.json()["maintenance_until"] is not None
            same = await someone.ask("PATCH", "/devices/d00001", {"name": "Ki-ốt sảnh A"})
            assert same.status_code == 200

        kept = await entries(here, "edit-device")
        assert [(one["action"], one["account"], one["device"]) for one in kept] == [
            ("edit-device", "binh", "d00001")
        ]
        assert kept[0]["values"]["name_before"] == "Ki-ốt 1"
        assert hub_of(here).directory.get(device(1).id).settings_version == 1

    at_hall(tmp_path, act, *two())


def test_a_device_is_not_moved_into_or_out_of_another_district(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here, FleetRole.TECHNICIAN, [BA_DINH]) as someone:
            there = {"place": {"unit": HANG_BAI}}
            assert await someone.refused("PATCH", "/devices/d00001", there) == (403, "not-allowed")
            nowhere = {"place": {"unit": "99999"}}
            assert await someone.refused("PATCH", "/devices/d00001", nowhere) == (400, "invalid")
        assert hub_of(here).directory.get(device(1).id) == device(1)
        assert await entries(here, "edit-device") == []

    at_hall(tmp_path, act, *two())


def test_hours_that_are_none_are_refused(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            hours = [{"weekday": 0, "from_minute": 600, "to_minute": 600}]
            body = {"place": {"unit": PHUC_XA, "hours": hours}}
            assert await someone.refused("PATCH", "/devices/d00001", body) == (400, "invalid")
            hours[0]["weekday"] = 9
            assert await someone.refused("PATCH", "/devices/d00001", body) == (400, "bad-field")
            assert await someone.refused("PATCH", "/devices/d00001", {"maintenance_minutes": -1}) == (
                400,
                "bad-field",
            )

    at_hall(tmp_path, act, *two())


def test_views_are_ones_own(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone, person(here, FleetRole.VIEWER, name="lan") as other:
            made = await someone.ask("POST", "/views", {"name": "Hỏng ở Ba Đình", "query": "?status=faulty"})
            assert made.status_code == 201
            assert (await someone.get("/views"))["views"] == [made.json()]
            assert (await other.get("/views"))["views"] == []
            assert await other.refused("DELETE", f"/views/{made.json()['id']}") == (404, "unknown-view")
            for number in range(49):
                await someone.ask("POST", "/views", {"name": f"{number}", "query": ""})
            assert await someone.refused("POST", "/views", {"name": "một nữa", "query": ""}) == (
                409,
                "too-many-views",
            )
            assert (await someone.ask("DELETE", f"/views/{made.json()['id']}")).status_code == 204

    at_hall(tmp_path, act)


def test_roles_are_given_and_taken_with_an_entry_and_never_the_last(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as boss, person(here, None, name="lan") as other:
            role = {"role": "technician", "districts": [HOAN_KIEM]}
            changes = hub_of(here).changes
            before = changes.version
            assert (await boss.ask("PUT", "/roles/lan", role)).status_code == 204
            assert changes.things_after(before).audit  # pages that show roles, or the audit, look again
            assert (await other.get("/me"))["districts"] == [HOAN_KIEM]
            assert await boss.refused("PUT", "/roles/lan", {"role": "technician"}) == (400, "invalid")
            bad = {"role": "viewer", "districts": ["999"]}
            assert await boss.refused("PUT", "/roles/lan", bad) == (400, "invalid")
            bound = {"role": "administrator", "districts": [HOAN_KIEM]}
            assert await boss.refused("PUT", "/roles/lan", bound) == (400, "invalid")
            assert await boss.refused("PUT", "/roles/none", role) == (404, "unknown-account")
            assert await boss.refused("PUT", "/roles/binh", {"role": None}) == (409, "last-administrator")
            assert (await boss.ask("PUT", "/roles/lan", {"role": None})).status_code == 204
            assert await other.refused("GET", "/me") == (403, "not-allowed")
            rows = (await boss.get("/roles"))["accounts"]
            assert [(row["account"], row["role"]) for row in rows] == [
                ("binh", "administrator"),
                ("lan", None),
            ]

        assert len(await entries(here, "set-role")) == 2

    at_hall(tmp_path, act)


def test_a_forged_change_is_refused(tmp_path: Path) -> None:
    async def act(here: Hall) -> None:
        async with person(here) as someone:
            someone.csrf = "made-up"
            assert await someone.refused("PATCH", "/devices/d00001", {"name": "Khác"}) == (403, "forged")

    at_hall(tmp_path, act, *two())


def test_ten_thousand_rows_are_paged_whole(tmp_path: Path) -> None:
    """Each row once, whatever the size of a page."""

    async def act(here: Hall) -> None:
        hub = hub_of(here)
        for number in range(10_000):
            hub.directory._remember(device(number + 1))
            hub.registry._add(device(number + 1), hub_health, hub.directory.clock())
        async with person(here) as someone:
            ids: list[str] = []
            total = 1
            while len(ids) < total:
                page = await someone.get("/devices", offset=len(ids), limit=1000)
                total = page["total"]
                ids += [row["id"] for row in page["devices"]]
            assert total == 10_000
            assert len(set(ids)) == 10_000
            assert await someone.refused("GET", "/devices?limit=1001") == (400, "invalid")

    from kiosk_hub.fleet.health import Health

    hub_health = Health()
    at_hall(tmp_path, act)
