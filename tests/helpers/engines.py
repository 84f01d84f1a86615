"""The fake engine with a memory of how it was told, and a gate at which its calls can be made to wait."""

import asyncio

from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Answer, Scene
from room_manager.media.fake import FakeEngine
from room_manager.media.light import LightPeer, Sections


def offer(sends: bool = True) -> str:
    """A real client's offer."""
    peer = LightPeer(Sections() if sends else Sections(microphone=False, camera=False, screen=False))
    try:
        return peer.offer()
    finally:
        peer.close()


def wall_offer(slots: int = 25) -> str:
    """What the page of a wall offers: it receives pictures and nothing else."""
    nothing = Sections(microphone=False, camera=False, screen=False, audio_slots=0, video_slots=slots)
    peer = LightPeer(nothing)
    try:
        return peer.offer()
    finally:
        peer.close()


class GatedEngine(FakeEngine):
    """Counts calls, and holds them while ``gate`` is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.left: list[ConnectionId] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        await self._pass()
        return await super().join(room, connection, source, offer)

    async def leave(self, connection: ConnectionId) -> None:
        await self._pass()
        self.left.append(connection)
        await super().leave(connection)

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        await self._pass()
        await super().use(room, source, connection)

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        await self._pass()
        await super().set_scene(room, scene)

    async def close_room(self, room: RoomId) -> None:
        await self._pass()
        await super().close_room(room)

    async def _pass(self) -> None:
        self.calls += 1
        await self.gate.wait()
