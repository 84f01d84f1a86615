"""An engine that keeps what it was told and forwards nothing: for tests of whatever tells it."""

import asyncio
from collections.abc import AsyncIterator

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, BadOffer, EngineAway, EngineEvent, EngineRestarted, Scene


class ToldEngine:
    """Remembers scenes, sources and connections. ``away``: every call fails until it is False again."""

    def __init__(self) -> None:
        self.away = False
        self.calls = 0
        self.scenes: dict[RoomId, Scene] = {}
        self.uses: dict[tuple[RoomId, SiteId], ConnectionId] = {}
        self.connections: dict[ConnectionId, RoomId] = {}
        self.left: list[ConnectionId] = []
        self.gate = asyncio.Event()  # calls wait here
        self.gate.set()
        self._events: asyncio.Queue[EngineEvent | None] = asyncio.Queue(1_000)

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        self._events.put_nowait(None)

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        await self._called()
        if not offer.startswith("v=0"):
            raise BadOffer("this is no session description")
        self.connections[connection] = room
        return Answer(sdp="v=0 answer", slots={"0": "main"})

    async def leave(self, connection: ConnectionId) -> None:
        await self._called()
        self.left.append(connection)
        self.connections.pop(connection, None)

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        await self._called()
        self.uses[room, source] = connection

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        await self._called()
        self.scenes[room] = scene

    async def close_room(self, room: RoomId) -> None:
        await self._called()
        self.scenes.pop(room, None)
        for connection in [one for one, where in self.connections.items() if where == room]:
            del self.connections[connection]

    async def events(self) -> AsyncIterator[EngineEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    def happens(self, event: EngineEvent) -> None:
        self._events.put_nowait(event)

    def restart(self) -> None:
        """It died and is back, empty."""
        self.scenes.clear()
        self.uses.clear()
        self.connections.clear()
        self.left.clear()
        self.happens(EngineRestarted())

    async def _called(self) -> None:
        self.calls += 1
        await self.gate.wait()
        if self.away:
            raise EngineAway("the engine is away")
