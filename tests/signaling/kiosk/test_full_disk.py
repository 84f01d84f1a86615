"""The server's disk is full: devices are told so or told nothing, nothing is half done, and nothing is
lost."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from kiosk_hub.fleet.news import DeviceTime, LogLine
from kiosk_hub.store.tables import reports
from room_manager.errors import NotStored
from signaling.wire.kiosk import city
from tests.helpers.device import TestDevice
from tests.helpers.disks import fill, small_disk
from tests.helpers.fleet_server import Fleet, fleet
from tests.helpers.servers import settings

LEFT_BYTES = 60_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


async def kept(here: Fleet) -> int:
    async with here.hub.database.read() as connection:
        return int(await connection.scalar(select(func.count()).select_from(reports)) or 0)


async def self_filling(here: Fleet, one: TestDevice) -> int:
    """Reports of this device until none more can be taken; how many were."""
    at = DeviceTime(one.boot, 1, 0.0, 0.0)
    for n in range(400):
        try:
            await here.hub.reports.take(one.id, f"key-{n:05}", at, LogLine("info", "line", "x" * 400))
        except NotStored:
            break
    else:
        raise AssertionError("the disk never filled")
    for _ in range(100):  # until the least that is ever written finds no space either
        try:
            async with here.hub.directory.change() as change:
                await change.put(change.get(one.id))
        except NotStored:
            return n
    raise AssertionError("the disk never filled")


def test_on_a_full_disk_no_report_is_called_stored_and_none_is_lost(disk: Path) -> None:
    chosen = settings(disk)

    async def scenario() -> None:
        async with fleet(chosen) as here:
            one, other = await here.enrolled(), await here.enrolled()
            await one.connect()
            ballast = fill(disk, but_bytes=LEFT_BYTES)
            before = here.hub.directory.get(other.id).counter

            taken = await self_filling(here, one)
            lost = await one.report(LogLine("info", "line", "while it is full"))
            await one.beat()
            challenge = await other.dial()
            await other.say(other.hello(challenge.nonce))
            away = await other.sent_away()
            assert (away.code, away.retry_after_ms) == ("not-stored", 30_000)
            assert here.hub.directory.get(other.id).counter == before
            asked = await here.machine().ask()
            assert asked["state"] == "waiting"  # that takes no disk

            ballast.unlink()
            assert not [m for m in one.heard if isinstance(m, city.Stored) and lost in m.keys]
            await one.report(LogLine("info", "line", "again"), lost)
            await one.stored(lost)
            assert await kept(here) == taken + 1
            await other.connect()

    asyncio.run(scenario())
