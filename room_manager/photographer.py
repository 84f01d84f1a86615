"""A still of every site now and then, for officials: where no picture flows they see who sat there.

Off unless asked for. A wall of its own goes through the sites that are there, page by page; one small picture
of each is kept in memory, the newest only, and none longer than its meeting.
"""

import asyncio
import logging
import secrets
import time
from typing import Final

from msgspec import Struct

from room_manager.errors import DomainError
from room_manager.ids import HOST, ConnectionId, RoomId, SiteId
from room_manager.manager import Manager
from room_manager.media.engine import Answer
from room_manager.meeting.events import MeetingEnded
from room_manager.meeting.values import SiteState
from room_manager.recording import control
from room_manager.recording.child import ReceiverProcess
from room_manager.runner import Batch

MODULE: Final = "room_manager.recording.looker"
PAGE: Final = 25
PAGE_LIMIT_S: Final = 15.0
JOIN_LIMIT_S: Final = 20.0
CLOSE_LIMIT_S: Final = 15.0

log = logging.getLogger(__name__)


class Kept(Struct, frozen=True):
    """The newest still of a site."""

    at: float  # seconds, UTC
    jpeg: bytes


class Photographer:
    """Takes and keeps the stills of all rooms. All methods are for one event loop."""

    def __init__(self, manager: Manager, every_s: float) -> None:
        self._manager = manager
        self._every_s = every_s
        self._kept: dict[RoomId, dict[SiteId, Kept]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with the rooms that are open."""
        self._manager.listen_openings(self._watch)
        for room in self._manager.rooms():
            self._watch(room)
        self._task = asyncio.create_task(self._go_round(), name="stills")

    async def close(self) -> None:
        """Take no more, keep none. Idempotent."""
        self._kept.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,), timeout=CLOSE_LIMIT_S)

    def still(self, room: RoomId, site: SiteId) -> Kept | None:
        """The newest of this site, if there is one."""
        return self._kept.get(room, {}).get(site)

    def keep(self, room: RoomId, site: SiteId, jpeg: bytes) -> None:
        """This is the newest, unless the meeting is over."""
        if room in self._manager.rooms() and not self._manager.told(room).ended:
            self._kept.setdefault(room, {})[site] = Kept(time.time(), jpeg)

    def _watch(self, room: RoomId) -> None:
        self._manager.listen(room, self._on_batch, lambda _: self._forget(room))

    def _on_batch(self, batch: Batch) -> None:
        if any(isinstance(record.event, MeetingEnded) for record in batch.records):
            self._forget(batch.room)

    def _forget(self, room: RoomId) -> None:
        self._kept.pop(room, None)

    # --- taking them ---

    async def _go_round(self) -> None:
        while True:
            for room in self._manager.rooms():
                sites = self._there(room)
                if not sites:
                    continue
                try:
                    async with asyncio.timeout(JOIN_LIMIT_S + PAGE_LIMIT_S * (len(sites) // PAGE + 1)):
                        await self._round(room, sites)
                except (DomainError, OSError, TimeoutError) as error:
                    log.warning("- room %s: no stills this time: %s", room, type(error).__name__)
                except Exception:
                    log.exception("! room %s: taking stills failed by a bug", room)
            await asyncio.sleep(self._every_s)

    def _there(self, room: RoomId) -> list[SiteId]:
        if room not in self._manager.rooms() or self._manager.told(room).ended:
            return []
        sites = self._manager.told(room).sites.values()
        return [site.id for site in sites if site.state is SiteState.PRESENT and site.id != HOST]

    async def _round(self, room: RoomId, sites: list[SiteId]) -> None:
        """One still of each, in a process that ends with the round."""
        connection = ConnectionId(f"stills-{secrets.token_urlsafe(9)}")
        pages = [sites[at : at + PAGE] for at in range(0, len(sites), PAGE)]
        shown: list[SiteId] = []
        turning: asyncio.Task[None] | None = None

        async def join(sdp: str) -> Answer:
            return await self._manager.offer(room, connection, None, sdp)

        async def turn() -> None:
            shown[:] = pages.pop(0)
            await self._manager.watch(connection, tuple(shown))
            child.order(control.Look(tuple(f"wall-{place}" for place in range(1, len(shown) + 1))))

        def heard(report: control.AnyReport) -> bool:
            nonlocal turning
            match report:
                case control.Still():
                    place = int(report.slot.removeprefix("wall-")) - 1
                    if place < len(shown):
                        self.keep(room, shown[place], report.jpeg)
                case control.Looked():
                    if not pages or (turning is not None and turning.done() and turning.exception()):
                        return True
                    turning = asyncio.create_task(turn())
                case _:
                    pass
            return False

        child = ReceiverProcess(MODULE, join)
        try:
            await child.run(list, heard)
        finally:
            if turning is not None:
                turning.cancel()
                await asyncio.gather(turning, return_exceptions=True)
            self._manager.media_left(connection, room)
