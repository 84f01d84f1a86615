"""A disk that is really full: refused in words, nothing acknowledged is lost, and it goes on by itself."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from room_manager.errors import NotStored
from room_manager.ids import RoomId, SiteId
from room_manager.meeting.events import AbsenceExcused
from room_manager.store.database import open_database
from room_manager.store.journal import Recorded
from room_manager.store.meetings import MeetingStore
from room_manager.store.secrets import SecretStore
from room_manager.store.sql_journal import SqlJournal
from tests.helpers import databases
from tests.helpers.disks import fill, small_disk

ROOM = RoomId("room")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as folder:
        yield folder


def record(seq: int) -> Recorded:
    return Recorded(seq, 0.0, "", AbsenceExcused(SiteId("00001"), "họp Đảng ủy " * 20))


def test_a_full_disk_refuses_loses_nothing_and_recovers(disk: Path) -> None:
    databases.prepare()

    async def test() -> None:
        url = databases.new(disk)
        database = await open_database(url)
        await MeetingStore(database).create(ROOM, "Giao ban", [SiteId("00001")])
        journal = SqlJournal(database)
        await journal.start()
        epoch = await journal.take_over(ROOM)
        ballast = fill(disk, but_bytes=200_000)

        acknowledged = 0
        refused = 0
        for _ in range(2_000):
            try:
                await journal.append(ROOM, epoch, [record(acknowledged + 1)])
                acknowledged += 1
            except NotStored:
                refused += 1
                if refused == 20:
                    break
        assert refused == 20, "the disk never filled"
        assert 0 < acknowledged == len(await journal.load(ROOM))
        with pytest.raises(NotStored):  # beside the journal too: a word, not a traceback
            await SecretStore(database).get_or_make("key", lambda: bytes(500_000))

        ballast.unlink()
        await journal.append(ROOM, epoch, [record(acknowledged + 1)])
        await journal.close()
        await database.close()

        database = await open_database(url)
        found = await SqlJournal(database).load(ROOM)
        assert [one.seq for one in found] == list(range(1, acknowledged + 2))
        await database.close()

    asyncio.run(test())
