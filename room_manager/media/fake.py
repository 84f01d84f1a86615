"""An engine that forwards nothing but knows what would be forwarded: for tests of whatever drives one.

It reads offers as the real one does. A test plays the clients: ``connect`` and ``drop`` them, let them
``speak``, and look at what ``arrives``.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    Answer,
    ConnectionsLost,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    LineQuality,
    MediaDown,
    MediaUp,
    NotJoined,
    Scene,
    Speaking,
)
from room_manager.media.figures import Family
from room_manager.media.sfu import sdp
from room_manager.media.sfu.negotiation import (
    AUDIO_SLOTS,
    PROGRAMME,
    WALL_SLOTS,
    Local,
    Plan,
    agree,
    answer_text,
)
from room_manager.media.sfu.restarts import check_restart, lasting
from room_manager.media.sfu.targets import may_be_heard, shown

MAX_CONNECTIONS: Final = 2_000
MAX_EVENTS: Final = 8_192
_NOWHERE_ELSE: Final = ("fakefakefakefakefakefake", "00:" * 31 + "00", ("127.0.0.1",), 9)
_NOWHERE: Final = Local("fake", *_NOWHERE_ELSE)


class _Connection:
    """One client."""

    def __init__(self, room: RoomId, source: SiteId | None, offer: sdp.Offer, plan: Plan) -> None:
        self.lasting = lasting(offer)
        self.ufrag = offer.ufrag
        self.room = room
        self.source = source
        self.plan = plan
        self.up = False
        self.speaks = True
        self.watched: tuple[SiteId, ...] = ()
        self.restarts = 0

    def sends(self, role: str) -> bool:
        return any(sending.role == role for sending in self.plan.sending)


class FakeEngine:
    """Remembers what it was told. ``away``: every call fails until :meth:`revive`."""

    def __init__(self) -> None:
        self.away = False
        self.scenes: dict[RoomId, Scene] = {}
        self.uses: dict[tuple[RoomId, SiteId], ConnectionId] = {}
        self._connections: dict[ConnectionId, _Connection] = {}
        self._ssrcs = itertools.count(1000)
        self._events: deque[EngineEvent] = deque()
        self._ready = asyncio.Event()
        self._closed = False

    # --- the port ---

    async def start(self) -> None:
        """See :meth:`Engine.start`."""

    async def close(self) -> None:
        """See :meth:`Engine.close`."""
        self._closed = True
        self._ready.set()

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        """See :meth:`Engine.join`."""
        self._here()
        if len(self._connections) >= MAX_CONNECTIONS:
            raise Limit(f"more than {MAX_CONNECTIONS} media connections")
        parsed = sdp.parse(offer)
        plan = agree(parsed, may_send=source is not None, video=None, ssrc=lambda: next(self._ssrcs))
        self._connections.pop(connection, None)
        self._connections[connection] = _Connection(room, source, parsed, plan)
        return Answer(answer_text(plan, _NOWHERE, 1), {r.mid: r.slot for r in plan.receiving})

    async def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """See :meth:`Engine.restart`."""
        self._here()
        one = self._connections.get(connection)
        if one is None:
            raise NotJoined("no such connection")
        parsed = sdp.parse(offer)
        check_restart(one.lasting, parsed)
        if parsed.ufrag != one.ufrag:
            one.ufrag = parsed.ufrag
            one.restarts += 1
        local = Local(f"fake{one.restarts}", *_NOWHERE_ELSE)
        return Answer(answer_text(one.plan, local, 1), {r.mid: r.slot for r in one.plan.receiving})

    async def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """See :meth:`Engine.watch`."""
        self._here()
        one = self._connections.get(connection)
        if one is None:
            raise NotJoined("no such connection")
        one.watched = sites

    async def leave(self, connection: ConnectionId) -> None:
        """See :meth:`Engine.leave`."""
        self._connections.pop(connection, None)

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """See :meth:`Engine.use`."""
        self._here()
        self.uses[room, source] = connection

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        """See :meth:`Engine.set_scene`."""
        self._here()
        self.scenes[room] = scene

    async def close_room(self, room: RoomId) -> None:
        """See :meth:`Engine.close_room`."""
        self.scenes.pop(room, None)
        self.uses = {key: value for key, value in self.uses.items() if key[0] != room}
        self._connections = {c: one for c, one in self._connections.items() if one.room != room}

    async def events(self) -> AsyncIterator[EngineEvent]:
        """See :meth:`Engine.events`."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()

    def figures(self) -> tuple[Family, ...]:
        """See :meth:`Engine.figures`."""
        return ()

    # --- for tests ---

    def connect(self, connection: ConnectionId) -> None:
        """The client has taken the answer and is up."""
        one = self._connections[connection]
        one.up = True
        self.happens(MediaUp(one.room, connection))

    def drop(self, connection: ConnectionId) -> None:
        """The client is gone by itself."""
        one = self._connections.pop(connection, None)
        if one is not None:
            self.happens(MediaDown(one.room, connection))

    def speak(self, room: RoomId, *sites: SiteId) -> None:
        """These sites speak now, loudest first; who may not be heard is not told."""
        scene = self.scenes.get(room, Scene())
        self.happens(Speaking(room, tuple(s for s in sites if may_be_heard(scene, s))[: len(AUDIO_SLOTS)]))

    def die(self) -> None:
        """The engine is gone, and everything in it."""
        self.away = True
        self.scenes.clear()
        self.uses.clear()
        self._connections.clear()

    def revive(self) -> None:
        """The engine is back, empty."""
        self.die()
        self.away = False
        self.happens(EngineRestarted())

    def lose(self, room: RoomId, *connections: ConnectionId) -> None:
        """A part of the engine is gone, and these connections with it."""
        for connection in connections:
            self._connections.pop(connection, None)
        self.happens(ConnectionsLost(room, connections))

    def happens(self, event: EngineEvent) -> None:
        """Tell this event."""
        if len(self._events) >= MAX_EVENTS:
            self._events.remove(
                next((e for e in self._events if isinstance(e, LineQuality)), self._events[0])
            )
        self._events.append(event)
        self._ready.set()

    def arrives(self, connection: ConnectionId) -> dict[str, SiteId]:
        """Whose packets would arrive in each of this client's slots."""
        one = self._connections.get(connection)
        if one is None or not one.up:
            return {}
        scene = self.scenes.get(one.room, Scene())
        voices = [site for site in scene.voices if self._heard(one.room, scene, site)]
        sites = {c.source for c in self._connections.values() if c.room == one.room and c.source is not None}
        voices += sorted(s for s in sites if s not in voices and self._heard(one.room, scene, s))
        heard = dict(zip(AUDIO_SLOTS, voices, strict=False)) | {PROGRAMME: voices[0] if voices else None}
        watched = dict(zip(WALL_SLOTS, one.watched, strict=False))
        found: dict[str, SiteId] = {}
        for receiving in one.plan.receiving:
            if receiving.slot in (*AUDIO_SLOTS, PROGRAMME):
                site = heard.get(receiving.slot)
            else:
                on_wall = receiving.slot in WALL_SLOTS
                site = watched.get(receiving.slot) if on_wall else shown(scene, receiving.slot, one.source)
                feeding = self._feeding(one.room, site)
                role = "screen" if receiving.slot == "content" else "camera"
                if feeding is None or not feeding.sends(role):
                    site = None
            if site is not None and site != one.source:
                found[receiving.slot] = site
        return found

    def _heard(self, room: RoomId, scene: Scene, site: SiteId) -> bool:
        feeding = self._feeding(room, site)
        return feeding is not None and feeding.sends("microphone") and may_be_heard(scene, site)

    def _feeding(self, room: RoomId, site: SiteId | None) -> _Connection | None:
        """The connection that is the site's picture and voice."""
        if site is None:
            return None
        here = {c: one for c, one in self._connections.items() if one.room == room and one.source == site}
        up = {c: one for c, one in here.items() if one.up}
        used = self.uses.get((room, site))
        if used is not None:
            return up.get(used)
        return next(reversed(up.values()), None)

    def _here(self) -> None:
        if self.away:
            raise EngineAway("the media engine is starting")
