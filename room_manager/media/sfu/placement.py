"""Which worker carries a connection. Pure; the driver asks, and tells what became of them.

A room is spread evenly, so that a worker's death costs as few of its sites as can be. All connections of
one site are with one worker: which of them is the site's picture is then decided where packets are.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from room_manager.ids import ConnectionId, RoomId, SiteId

MAX_DOWN: Final = 4_096  # remembered after they went down by themselves


class Place:
    """Where a connection is."""

    __slots__ = ("down", "room", "source", "worker")

    def __init__(self, room: RoomId, source: SiteId | None, worker: int) -> None:
        self.room = room
        self.source = source
        self.worker = worker
        self.down = False


class Placement:
    """Connections by worker; workers are numbers from 0."""

    def __init__(self) -> None:
        self._places: dict[ConnectionId, Place] = {}
        self._down: dict[ConnectionId, Place] = {}  # the oldest first
        self._loads: Counter[int] = Counter()
        self._rooms: dict[RoomId, Counter[int]] = {}
        self._sites: dict[tuple[RoomId, SiteId], dict[ConnectionId, Place]] = {}

    def choose(
        self, room: RoomId, connection: ConnectionId, source: SiteId | None, usable: Sequence[int]
    ) -> Place:
        """Place a connection that offers (again). ``usable`` are the workers that live, at least one."""
        before = self._places.get(connection)
        if before is not None and before.room == room and before.worker in usable:
            worker = before.worker
        else:
            siblings = self._sites.get((room, source), {}) if source is not None else {}
            beside = [p.worker for c, p in siblings.items() if c != connection and p.worker in usable]
            here = self._rooms.get(room, Counter())
            worker = beside[-1] if beside else min(usable, key=lambda w: (here[w], self._loads[w], w))
        self.leave(connection)
        place = self._places[connection] = Place(room, source, worker)
        self._count(connection, place, 1)
        return place

    def where(self, connection: ConnectionId) -> int | None:
        """The worker that has it; None: nobody does."""
        place = self._places.get(connection)
        return place.worker if place is not None else None

    def room_of(self, connection: ConnectionId) -> RoomId | None:
        """The room it is in."""
        place = self._places.get(connection)
        return place.room if place is not None else None

    def leave(self, connection: ConnectionId) -> int | None:
        """Forget it; returns where it was."""
        place = self._places.pop(connection, None)
        if place is None:
            return None
        if self._down.pop(connection, None) is None:
            self._count(connection, place, -1)
        return place.worker

    def undo(self, connection: ConnectionId, place: Place) -> None:
        """The offer was refused: forget it, unless it has been placed again since."""
        if self._places.get(connection) is place:
            self.leave(connection)

    def went_down(self, connection: ConnectionId, worker: int) -> None:
        """It has ended by itself. It weighs nothing any more, but whoever holds it may still name it."""
        place = self._places.get(connection)
        if place is None or place.worker != worker or place.down:
            return
        self._count(connection, place, -1)
        place.down = True
        self._down[connection] = place
        while len(self._down) > MAX_DOWN:
            oldest = next(iter(self._down))
            del self._down[oldest], self._places[oldest]

    def came_up(self, connection: ConnectionId, worker: int) -> None:
        """It lives; what was told of it before concerned an earlier offer."""
        place = self._places.get(connection)
        if place is not None and place.worker == worker and place.down:
            place.down = False
            del self._down[connection]
            self._count(connection, place, 1)

    def lost(self, worker: int) -> dict[RoomId, tuple[ConnectionId, ...]]:
        """The worker has died: forget what it carried. Returns who was alive there, by room."""
        gone = [(c, p) for c, p in self._places.items() if p.worker == worker]
        rooms: dict[RoomId, list[ConnectionId]] = {}
        for connection, place in gone:
            if not place.down:
                rooms.setdefault(place.room, []).append(connection)
            self.leave(connection)
        return {room: tuple(connections) for room, connections in rooms.items()}

    def close_room(self, room: RoomId) -> None:
        """Forget everybody in it."""
        for connection in [c for c, p in self._places.items() if p.room == room]:
            self.leave(connection)

    def lead(self, room: RoomId) -> int | None:
        """The worker that speaks for the whole room; None: nobody is in it."""
        return min(self._rooms.get(room, ()), default=None)

    def load(self, worker: int) -> int:
        """How many live connections it has."""
        return self._loads[worker]

    def _count(self, connection: ConnectionId, place: Place, change: int) -> None:
        self._loads[place.worker] += change
        here = self._rooms.setdefault(place.room, Counter())
        here[place.worker] += change
        if not here[place.worker]:
            del here[place.worker]
            if not here:
                del self._rooms[place.room]
        if place.source is None:
            return
        key = (place.room, place.source)
        siblings = self._sites.setdefault(key, {})
        if change > 0:
            siblings[connection] = place
        else:
            siblings.pop(connection, None)
            if not siblings:
                del self._sites[key]
