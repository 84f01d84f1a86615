"""What the media engine is told of a room: a pure picture of the meeting, and the task that says it.

The task looks at the newest told meeting whenever something has happened, compares with what it has
said, and says the difference: what was missed in between is not said at all, so a slow engine delays
pictures, never the meeting. A call that fails is made again; a restarted engine is told everything.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from room_manager.ids import HOST, ConnectionId, RoomId, SiteId
from room_manager.media.engine import Engine, EngineAway, Scene
from room_manager.meeting.commands import MAX_TILES
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.state import Site

CALL_LIMIT_S: Final = 5.0
RETRY_S: Final = 0.5
MAX_LEAVING: Final = 4_096  # an engine that is away forgets them by itself

log = logging.getLogger(__name__)


def scene_of(meeting: Meeting) -> Scene:
    """What everybody in the room may see and hear now.

    While another site is the main picture, the host is the first tile, if there is room for it: the
    chair is always in sight.
    """
    state = meeting.state
    main, tiles = state.stage.main, state.stage.tiles
    if main != HOST and HOST not in tiles and len(tiles) < MAX_TILES:
        tiles = (HOST, *tiles)
    heard = meeting.heard()
    speaker = state.floor.site
    return Scene(
        main=main,
        host=HOST,
        content=state.stage.content,
        tiles=tiles,
        heard_only=heard.only,
        heard_never=heard.never,
        voices=(HOST,) if speaker is None else (HOST, speaker),
    )


class MediaReactor:
    """Keeps the engine's room like the meeting. Its task is :meth:`run`; whoever calls it owns it."""

    def __init__(
        self,
        room: RoomId,
        meeting: Meeting,
        engine: Engine,
        alive: Callable[[ConnectionId], bool] = lambda _: True,
    ) -> None:
        self._room = room
        self._meeting = meeting  # told; only read
        self._engine = engine
        self._alive = alive
        self._changed = asyncio.Event()
        self._changed.set()
        self._life = 0  # of the engine; what was said to an earlier one is void
        self._scene: Scene | None = None
        self._uses: dict[SiteId, ConnectionId] = {}
        self._standing: dict[SiteId, frozenset[ConnectionId]] = {}
        self._leaving: dict[ConnectionId, None] = {}  # in the order of leaving
        self._touched: set[SiteId] | None = None  # sites to look at; None: all
        self._closed = False

    def look(self, sites: Iterable[SiteId] | None = None) -> None:
        """Something has happened in the room, to these sites; None: perhaps to any. Never blocks.

        A join must not cost more for those who are there already, so only what changed is looked at.
        """
        if sites is None:
            self._touched = None
        elif self._touched is not None:
            self._touched.update(sites)
        self._changed.set()

    def forget(self, connection: ConnectionId) -> None:
        """The connection has no business in the engine any more. Never blocks."""
        self._leaving[connection] = None
        while len(self._leaving) > MAX_LEAVING:
            del self._leaving[next(iter(self._leaving))]
        self._changed.set()

    def keep(self, connection: ConnectionId) -> None:
        """The connection comes (back) into the engine: what was to be forgotten of it is not."""
        self._leaving.pop(connection, None)

    def engine_restarted(self) -> None:
        """The engine has forgotten everything. Never blocks."""
        self._life += 1
        self._scene = None
        self._uses.clear()
        self._leaving.clear()
        self._touched = None
        self._closed = False
        self._changed.set()

    async def run(self) -> None:
        """Tell the engine, until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._tell()
            except (EngineAway, TimeoutError) as error:
                log.warning("! media %s: engine is away (%s)", self._room, type(error).__name__)
                await self._pause()
            except Exception:
                log.exception("! media %s: engine failed", self._room)
                await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(RETRY_S)
        self._changed.set()

    async def _tell(self) -> None:
        """First what may be heard and seen, then who is whose picture, then who has gone."""
        if self._meeting.state.ended:
            await self._close_room()
            return
        await self._tell_scene()
        touched, self._touched = self._touched, set()
        sites = list(self._meeting.state.sites) if touched is None else list(touched)
        try:
            self._compare_connections(sites)
            await self._tell_uses(sites)
        except BaseException:
            self.look(None if touched is None else touched)
            raise
        await self._tell_leaving()

    async def _tell_scene(self) -> None:
        scene = scene_of(self._meeting)
        if scene == self._scene:
            return
        life = self._life
        async with asyncio.timeout(CALL_LIMIT_S):
            await self._engine.set_scene(self._room, scene)
        if life == self._life:
            self._scene = scene

    def _compare_connections(self, sites: Iterable[SiteId]) -> None:
        """Connections that stand for their site no longer (replaced, dropped, left) are to leave."""
        known = self._meeting.state.sites
        for site in [known[code] for code in sites if code in known]:
            standing = frozenset(site.devices.values())
            before = self._standing.get(site.id, frozenset())
            if standing == before:
                continue
            self._standing[site.id] = standing
            for connection in before - standing:
                self.forget(connection)
            if not standing:
                self._uses.pop(site.id, None)

    async def _tell_uses(self, sites: Iterable[SiteId]) -> None:
        for site in [code for code in sites if code in self._standing]:
            active = self._picture_of(self._meeting.state.sites[site])
            if active is None or self._uses.get(site) == active:
                continue
            life = self._life
            async with asyncio.timeout(CALL_LIMIT_S):
                await self._engine.use(self._room, site, active)
            if life != self._life:
                return
            self._uses[site] = active

    def _picture_of(self, site: Site) -> ConnectionId | None:
        """The active device's connection; while that is known to be dead, the other's, if that lives.

        So a site whose backup alone is back after a restart is seen before the return grace has ended.
        """
        if site.active is None:
            return None
        active = site.devices[site.active]
        if self._alive(active):
            return active
        return next(filter(self._alive, site.devices.values()), active)

    async def _tell_leaving(self) -> None:
        while self._leaving:
            connection = next(iter(self._leaving))
            life = self._life
            async with asyncio.timeout(CALL_LIMIT_S):
                await self._engine.leave(connection)
            if life != self._life:
                return
            self._leaving.pop(connection, None)

    async def _close_room(self) -> None:
        if self._closed:
            return
        life = self._life
        async with asyncio.timeout(CALL_LIMIT_S):
            await self._engine.close_room(self._room)
        if life == self._life:
            self._closed = True
            self._leaving.clear()
