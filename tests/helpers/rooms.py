"""A running room on virtual time, with all that was heard of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy

from room_manager.errors import DomainError
from room_manager.ids import HOST, ConnectionId, RoomId
from room_manager.meeting.commands import Join
from room_manager.meeting.events import MeetingOpened
from room_manager.meeting.state import State
from room_manager.meeting.values import Device
from room_manager.runner import Batch, Runner
from room_manager.store.journal import Recorded
from room_manager.store.memory import MemoryJournal
from tests.helpers.meeting_driver import SITES, START_S, member

ROOM = RoomId("room")
OPENING = MeetingOpened("Họp giao ban", (HOST, *SITES))


def room_clock() -> float:
    return START_S + asyncio.get_running_loop().time()


class GatedJournal(MemoryJournal):
    """A journal whose appends wait at a gate, and can get lost on the way back."""

    def __init__(self) -> None:
        super().__init__()
        self.add(ROOM)
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        self.loses_answers = False
        self.loses_questions = False

    async def append(self, room: RoomId, epoch: int, records: Sequence[Recorded]) -> None:
        self.asked += 1
        await self.gate.wait()
        if self.loses_questions:
            raise ConnectionResetError("the line broke before")
        await super().append(room, epoch, records)
        if self.loses_answers:
            raise ConnectionResetError("the line broke after")


class Room:
    """A running room and all that was heard of it."""

    def __init__(self, runner: Runner, journal: GatedJournal) -> None:
        self.runner = runner
        self.journal = journal
        self.batches: list[Batch] = []
        self.states: list[State] = []
        self.closed: list[DomainError] = []

    def hear(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.states.append(deepcopy(batch.told))

    def heard(self) -> list[Recorded]:
        return [record for batch in self.batches for record in batch.records]

    async def join_all(self) -> None:
        for site in SITES:
            await self.runner.submit(Join(site, Device.PRIMARY, ConnectionId(f"c-{site}")), member(site))


@asynccontextmanager
async def running(journal: GatedJournal) -> AsyncIterator[Room]:
    room = Room(Runner(ROOM, journal, room_clock), journal)
    room.runner.listen(room.hear, room.closed.append)
    await room.runner.open(OPENING)
    task = asyncio.create_task(room.runner.run())
    try:
        yield room
    finally:
        room.runner.close()
        async with asyncio.timeout(60):
            await task
