"""History and diary on a real database: written behind, read whole, over restarts and a full disk."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from kiosk_hub.fleet.ids import DeviceId
from kiosk_hub.fleet.news import DeviceTime, LogLine, Sessions
from kiosk_hub.fleet.reasons import Reason
from kiosk_hub.fleet.values import Status
from kiosk_hub.fleet.verdict import Symptom, Verdict
from kiosk_hub.services.diary import MOST_WAITING, DiaryKeeper
from kiosk_hub.services.history import FLUSH_AT_ONCE, FLUSH_EVERY_S, History
from kiosk_hub.services.reports import Reports
from kiosk_hub.store import diary
from kiosk_hub.store.tables import samples
from room_manager.store.database import Database, open_database
from tests.helpers import databases
from tests.helpers.fleet import GOOD, LOAD, NOON, Clock, device, facts, open_directory

D1 = DeviceId("d00001")
AT = DeviceTime(boot="boot-0001", counter=1, uptime_s=10.0, wall=NOON)


class House:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()

    async def open(self, devices: int = 1) -> "House":
        directory = await open_directory(
            self.database, self.clock, [device(number + 1) for number in range(devices)]
        )
        self.history = History(self.database, directory, self.clock)
        self.diary = DiaryKeeper(self.database, directory, self.clock)
        self.reports = Reports(self.database, self.clock)
        self.diary.serve(self.reports)
        self.reports.start()
        return self

    def beats(self, count: int, share: float = 0.5, which: DeviceId = D1) -> None:
        for _ in range(count):
            self.clock.now += 30
            self.history.on_beat(which, facts(load=replace(LOAD, cpu_share=share)), self.clock.now)

    async def rows(self) -> int:
        async with self.database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(samples)) or 0


def in_house(folder: Path, act: Callable[[House], Coroutine[Any, Any, None]], devices: int = 1) -> None:
    async def main() -> None:
        database = await open_database(databases.new(folder))
        house = await House(database).open(devices)
        try:
            await act(house)
        finally:
            await house.reports.close()
            await database.close()

    asyncio.run(main())


def test_a_day_of_beats_is_read_back_after_a_restart(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        for hour in range(24):
            house.beats(120, share=hour / 24)
            await house.history.flush()
        await house.history.close()
        house.history = History(house.database, house.history._directory, house.clock)

        step_s, points = await house.history.read(D1, "cpu_share", NOON, house.clock.now)
        assert step_s == 300
        means = [point.mean for _, point in points if point is not None]
        assert len(means) >= 287
        assert means == sorted(means)
        step_s, points = await house.history.read(D1, "cpu_share", NOON - 30 * 86_400, house.clock.now)
        assert step_s == 4 * 3600
        assert [point is not None for _, point in points[-6:]] == [True] * 6
        assert points[0][1] is None

    in_house(tmp_path, act)


def test_the_last_two_hours_come_by_the_minute(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.beats(60)

        step_s, points = await house.history.read(D1, "cpu_share", NOON, house.clock.now)

        assert step_s == 60
        assert sum(point is not None for _, point in points) >= 30

    in_house(tmp_path, act)


def test_after_a_restart_the_last_two_hours_are_coarser_and_without_a_hole(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.beats(120)
        await house.history.close()
        house.history = History(house.database, house.history._directory, house.clock)
        house.beats(20)

        step_s, points = await house.history.read(D1, "cpu_share", NOON + 600, house.clock.now)

        assert step_s == 300
        assert all(point is not None for _, point in points)

    in_house(tmp_path, act)


def test_nothing_is_written_per_beat_and_many_devices_share_a_transaction(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        count = FLUSH_AT_ONCE + 50
        for number in range(count):
            house.history.on_beat(device(number + 1).id, GOOD, house.clock.now)
        assert await house.rows() == 0

        house.clock.now += FLUSH_EVERY_S
        assert await house.history.flush() == FLUSH_AT_ONCE
        assert await house.history.flush() == 50
        assert await house.history.flush() == 0
        assert await house.rows() == count
        house.clock.now += FLUSH_EVERY_S
        assert await house.history.flush() == 0  # what is in rows is kept here no longer

    in_house(tmp_path, act, devices=FLUSH_AT_ONCE + 50)


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.beats(240)
        await house.history.flush(everything=True)
        before = await house.rows()
        house.clock.now += 15 * 86_400
        house.beats(30)
        await house.history.flush(everything=True)

        step_s, points = await house.history.read(D1, "cpu_share", NOON, NOON + 7200)
        assert step_s == 3600
        assert points[0][1] is not None
        assert await house.rows() < before + 4

    in_house(tmp_path, act)


def test_a_flush_that_fails_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(house: House) -> None:
        house.beats(30)
        house.clock.now += FLUSH_EVERY_S
        async with house.database.write():  # the disk's turn is taken: the flush waits, and is given up
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await house.history.flush()
        assert await house.history.flush() == 1

        _, points = await house.history.read(D1, "cpu_share", NOON, NOON + 86_400)
        assert sum(point is not None for _, point in points) >= 3

    in_house(tmp_path, act)


def test_the_diary_has_connects_statuses_and_reports_in_order(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        keeper, reason = house.diary, Reason("offline", "Mất kết nối", "Nothing heard")
        keeper.on_connected(D1, "boot-0001", house.clock.now)
        keeper.on_status(device(1), Status.NEW, Verdict(Status.OK, NOON), house.clock.now)
        house.clock.now += 200
        offline = Verdict(Status.OFFLINE, NOON + 100, (Symptom(Status.OFFLINE, reason),))
        keeper.on_status(device(1), Status.OK, offline, house.clock.now)
        await keeper.write()
        line = LogLine("error", "browser-died", "signal 9")
        for _ in range(2):
            await house.reports.take(D1, "key-000001", AT, line)

        lines = await diary.lines(house.database, D1, 10)
        assert [one.code for _, one in lines] == [
            "status-offline",
            "browser-died",
            "status-ok",
            "connected",
        ]
        assert lines[0][1].reason == reason
        kept = await diary.changes(house.database, D1, NOON - 1000)
        assert [(at, one.status) for at, one in kept] == [(NOON, Status.OK), (NOON + 100, Status.OFFLINE)]

    in_house(tmp_path, act)


def test_counts_of_an_hour_told_in_parts_are_added_once_each(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        hour = int(NOON // 3600)
        for key, begun in (("key-000001", 3), ("key-000002", 2), ("key-000001", 3)):
            await house.reports.take(D1, key, AT, Sessions(hour, begun=begun, abandoned=1))

        assert await diary.sessions(house.database, D1, hour) == [Sessions(hour, begun=5, abandoned=2)]

    in_house(tmp_path, act)


def test_a_flood_of_lines_is_dropped_and_counted(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        for _ in range(MOST_WAITING + 7):
            house.diary.note(D1, LogLine("info", "x"), house.clock.now)

        assert house.diary.dropped == 7

    in_house(tmp_path, act)


def test_old_lines_go(tmp_path: Path) -> None:
    async def act(house: House) -> None:
        house.diary.on_connected(D1, "boot-0001", house.clock.now)
        await house.diary.write()
        house.clock.now += 91 * 86_400
        await house.diary.prune()

        assert await diary.lines(house.database, D1, 10) == []

    in_house(tmp_path, act)
