"""A journal that forgets when the process ends: for tests of whatever stands on a journal."""

from collections.abc import Sequence

from room_manager.errors import NotOwner, NotStored
from room_manager.ids import RoomId
from room_manager.store.journal import LOAD_PAGE, Gap, Recorded, UnknownMeeting, check_consecutive


class MemoryJournal:
    """Keeps every promise of :class:`Journal` but durability. ``room_for``: how many events still fit."""

    def __init__(self, room_for: int | None = None) -> None:
        self.room_for = room_for
        self._epochs: dict[RoomId, int] = {}
        self._events: dict[RoomId, list[Recorded]] = {}

    def add(self, room: RoomId) -> None:
        """There is such a meeting now, without events."""
        self._epochs[room] = 0
        self._events[room] = []

    async def take_over(self, room: RoomId, owned: int | None = None) -> int:
        if room not in self._epochs:
            raise UnknownMeeting("there is no such meeting")
        if owned is not None and owned != self._epochs[room]:
            raise NotOwner("another server owns this room now")
        self._epochs[room] += 1
        return self._epochs[room]

    async def append(self, room: RoomId, epoch: int, records: Sequence[Recorded]) -> None:
        if not records:
            return
        check_consecutive(records)
        if room not in self._epochs:
            raise UnknownMeeting("there is no such meeting")
        if epoch != self._epochs[room]:
            raise NotOwner("another server owns this room now")
        if records[0].seq != len(self._events[room]) + 1:
            raise Gap(f"event {records[0].seq} after {len(self._events[room])}")
        if self.room_for is not None:
            if self.room_for < len(records):
                raise NotStored("no space is left to store this")
            self.room_for -= len(records)
        self._events[room].extend(records)

    async def load(self, room: RoomId, after: int = 0, limit: int = LOAD_PAGE) -> list[Recorded]:
        return self._events.get(room, [])[after : after + limit]
