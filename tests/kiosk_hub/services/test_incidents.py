"""Incidents over a real database: durable, told once, and closed by people who may."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from kiosk_hub.fleet import incident_acts as acts
from kiosk_hub.fleet import incidents as i
from kiosk_hub.fleet.correlation import Spot
from kiosk_hub.fleet.facts import Camera
from kiosk_hub.fleet.ids import IncidentId
from kiosk_hub.fleet.values import DeviceState, IncidentState, Level, Severity
from kiosk_hub.services.incidents import UnknownIncident, may_handle
from kiosk_hub.store.tables import audit
from room_manager.errors import Invalid, NotAllowed, Stale
from tests.helpers.incident_bench import HALL, HOA, LAN, OTHERS, QUAN, XEM, Bench, again, bench

FROZEN = Camera(state="frozen", moving=False)


def run(folder: Path, story: Callable[[Bench], Awaitable[None]]) -> None:
    async def main() -> None:
        async with bench(folder) as made:
            await story(made)

    asyncio.run(main())


def test_a_power_cut_is_one_row_with_its_place_in_words(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.kill(*HALL)
        await city.wait(120)

        row = city.only()
        assert (row.level, row.severity) == (Level.BUILDING, Severity.CRITICAL)
        assert row.place.vi == "Nhà văn hóa số 3, Phường Số 00001, Quận 001"
        assert row.sentence.vi == (
            "Mất điện hoặc mất đường truyền tại Nhà văn hóa số 3, Phường Số 00001, Quận 001 (4/4 thiết bị)"
        )
        assert row.sentence.en.startswith("Power or line lost at")
        assert all(city.incidents.incident_of(one.id) == row.id for one in HALL)
        assert city.incidents.incident_of(OTHERS[0].id) is None

    run(tmp_path, story)


def test_a_clock_set_back_holds_no_alarm_up(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(400)
        assert city.only().ill == 1

        city.clock.now -= 86_400
        await city.wait(60)
        assert city.only().ill == 1
        city.breaks(HALL[0])
        await city.wait(1_800)

        assert not city.rows()

    run(tmp_path, story)


def test_a_place_lost_again_is_one_row_though_one_device_never_came_back(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.kill(*HALL)
        await city.wait(130)
        name = city.only().id
        city.revive(*HALL[:3])
        await city.wait(3_600)
        assert (city.only().id, city.only().ill) == (name, 1)

        city.kill(*HALL[:3])
        await city.wait(130)

        row = city.only()
        assert (row.id, row.level, row.ill, row.state) == (name, Level.BUILDING, 4, IncidentState.OPEN)
        _, events = await city.incidents.get(IncidentId(name), QUAN.grant)
        assert [type(one) for one in events[-3:]] == [i.Closed, i.Reopened, i.FellIll]
        after = await again(city)
        assert after.rows() == [row]

    run(tmp_path, story)


def test_a_frozen_camera_is_told_and_closes_by_itself(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(150)
        assert city.only().sentence.code == "camera-frozen"
        assert city.only().severity is Severity.MINOR

        city.breaks(HALL[0])
        await city.wait(240)
        assert city.only().sentence.vi.startswith("Đã hoạt động lại")
        await city.wait(700)
        assert not city.rows()

        rows, total = await city.incidents.closed_rows(QUAN.grant, "", 0, 10)
        assert total == 1
        assert rows[0].closed_note == "recovered"

    run(tmp_path, story)


def test_a_restart_forgets_nothing_and_tells_nothing_twice(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.kill(*HALL)
        await city.wait(130)
        before = city.only()
        await city.incidents.act(
            LAN, IncidentId(before.id), acts.Acknowledge(by="lan", version=before.version)
        )

        city = await again(city)
        await city.wait(300)
        assert city.only().id == before.id
        assert city.only().state is IncidentState.ACKNOWLEDGED
        _, events = await city.incidents.get(IncidentId(before.id), QUAN.grant)
        assert sum(isinstance(event, i.Opened) for event in events) == 1

        city.revive(*HALL)
        await city.wait(900)
        assert not city.rows()
        assert not any(city.incidents.incident_of(one.id) for one in HALL)

    run(tmp_path, story)


def test_the_stored_events_fold_to_what_is_shown(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(150)
        city.kill(*HALL)
        await city.wait(130)

        for row in city.rows():
            incident, events = await city.incidents.get(IncidentId(row.id), QUAN.grant)
            assert city.incidents.row(incident) == row
            assert incident.events == len(events)

    run(tmp_path, story)


def test_every_deed_of_a_person_is_in_the_audit(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.kill(*HALL)
        await city.wait(130)
        name = IncidentId(city.only().id)

        row = await city.incidents.act(
            LAN, name, acts.Assign(by="lan", to="lan", version=city.only().version)
        )
        await city.incidents.act(LAN, name, acts.Comment(by="lan", text="Đã gọi điện lực"))
        await city.incidents.act(
            LAN, name, acts.Close(by="lan", note="Cắt điện theo lịch", version=row.version)
        )

        assert not city.rows()
        async with city.database.read() as connection:
            entries = (await connection.execute(select(audit.c.action, audit.c.account))).all()
            assigned = (await connection.execute(select(audit.c.body).order_by(audit.c.seq))).first()
        assert assigned is not None
        assert b'"to":"lan"' in assigned.body
        assert [tuple(entry) for entry in entries] == [
            ("assign-incident", "lan"),
            ("comment-incident", "lan"),
            ("close-incident", "lan"),
        ]

    run(tmp_path, story)


def test_who_may_not_is_refused(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.kill(*HALL)
        await city.wait(130)
        row = city.only()
        name = IncidentId(row.id)

        assert not city.rows(HOA)
        for staff in (HOA, XEM):
            with pytest.raises(NotAllowed):
                await city.incidents.act(staff, name, acts.Acknowledge(by=staff.account, version=row.version))
        with pytest.raises(NotAllowed):
            await city.incidents.get(name, HOA.grant)
        with pytest.raises(Invalid):
            await city.incidents.act(LAN, name, acts.Assign(by="lan", to="xem", version=row.version))
        with pytest.raises(Invalid):  # whose districts are others, and who could not even see it
            await city.incidents.act(LAN, name, acts.Assign(by="lan", to="hoa", version=row.version))
        with pytest.raises(Stale):
            await city.incidents.act(LAN, name, acts.Acknowledge(by="lan", version=row.version + 1))
        with pytest.raises(UnknownIncident):
            await city.incidents.act(LAN, IncidentId("in-none"), acts.Comment(by="lan", text="Xin chào"))
        assert city.only() == row

    run(tmp_path, story)


def test_what_belongs_to_no_district_is_no_technicians() -> None:
    for spot in (Spot(Level.UNIT, "unit:00009", "", "00009"), Spot(Level.CITY, "city")):
        assert not may_handle(LAN.grant, spot)
        assert not may_handle(XEM.grant, spot)
        assert may_handle(QUAN.grant, spot)


def test_what_cannot_be_stored_has_not_happened_and_is_decided_again(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(30)
        async with city.database.write() as connection:
            await connection.exec_driver_sql(
                "CREATE TRIGGER full BEFORE INSERT ON incident_events BEGIN SELECT RAISE(ABORT, 'full'); END"
            )
        with pytest.raises(Exception, match="full"):
            await city.wait(150)
        assert not city.rows()

        async with city.database.write() as connection:
            await connection.exec_driver_sql("DROP TRIGGER full")
        await city.wait(10)
        assert city.only().sentence.code == "camera-frozen"

    run(tmp_path, story)


def test_what_has_been_over_for_a_year_is_forgotten(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(150)
        city.breaks(HALL[0])
        await city.wait(900)
        await city.incidents.prune()
        assert (await city.incidents.closed_rows(QUAN.grant, "", 0, 10))[1] == 1

        city.clock.now += 367 * 86_400
        await city.incidents.prune()
        assert (await city.incidents.closed_rows(QUAN.grant, "", 0, 10))[1] == 0

    run(tmp_path, story)


def test_a_retired_device_leaves_nothing_open(tmp_path: Path) -> None:
    async def story(city: Bench) -> None:
        city.breaks(HALL[0], camera=FROZEN)
        await city.wait(150)
        assert city.rows()
        async with city.directory.change() as change:
            await change.put(replace(HALL[0], state=DeviceState.RETIRED))
        await city.wait(700)

        assert not city.rows()

    run(tmp_path, story)


def test_what_was_folded_in_closes_with_its_place(tmp_path: Path) -> None:
    """All of it in one turn, in which nothing that was just said may be forgotten."""

    async def story(city: Bench) -> None:
        city.kill(OTHERS[0])
        await city.wait(150)
        first = city.only()
        city.kill(*OTHERS)
        await city.wait(150)
        assert city.only().level is Level.UNIT
        assert first.id != city.only().id

        city.revive(*OTHERS)
        await city.wait(900)

        assert not city.rows()
        _, events = await city.incidents.get(IncidentId(first.id), QUAN.grant)
        assert isinstance(events[-1], i.Closed)

    run(tmp_path, story)
