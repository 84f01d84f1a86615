"""The registry: beats, silence, restarts. Time is a number; SQL is a real file."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kiosk_hub.fleet.device import Device
from kiosk_hub.fleet.facts import Camera, Facts, Printer
from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.values import DeviceState, Status
from kiosk_hub.fleet.verdict import Verdict
from kiosk_hub.services.feed import Changes
from kiosk_hub.services.registry import KEEP_EVERY_S, RETURN_GRACE_S, Registry
from room_manager.store.database import Database, open_database
from tests.helpers import databases
from tests.helpers.fleet import GOOD, Clock, device, facts, open_directory

D1, D2 = DeviceId("d00001"), DeviceId("d00002")
FROZEN = facts(camera=Camera(state="frozen"))


class House:
    """A registry that can be shut and opened again on the same database."""

    def __init__(self, database: Database, devices: list[Device]) -> None:
        self.database = database
        self.clock = Clock()
        self._devices = devices
        self.judged: list[tuple[DeviceId, Status]] = []
        self.statuses: list[tuple[DeviceId, Status | None, Status]] = []

    async def open(self) -> "House":
        self.directory = await open_directory(self.database, self.clock, self._devices)
        self._devices = []
        self.changes = Changes(self.directory, self.clock)
        self.registry = Registry(self.database, self.directory, self.changes, self.clock)
        self.registry.listen(self)
        self.registry.listen_status(self)
        await self.registry.load()
        return self

    async def restart(self) -> None:
        await self.registry.close()
        await self.open()

    def on_judged(self, device: Device, verdict: Verdict, now: float) -> None:
        self.judged.append((device.id, verdict.status))

    def on_status(self, device: Device, before: Status | None, after: Verdict, now: float) -> None:
        self.statuses.append((device.id, before, after.status))

    def beat(self, which: DeviceId = D1, told: Facts = GOOD) -> None:
        self.registry.on_beat(which, told, self.clock.now)

    def wait(self, seconds: float) -> None:
        """Second after second, as the real loop looks."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now = min(end, self.clock.now + 1)
            self.registry.look()

    def status(self, which: DeviceId = D1) -> Status:
        verdict = self.registry.verdict(which)
        assert verdict is not None
        return verdict.status

    def said(self, which: DeviceId) -> tuple[Status, list[str]]:
        """Not since when: an outage that fell into a restart has gone unnoticed."""
        verdict = self.registry.verdict(which)
        assert verdict is not None
        return verdict.status, [one.reason.vi for one in verdict.symptoms]


@asynccontextmanager
async def house(folder: Path, *devices: Device) -> AsyncIterator[House]:
    database = await open_database(databases.new(folder))
    try:
        yield await House(database, list(devices) or [device(1), device(2)]).open()
    finally:
        await database.close()


def in_house(folder: Path, act: Callable[[House], Coroutine[Any, Any, None]], *devices: Device) -> None:
    async def main() -> None:
        async with house(folder, *devices) as opened:
            await act(opened)

    asyncio.run(main())


def test_an_outage_is_seen_in_time_without_a_beat(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(60)
        house.beat(D1)
        house.beat(D2)
        for _ in range(4):
            house.wait(30)
            house.beat(D2)

        assert house.status(D1) is Status.OFFLINE
        assert house.status(D2) is Status.OK
        seen_after = [one for one in house.judged if one == (D1, Status.OFFLINE)]
        assert len(seen_after) >= 2  # and judged again as time passes, for whoever counts m of n

    in_house(tmp_path, act)


def test_a_device_never_heard_stays_new(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(600)

        assert house.status() is Status.NEW
        assert house.statuses == [(D1, None, Status.NEW), (D2, None, Status.NEW)]

    in_house(tmp_path, act)


def test_a_restart_keeps_outages_and_calls_nobody_offline_too_early(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(40)
        house.beat(D1)
        house.wait(100)
        since = house.registry.verdict(D1)
        house.beat(D2, FROZEN)
        house.wait(30)
        house.beat(D2, FROZEN)
        house.statuses.clear()

        house.clock.now += 3600
        await house.restart()

        assert house.statuses == []
        assert house.status(D1) is Status.OFFLINE
        assert since is not None
        assert house.registry.verdict(D1).since == since.since  # type: ignore[union-attr]
        assert house.status(D2) is Status.DEGRADED
        house.wait(RETURN_GRACE_S + 74)
        assert house.status(D2) is Status.DEGRADED
        house.wait(2)
        assert house.status(D2) is Status.OFFLINE

    in_house(tmp_path, act)


def test_a_standstill_of_our_own_alarms_nobody(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(60)
        house.beat()

        house.clock.now += 7200  # a suspended machine, or a clock set right
        house.registry.look()
        assert house.status() is Status.OK
        house.wait(74)
        assert house.status() is Status.OK
        house.wait(2)
        assert house.status() is Status.OFFLINE

    in_house(tmp_path, act)


def test_a_clock_set_back_leaves_nobody_unwatched(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(60)
        house.beat()

        house.clock.now -= 86_400
        house.wait(80)

        assert house.status() is Status.OFFLINE

    in_house(tmp_path, act)


def test_a_clock_set_back_keeps_beats_all_the_same(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.beat()
        await house.registry.keep()
        assert await house.registry.keep() == 0
        house.clock.now -= 86_400
        house.registry.look()
        await house.registry.keep()
        house.wait(KEEP_EVERY_S)
        house.beat()

        assert await house.registry.keep() == 1

    in_house(tmp_path, act)


def test_what_the_city_decides_is_judged_at_once(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.beat()
        async with house.directory.change() as change:
            await change.put(replace(house.directory.get(D1), state=DeviceState.QUARANTINED))
        assert house.status() is Status.QUARANTINED

        async with house.directory.change() as change:
            await change.put(replace(house.directory.get(D1), state=DeviceState.ACTIVE))
        assert house.status() is Status.OK
        house.wait(200)
        assert house.status() is Status.OFFLINE

    in_house(tmp_path, act)


def test_a_new_device_of_the_directory_is_watched(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        async with house.directory.change() as change:
            await change.put(device(3))
        assert house.status(DeviceId("d00003")) is Status.NEW

        house.beat(DeviceId("d00003"))
        house.wait(200)

        assert house.status(DeviceId("d00003")) is Status.OFFLINE

    in_house(tmp_path, act)


def test_a_status_is_kept_within_seconds_and_beats_each_minute(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.wait(1)
        house.beat()
        assert await house.registry.keep() == 2  # its status, and that of the other
        house.wait(1)
        house.beat()
        assert await house.registry.keep() == 0

        house.wait(KEEP_EVERY_S)
        assert await house.registry.keep() == 1
        assert await house.registry.keep() == 0

    in_house(tmp_path, act)


def test_a_listener_that_fails_does_not_keep_others_from_hearing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def on_judged(self, device: Device, verdict: Verdict, now: float) -> None:
            raise RuntimeError("a bug")

        def on_status(self, device: Device, before: Status | None, after: Verdict, now: float) -> None:
            raise RuntimeError("a bug")

    async def act(house: House) -> None:
        house.registry.listen(Broken())
        house.registry.listen_status(Broken())
        house.judged.clear()
        house.beat()

        assert house.judged == [(D1, Status.OK)]
        assert "could not be taken in" in caplog.text

    in_house(tmp_path, act)


def test_looking_costs_nothing_per_beat(tmp_path: Path) -> None:
    """A device that beats has one deadline, however often it does."""

    async def act(house: House) -> None:
        for _ in range(500):
            house.beat()

        assert len(house.registry._deadlines) == 1

    in_house(tmp_path, act)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("beat"), st.sampled_from([D1, D2]), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(1, 200), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=30,
)
TOLD = (GOOD, FROZEN, facts(printer=Printer("paper-out")), facts(touch_ok=False))


@settings(max_examples=20)
@given(STEPS)
def test_restarts_anywhere_lead_to_the_same_judgements(steps: list[tuple[str, Any, int]]) -> None:
    """One house is restarted, the other never; the restarted one calls nobody offline whom the other does
    not."""

    async def walk(folder: Path) -> None:
        async with house(folder / "a") as steady, house(folder / "b") as restarted:
            for what, which, number in steps:
                for one in (steady, restarted):
                    if what == "beat":
                        one.beat(which, TOLD[number])
                    elif what == "wait":
                        one.wait(which)
                if what == "restart":
                    await restarted.restart()
                for one_id in (D1, D2):
                    if restarted.status(one_id) is Status.OFFLINE:
                        assert steady.status(one_id) is Status.OFFLINE
                    elif steady.status(one_id) is not Status.OFFLINE:
                        assert restarted.said(one_id) == steady.said(one_id)
            for one in (steady, restarted):
                one.wait(120)
            for one_id in (D1, D2):
                assert restarted.said(one_id) == steady.said(one_id)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(Path(folder)))
