"""A process that appends as fast as it can and says which numbers were acknowledged, until it is killed.

``python -m tests.helpers.appender URL ROOM`` prints one line per acknowledged append: the number of its
last event. The parent must have made the meeting.
"""

import asyncio
import os
import sys

from room_manager.ids import RoomId, SiteId
from room_manager.meeting.events import HandRaised
from room_manager.store.database import open_database
from room_manager.store.journal import Recorded
from room_manager.store.sql_journal import SqlJournal

AT_ONCE = 8


async def append_forever(url: str, room: RoomId) -> None:
    database = await open_database(url)
    journal = SqlJournal(database)
    await journal.start()
    epoch = await journal.take_over(room)
    seq = 0
    while page := await journal.load(room, after=seq):
        seq = page[-1].seq

    async def append(first: int, number: int) -> None:
        records = [
            Recorded(n, float(n), "", HandRaised(SiteId("00001"))) for n in range(first, first + number)
        ]
        await journal.append(room, epoch, records)
        os.write(1, f"{first + number - 1}\n".encode())

    while True:
        async with asyncio.TaskGroup() as group:
            for number in range(1, AT_ONCE + 1):
                group.create_task(append(seq + 1, number))
                seq += number


if __name__ == "__main__":
    asyncio.run(append_forever(sys.argv[1], RoomId(sys.argv[2])))
