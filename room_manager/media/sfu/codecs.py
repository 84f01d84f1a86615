"""One video codec per room, also where several workers answer its offers.

A worker takes the codec of the first client that brings one. So until a room's is known, one client is
answered after another; from then on all workers are told it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from room_manager.ids import RoomId


class Codecs:
    """What rooms have settled on. ``only``: every room carries this one, whoever comes first."""

    def __init__(self, only: str | None = None) -> None:
        self._only = only
        self._known: dict[RoomId, str] = {}
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def settling(self, room: RoomId) -> AsyncIterator[str | None]:
        """The room's codec; as long as there is none, nobody else is answered meanwhile."""
        settled = self._only or self._known.get(room)
        if settled is not None:
            yield settled
            return
        lock = self._locks.setdefault(room, asyncio.Lock())
        async with lock:
            if room not in self._known:
                yield None
                return
        yield self._known.get(room)

    def settled(self, room: RoomId, video: str | None) -> None:
        """A worker has answered; None: nobody there has brought a codec yet."""
        if video is not None:
            self._known.setdefault(room, video)

    def forget(self, room: RoomId) -> None:
        """Nobody is in the room; the next one decides anew."""
        self._known.pop(room, None)

    def forget_all(self) -> None:
        """The engine is gone."""
        self._known.clear()
