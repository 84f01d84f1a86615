"""The rooms this server serves, each with what its sites are called and its fan-out."""

import asyncio
import logging
from collections.abc import Callable
from weakref import WeakValueDictionary

from msgspec import Struct

from room_manager.errors import DomainError
from room_manager.ids import RoomId
from room_manager.manager import Manager
from room_manager.store.stores import Stores
from signaling.fanout import Fanout
from signaling.metrics import Metrics
from signaling.roll import Roll

log = logging.getLogger(__name__)


class Served(Struct):
    """One room that is open here."""

    roll: Roll
    fanout: Fanout
    stop: list[Callable[[], None]]


class Rooms:
    """Opens a room when the first one comes."""

    def __init__(
        self, manager: Manager, stores: Stores, metrics: Metrics, on_lost: Callable[[RoomId], None]
    ) -> None:
        self.manager = manager
        self._stores = stores
        self._metrics = metrics
        self._on_lost = on_lost
        self._served: dict[RoomId, Served] = {}
        # A lock lives as long as somebody opens its room, or waits for that.
        self._opening: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()

    async def served(self, room: RoomId) -> Served:
        """Raises ``UnknownMeeting``, ``Ended``, or what a journal raises."""
        known = self._served.get(room)
        if known is not None:
            return known
        async with self._opening.setdefault(room, asyncio.Lock()):
            known = self._served.get(room)
            if known is None:
                await self.manager.open_meeting(room)
                known = await self._serve(room)
        return known

    async def fanout(self, room: RoomId) -> Fanout:
        return (await self.served(room)).fanout

    def close(self) -> None:
        """No timer and no listener is left."""
        for room in list(self._served):
            self._forget(room)

    async def _serve(self, room: RoomId) -> Served:
        simulated = await self._stores.meetings.sites(room)
        units = await self._stores.roster.units(list(simulated))
        roll = Roll(units.values(), {code for code, marked in simulated.items() if marked})

        # Nothing is awaited from here on: no batch falls between what is read and what is heard.
        manager = self.manager
        fanout = Fanout(
            manager.told(room),
            manager.seq(room),
            manager.epoch(room),
            roll.ref,
            roll.is_simulated,
            self._metrics.fanout_s.observe,
            self._metrics.events.inc,
            lambda: manager.now(room),
        )
        served = Served(roll, fanout, [])
        served.stop.append(manager.listen(room, fanout.on_batch, lambda error: self._lost(room, error)))
        served.stop.append(manager.listen_media(room, fanout.on_media))
        self._served[room] = served
        return served

    def _lost(self, room: RoomId, error: DomainError) -> None:
        log.warning("x room %s is served here no longer: %s", room, error)
        self._forget(room)
        self._on_lost(room)

    def _forget(self, room: RoomId) -> None:
        served = self._served.pop(room, None)
        if served is not None:
            for stop in served.stop:
                stop()
            served.fanout.close()
