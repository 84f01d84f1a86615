"""All rooms of one engine. Pure: sockets, keys, clock and randomness are given by whoever drives it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import EngineEvent, NotJoined, Scene
from room_manager.media.sfu.audience import Egress, Sink
from room_manager.media.sfu.member import Member
from room_manager.media.sfu.negotiation import Plan, agree
from room_manager.media.sfu.relay import Alone, Outlet
from room_manager.media.sfu.relay_wire import Passed, Stream, items, stream_of
from room_manager.media.sfu.room import Room
from room_manager.media.sfu.room_stats import RoomStats
from room_manager.media.sfu.rtp import Malformed
from room_manager.media.sfu.sdp import Offer
from room_manager.media.sfu.sums import added

MAX_ROOMS: Final = 256
MAX_CONNECTIONS: Final = 2_000
MAX_STREAMS: Final = 10_000


class Router:
    """Rooms and connections by name."""

    def __init__(
        self,
        egress: Egress,
        tell: Callable[[EngineEvent], None],
        random32: Callable[[], int],
        ntp_offset_s: float,
        outlet: Outlet | None = None,
    ) -> None:
        """``ntp_offset_s`` is what added to ``now`` gives seconds since 1900.

        ``outlet`` leads to other workers, if there are any.
        """
        self._outlet = outlet or Alone()
        self._streams: dict[bytes, Stream] = {}  # of other workers' packets, by their keys
        self._egress = egress
        self._tell = tell
        self._random32 = random32
        self._ntp_offset_s = ntp_offset_s
        self._rooms: dict[RoomId, Room] = {}
        self._closed: list[RoomStats] = []  # their sum
        self._places: dict[ConnectionId, tuple[Room, Member]] = {}

    def plan(self, room: RoomId, source: SiteId | None, offer: Offer, video: str | None = None) -> Plan:
        """What a newcomer to the room would be answered. Raises ``BadOffer`` or ``Limit``.

        ``video`` is the codec the room has settled on where it is with other workers, too.
        """
        if len(self._places) >= MAX_CONNECTIONS:
            raise Limit(f"more than {MAX_CONNECTIONS} media connections")
        given: set[int] = set()

        def ssrc() -> int:
            number = self._random32()
            while number < 2 or number in given:  # 0 is nobody, 1 is our feedback
                number = self._random32()
            given.add(number)
            return number

        video = self._open(room).video or video
        return agree(offer, may_send=source is not None, video=video, ssrc=ssrc)

    def join(
        self, room: RoomId, connection: ConnectionId, source: SiteId | None, plan: Plan, sink: Sink
    ) -> None:
        """The connection is in the room; nothing flows before :meth:`secured`."""
        here = self._open(room)
        member = Member(connection, source, plan, sink)
        here.add(member)
        self._places[connection] = (here, member)

    def secured(self, connection: ConnectionId, now: float) -> None:
        """Its packets may flow."""
        place = self._places.get(connection)
        if place is not None:
            place[0].secured(place[1], now)

    def leave(self, connection: ConnectionId, now: float) -> None:
        """Forget it; an unknown one is fine."""
        place = self._places.pop(connection, None)
        if place is not None:
            place[0].remove(place[1], now)

    def place(self, connection: ConnectionId) -> tuple[Room, Member]:
        """Its room, and who it is there. Raises ``NotJoined``."""
        place = self._places.get(connection)
        if place is None:
            raise NotJoined("no such connection")
        return place

    def room_of(self, connection: ConnectionId) -> RoomId | None:
        """Where it is."""
        place = self._places.get(connection)
        return place[0].id if place is not None else None

    def use(self, room: RoomId, source: SiteId, connection: ConnectionId, now: float) -> None:
        """This connection feeds the source."""
        self._open(room).use(source, connection, now)

    def watch(self, connection: ConnectionId, sites: Sequence[SiteId], now: float) -> None:
        """What its wall slots show. Raises ``NotJoined``."""
        room, member = self.place(connection)
        room.watch(member, sites, now)

    def set_scene(self, room: RoomId, scene: Scene, now: float) -> None:
        """What the room forwards."""
        self._open(room).set_scene(scene, now)

    def close_room(self, room: RoomId, now: float) -> list[ConnectionId]:
        """Forget the room; returns who was in it."""
        here = self._rooms.pop(room, None)
        gone = list(here.members) if here is not None else []
        for connection in gone:
            self.leave(connection, now)
        if here is not None:
            self._closed.append(here.stats())
            self._closed[:] = [total for total in [added(self._closed)] if total is not None]
        return gone

    def rtp(self, connection: ConnectionId, data: bytes, now: float) -> None:
        """One plaintext packet. Raises ``Malformed``."""
        place = self._places.get(connection)
        if place is not None:
            place[0].rtp(place[1], data, now)

    def rtcp(self, connection: ConnectionId, data: bytes, now: float) -> None:
        """One plaintext control datagram. Raises ``Malformed``."""
        place = self._places.get(connection)
        if place is not None:
            place[0].control(place[1], data, now)

    def relayed(self, worker: int, datagram: bytes | memoryview, now: float) -> int:
        """What another worker says; returns how many items. Raises ``Malformed``."""
        count = 0
        for count, item in enumerate(items(datagram), 1):  # noqa: B007 - the last one counts
            if isinstance(item, Passed):
                stream = self._streams.get(item.stream)
                if stream is None:
                    if len(self._streams) >= MAX_STREAMS:
                        self._streams.clear()
                    stream = self._streams[item.stream] = stream_of(item.stream)
                room = self._rooms.get(stream.room)
                if room is not None:
                    with suppress(Malformed, Limit):  # one packet; the others are none the worse
                        room.relayed(worker, stream, item, now)
            else:
                room = self._rooms.get(item.room)
                if room is not None:
                    room.relay.said(worker, item, now)
        return count

    def tick(self, now: float) -> None:
        """To be called about every 50 ms."""
        for room in self._rooms.values():
            room.tick(now)

    def video(self, room: RoomId) -> str | None:
        """The codec the room has settled on; None: none yet."""
        here = self._rooms.get(room)
        return here.video if here is not None else None

    def stats(self, room: RoomId) -> RoomStats | None:
        """The counters of a room; None: no such room."""
        here = self._rooms.get(room)
        return here.stats() if here is not None else None

    def totals(self) -> tuple[int, RoomStats | None]:
        """How many rooms there are, and the counters of all, those that were closed included."""
        return len(self._rooms), added([*self._closed, *(room.stats() for room in self._rooms.values())])

    def _open(self, room: RoomId) -> Room:
        here = self._rooms.get(room)
        if here is None:
            if len(self._rooms) >= MAX_ROOMS:
                raise Limit(f"more than {MAX_ROOMS} rooms")
            here = Room(room, self._egress, self._tell, self._random32, self._ntp_offset_s, self._outlet)
            self._rooms[room] = here
        return here
