"""A window's peer connections: the meeting's own, and for city hall one more for its wall."""

import secrets
import time

from room_manager.errors import Busy, UnknownSite
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.manager import Manager
from room_manager.media.engine import Answer, NotJoined
from signaling import limits
from signaling.receiver import Receiver
from signaling.wire import client, server


class SeatMedia:
    """Owned by a seat. Whether its member may ask is decided before."""

    def __init__(self, manager: Manager, room: RoomId, receiver: Receiver) -> None:
        self._manager = manager
        self._room = room
        self._receiver = receiver
        self._offers = limits.Bucket(1 / limits.OFFER_EVERY_S, limits.OFFER_BURST, time.monotonic())
        self._wall: ConnectionId | None = None

    async def offer(self, message: client.Offer) -> server.ServerMessage:
        """Raises ``Busy`` and what :meth:`Manager.offer` raises."""
        self._take()
        receiver = self._receiver
        if message.purpose == "meeting":
            answer = await self._manager.offer(
                self._room, receiver.connection, receiver.member_site, message.sdp
            )
            return _told(message.rid, answer)
        self.close_wall()
        # Another id each time: what the engine still says of an earlier wall is not about this one.
        wall = ConnectionId(secrets.token_hex(8))
        answer = await self._manager.offer(self._room, wall, None, message.sdp)
        self._wall = wall
        return _told(message.rid, answer)

    async def restart(self, message: client.RestartIce) -> server.ServerMessage:
        """Raises ``Busy`` and what :meth:`Manager.restart` raises."""
        self._take()
        connection = self._receiver.connection if message.purpose == "meeting" else self._the_wall()
        return _told(message.rid, await self._manager.restart(connection, message.sdp))

    async def watch(self, sites: tuple[str, ...]) -> None:
        """Raises ``UnknownSite``, ``NotJoined`` or ``EngineAway``."""
        known = self._manager.told(self._room).sites
        wanted = tuple(SiteId(code) for code in sites)
        for code in wanted:
            if code not in known:
                raise UnknownSite("a site of the wall is not on the meeting's roster")
        await self._manager.watch(self._the_wall(), wanted)

    def close_wall(self) -> None:
        """Again is fine."""
        wall, self._wall = self._wall, None
        if wall is not None:
            self._manager.media_left(wall)

    def close(self) -> None:
        """The window is gone. Again is fine."""
        self._manager.media_left(self._receiver.connection)
        self.close_wall()

    def _the_wall(self) -> ConnectionId:
        if self._wall is None:
            raise NotJoined("this window has offered no wall")
        return self._wall

    def _take(self) -> None:
        if not self._offers.take(time.monotonic()):
            raise Busy("too many offers; wait two seconds")


def _told(rid: int, answer: Answer) -> server.Answer:
    return server.Answer(rid=rid, sdp=answer.sdp, slots=answer.slots)
