"""One act for many devices over a real database: shown first, then done to exactly those."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kiosk_hub.fleet.bulks import Fate, Look, Pace, Selection
from kiosk_hub.fleet.commands import CommandState, Plan
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.orders import Reboot, RestartPage, SetVolume, TakeOutOfService
from kiosk_hub.fleet.values import DeviceKind, DeviceState, Status
from kiosk_hub.services.bulks import Bulks, UnknownBulk
from kiosk_hub.services.commands import KeyReused
from room_manager.errors import Invalid, NotAllowed, Stale, WrongState
from tests.helpers import databases
from tests.helpers.command_bench import BA_DINH, HOA, HOAN_KIEM, LAN, MINH, QUAN, XEM, Bench, bench

MANY = 13  # the last one is in Hoàn Kiếm
KIOSKS = Selection(kinds=(DeviceKind.KIOSK,))
BA_DINH_ONES = Selection(districts=(BA_DINH,))
S = CommandState


class City:
    """Commands and bulks, and how each device looks."""

    def __init__(self, found: Bench) -> None:
        self.found = found
        self.looks: dict[DeviceId, Look] = {}
        self.bulks = Bulks(found.database, found.directory, found.commands, self.look, found.clock)

    def look(self, device: DeviceId) -> Look:
        connected = device in self.found.lines.connected
        return self.looks.get(device, Look(Status.OK, "0.1.0", "", False, connected))

    def connect(self, *numbers: int) -> None:
        self.found.lines.connected |= {DeviceId(f"d{number}") for number in numbers}


Test = Callable[[City], Coroutine[Any, Any, None]]
Run = Callable[[Test], None]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    databases.prepare()

    def go(test: Test) -> None:
        async def main() -> None:
            async with bench(tmp_path, MANY) as found, asyncio.timeout(30):
                await test(City(found))

        asyncio.run(main())

    return go


def test_a_dry_run_says_what_would_happen_and_does_nothing(run: Run) -> None:
    async def test(city: City) -> None:
        city.connect(0, 1, 12)
        city.looks[DeviceId("d1")] = Look(Status.OK, "0.1.0", "", True, True)
        await city.found.set_state("d2", DeviceState.QUARANTINED)

        both = Selection(districts=(BA_DINH, HOAN_KIEM))
        shown = await city.bulks.dry_run(LAN, both, RestartPage(), Plan(), None)

        fates = {one.device: (one.fate, one.code) for one in shown.foreseen}
        assert fates[DeviceId("d0")] == (Fate.AT_ONCE, "")
        assert fates[DeviceId("d1")] == (Fate.WAITS_FOR_SESSION, "")
        assert fates[DeviceId("d2")] == (Fate.REFUSED, "not-in-use")
        assert fates[DeviceId("d3")] == (Fate.WAITS_FOR_LINE, "")
        assert fates[DeviceId("d12")] == (Fate.REFUSED, "not-allowed")
        assert len(fates) == MANY
        assert list(city.found.commands.all_open()) == []

    run(test)


def test_what_was_shown_is_done_spread_over_time(run: Run) -> None:
    async def test(city: City) -> None:
        city.connect(*range(MANY))
        shown = await city.bulks.dry_run(LAN, BA_DINH_ONES, RestartPage(), Plan(), Pace(4, 20.0))

        bulk = await city.bulks.act(LAN, shown.token, "cập nhật trang", "key-00001")
        again = await city.bulks.act(LAN, shown.token, "cập nhật trang", "key-00001")

        assert again.id == bulk.id
        others = await city.bulks.dry_run(
            LAN, Selection(devices=shown.willing[:1]), RestartPage(), Plan(), None
        )
        with pytest.raises(KeyReused):  # not "done": these devices were never told
            await city.bulks.act(LAN, others.token, "cập nhật trang", "key-00001")
        assert bulk.many == 12
        first = [city.found.directory.get(device) for device, _ in city.found.lines.orders]
        assert {device.place.building for device in first} == {f"Nhà {n}" for n in range(4)}
        assert len(first) == 4
        city.found.clock.now += 20
        await city.found.commands.look()
        assert len(city.found.lines.orders) == 8
        progress = await city.bulks.progress(LAN, bulk.id)
        assert progress.counts == {S.SENT: 8, S.PENDING: 4}

        assert await city.found.commands.claim(first[0].id, city.found.lines.orders[0][1].id) is None
        after = await city.bulks.cancel(LAN, bulk.id, "đủ rồi")
        assert after.counts == {S.RUNNING: 1, S.CANCELLED: 11}

    run(test)


def test_a_technician_by_filter_means_what_is_in_sight(run: Run) -> None:
    async def test(city: City) -> None:
        shown = await city.bulks.dry_run(HOA, KIOSKS, SetVolume(0.4), Plan(), None)

        assert [one.device for one in shown.foreseen] == ["d12"]
        for who in (XEM,):
            with pytest.raises(NotAllowed):
                await city.bulks.dry_run(who, KIOSKS, SetVolume(0.4), Plan(), None)
        with pytest.raises(Invalid):
            await city.bulks.dry_run(LAN, Selection(), SetVolume(0.4), Plan(), None)
        with pytest.raises(Invalid):
            await city.bulks.dry_run(LAN, KIOSKS, SetVolume(0.4), Plan(ttl_s=1), None)

    run(test)


def test_a_token_is_its_makers_for_a_while_and_stale_when_much_has_changed(run: Run) -> None:
    async def test(city: City) -> None:
        shown = await city.bulks.dry_run(LAN, BA_DINH_ONES, RestartPage(), Plan(), None)
        with pytest.raises(Stale):
            await city.bulks.act(MINH, shown.token, "của tôi", "key-00001")
        for number in range(3):
            await city.found.set_state(f"d{number}", DeviceState.QUARANTINED)
        with pytest.raises(Stale):
            await city.bulks.act(LAN, shown.token, "muộn rồi", "key-00002")

        fresh = await city.bulks.dry_run(LAN, BA_DINH_ONES, RestartPage(), Plan(), None)
        await city.found.set_state("d3", DeviceState.QUARANTINED)  # one is no reason to stop
        assert (await city.bulks.act(LAN, fresh.token, "làm thôi", "key-00003")).many == 8

        late = await city.bulks.dry_run(LAN, BA_DINH_ONES, RestartPage(), Plan(), None)
        city.found.clock.now += 901
        with pytest.raises(Stale):
            await city.bulks.act(LAN, late.token, "muộn rồi", "key-00004")

    run(test)


def test_ten_out_of_service_need_two_and_a_reboot_always(run: Run) -> None:
    async def test(city: City) -> None:
        city.connect(*range(MANY))
        closed = TakeOutOfService("Bảo trì")
        named = Selection(devices=tuple(DeviceId(f"d{number}") for number in range(9)))
        assert not (await city.bulks.dry_run(LAN, named, closed, Plan(), None)).second
        assert (await city.bulks.dry_run(LAN, BA_DINH_ONES, closed, Plan(), None)).second

        shown = await city.bulks.dry_run(QUAN, KIOSKS, Reboot(), Plan(), None)
        bulk = await city.bulks.act(QUAN, shown.token, "mất điện", "key-00001")
        assert city.found.lines.orders == []
        for who in (QUAN, LAN, XEM):  # the same person; not all districts; no right
            with pytest.raises(NotAllowed):
                await city.bulks.approve(who, bulk.id)
        await city.found.staff.set("hoa", QUAN.grant)
        progress = await city.bulks.approve(replace(HOA, grant=QUAN.grant), bulk.id)
        assert progress.counts[S.SENT] == 5  # one of each building
        assert progress.counts[S.PENDING] == 8
        with pytest.raises(WrongState):
            await city.bulks.refuse(replace(HOA, grant=QUAN.grant), bulk.id, "muộn")

    run(test)


def test_whom_it_does_not_concern_does_not_see_it(run: Run) -> None:
    async def test(city: City) -> None:
        shown = await city.bulks.dry_run(LAN, BA_DINH_ONES, RestartPage(), Plan(), None)
        bulk = await city.bulks.act(LAN, shown.token, "cập nhật", "key-00001")

        assert [one.bulk.id for one in await city.bulks.newest(MINH, 10)] == [bulk.id]
        assert await city.bulks.newest(HOA, 10) == []
        with pytest.raises(UnknownBulk):
            await city.bulks.cancel(HOA, bulk.id, "thôi")

    run(test)
