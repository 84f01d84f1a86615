"""What was acknowledged survives ``kill -9`` at any instant; numbers have no gap; nothing is torn."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path

from room_manager.ids import RoomId, SiteId
from room_manager.store.database import open_database
from room_manager.store.journal import Recorded
from room_manager.store.meetings import MeetingStore
from room_manager.store.sql_journal import SqlJournal
from tests.helpers import databases

ROOM = RoomId("room")
ROUNDS = 5


async def make_meeting(url: str) -> None:
    database = await open_database(url)
    await MeetingStore(database).create(ROOM, "Giao ban", [SiteId("00001")])
    await database.close()


async def read_all(url: str) -> list[Recorded]:
    database = await open_database(url)
    journal = SqlJournal(database)
    found: list[Recorded] = []
    while page := await journal.load(ROOM, after=len(found)):
        found += page
    await database.close()
    return found


def acknowledged_before_kill(url: str, lines: int) -> int:
    """Let a child append; kill it when it has said so many lines. Returns the last number it was told."""
    command = [sys.executable, "-m", "tests.helpers.appender", url, ROOM]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines)]
        child.kill()
        said += child.stdout.readlines()  # what it wrote before it died counts too
    return max(int(line) for line in said if line.endswith(b"\n"))


def test_every_acknowledged_event_survives_kill_9(tmp_path: Path) -> None:
    databases.prepare()
    url = databases.new(tmp_path)
    asyncio.run(make_meeting(url))
    instants = random.Random(9)
    acknowledged = 0

    for _ in range(ROUNDS):
        acknowledged = max(acknowledged, acknowledged_before_kill(url, lines=instants.randint(1, 400)))
        found = asyncio.run(read_all(url))

        assert len(found) >= acknowledged
        assert [record.seq for record in found] == list(range(1, len(found) + 1))
        assert all(record.at == record.seq for record in found)
