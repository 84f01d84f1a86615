"""All rooms of this server: opens them, hands commands to their tasks, and joins them to the media engine.

What is opened here is closed here. The journal, the stores and the engine belong to whoever made them.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final
from weakref import WeakValueDictionary

from msgspec import Struct

from room_manager.errors import Ended, NoRecorder, WrongState
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    MAX_SDP_BYTES,
    Answer,
    BadOffer,
    Engine,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    NotJoined,
)
from room_manager.meeting import permissions
from room_manager.meeting.commands import AnyCommand, StartRecording
from room_manager.meeting.events import MeetingEnded
from room_manager.meeting.lifecycle import opening
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.member import Member
from room_manager.meeting.state import State
from room_manager.planning import plan_meeting
from room_manager.reactors import MediaReactor
from room_manager.runner import Batch, Clock, Listener, OnClosed, Runner
from room_manager.store.journal import Journal, UnknownMeeting
from room_manager.store.meetings import MeetingState
from room_manager.store.stores import Stores

OFFER_LIMIT_S: Final = 8.0
OPEN_RETRY_S: Final = 2.0
LISTEN_RETRY_S: Final = 1.0
FORGET_AFTER_S: Final = 600.0  # so long the roll of a meeting that is over can still be asked for
CLOSE_LIMIT_S: Final = 15.0  # a commit that is under way is waited for

log = logging.getLogger(__name__)

MediaListener = Callable[[EngineEvent], None]

OpeningListener = Callable[[RoomId], None]

Check = Callable[[RoomId], None]
"""Raises what the member is to hear."""


class _Room(Struct):
    """An open room and what belongs to it."""

    runner: Runner
    reactor: MediaReactor
    media_listeners: list[MediaListener]
    tasks: list[asyncio.Task[None]]


class Manager:
    """The rooms that are open here. All methods are for one event loop."""

    def __init__(self, stores: Stores, journal: Journal, engine: Engine, clock: Clock) -> None:
        self._stores = stores
        self._journal = journal
        self._engine = engine
        self._clock = clock
        self._rooms: dict[RoomId, _Room] = {}
        # A lock lives as long as somebody opens its room, or waits for that.
        self._opening: WeakValueDictionary[RoomId, asyncio.Lock] = WeakValueDictionary()
        self._media: dict[ConnectionId, RoomId] = {}  # connections that have offered, or are about to
        self._tasks: set[asyncio.Task[None]] = set()
        self._checks: dict[type[AnyCommand], Check] = {StartRecording: _nobody_records}
        self._openings: list[OpeningListener] = []
        self._closing = False

    # --- life ---

    async def start(self) -> None:
        """Open every meeting that is under way. One that cannot be opened is tried again and again."""
        self._own(self._hear_engine(), "engine events")
        for row in await self._stores.meetings.list(MeetingState.OPEN):
            try:
                await self.open_meeting(row.id)
            except Exception:
                log.exception("! room %s: not opened yet", row.id)
                self._own(self._open_later(row.id), f"open {row.id}")

    async def close(self) -> None:
        """Finish what is being stored, refuse the rest, end every task. Idempotent."""
        self._closing = True
        runners = [task for room in self._rooms.values() for task in room.tasks[:1]]
        for room in self._rooms.values():
            room.runner.close()
        if runners:
            _, late = await asyncio.wait(runners, timeout=CLOSE_LIMIT_S)
            if late:
                log.error("! %d rooms were still storing after %.0f s", len(late), CLOSE_LIMIT_S)
        remaining = set(self._tasks)
        for task in remaining:
            task.cancel()
        if remaining:
            await asyncio.wait(remaining, timeout=CLOSE_LIMIT_S)
        self._rooms.clear()

    # --- meetings ---

    async def create_meeting(
        self, title: str, sites: Collection[SiteId], simulated: Collection[SiteId] = ()
    ) -> RoomId:
        """A meeting of these units is scheduled; the host is at every meeting.

        Raises ``Invalid``, ``Limit`` or ``UnknownSite``.
        """
        return await plan_meeting(self._stores, title, sites, simulated)

    async def open_meeting(self, room: RoomId) -> None:
        """The room is served here. One that is open already stays as it is.

        Raises ``UnknownMeeting``, ``Ended``, and what a journal raises.
        """
        async with self._opening.setdefault(room, asyncio.Lock()):
            if room not in self._rooms:
                await self._open(room)

    async def _open(self, room: RoomId) -> None:
        row = await self._stores.meetings.get(room)
        if row.state is MeetingState.ENDED:
            raise Ended("the meeting is over")
        sites = await self._stores.meetings.sites(room)
        runner = Runner(room, self._journal, self._clock)
        await runner.open(opening(row.title, sites))
        await self._stores.meetings.mark_open(room)
        if self._closing:
            return
        reactor = MediaReactor(room, runner.told, self._engine, runner.alive)
        runner.listen(lambda batch: self._on_batch(batch, reactor), lambda _: self._on_closed(room))
        tasks = [self._own(runner.run(), f"room {room}"), self._own(reactor.run(), f"media {room}")]
        self._rooms[room] = _Room(runner, reactor, [], tasks)
        if runner.told.state.ended:
            self._own(self._wind_up(room), f"end {room}")
        for listener in tuple(self._openings):
            listener(room)

    # --- for the sessions ---

    async def submit(self, room: RoomId, command: AnyCommand, by: Member) -> int:
        """The room's number once the command is durable and told; see :meth:`Runner.submit`."""
        check = self._checks.get(type(command))
        if check is not None:
            permissions.check(command, by)
            check(room)
        return await self._room(room).runner.submit(command, by)

    def check_before(self, kind: type[AnyCommand], check: Check) -> None:
        """Ask ``check`` before a command of this kind is put to a room: for what the rules cannot know."""
        self._checks[kind] = check

    def listen_openings(self, listener: OpeningListener) -> None:
        """Hear of every room that is opened from now on; those of :meth:`rooms` are open already."""
        self._openings.append(listener)

    def gone(self, room: RoomId, site: SiteId, connection: ConnectionId) -> None:
        """The connection that stood for the site has ended; see :meth:`Runner.gone`. Never fails."""
        opened = self._rooms.get(room)
        if opened is not None:
            opened.runner.gone(site, connection)
            opened.reactor.look((site,))

    def rooms(self) -> list[RoomId]:
        """Those that are open here."""
        return list(self._rooms)

    def meeting(self, room: RoomId) -> Meeting:
        """What everybody may know, with its rules. Read it, never write it."""
        return self._room(room).runner.told

    def told(self, room: RoomId) -> State:
        """As :meth:`meeting`: its state alone."""
        return self._room(room).runner.told.state

    def seq(self, room: RoomId) -> int:
        """The number of the last event in ``told``."""
        return self._room(room).runner.seq

    def epoch(self, room: RoomId) -> int:
        """Which owner of the room speaks; grows with every restart."""
        return self._room(room).runner.epoch

    def now(self, room: RoomId) -> float:
        """Seconds, UTC, on the room's clock, which all its ends are on; see :meth:`Runner.now`."""
        return self._room(room).runner.now()

    def listen(
        self, room: RoomId, listener: Listener, on_closed: OnClosed | None = None
    ) -> Callable[[], None]:
        """Hear every batch in order; see :meth:`Runner.listen`. Returns how to stop."""
        return self._room(room).runner.listen(listener, on_closed)

    # --- media ---

    async def offer(
        self,
        room: RoomId,
        connection: ConnectionId,
        source: SiteId | None,
        sdp: str,
        *,
        joins: bool = False,
    ) -> Answer:
        """The engine's answer to a client's offer.

        ``source``: the site the connection stands for; None: it only receives. ``joins``: not yet, and it
        joins if it can be carried. Raises ``BadOffer``, ``EngineAway``, ``Limit``, ``Ended``, or
        ``WrongState`` if it does not stand for that site.
        """
        opened = self._room(room)
        _check_size(sdp)
        standing_for = None if joins else source
        self._check_stands(opened, connection, standing_for)
        self._media[connection] = room
        opened.reactor.keep(connection)
        try:
            async with asyncio.timeout(OFFER_LIMIT_S):
                answer = await self._engine.join(room, connection, source, sdp)
            if self._media.get(connection) != room:
                raise WrongState("the connection has ended")
            self._check_stands(opened, connection, standing_for)
        except TimeoutError:
            self.media_left(connection, room)
            raise EngineAway("the media engine does not answer; offer again shortly") from None
        except BaseException:
            self.media_left(connection, room)
            raise
        return answer

    async def restart(self, connection: ConnectionId, sdp: str) -> Answer:
        """The engine's answer to an offer with new ICE credentials for a connection that is in it.

        Raises ``BadOffer``, ``EngineAway``, or ``NotJoined`` if the connection has not offered before.
        """
        _check_size(sdp)
        self._check_joined(connection)
        try:
            async with asyncio.timeout(OFFER_LIMIT_S):
                return await self._engine.restart(connection, sdp)
        except TimeoutError:
            raise EngineAway("the media engine does not answer; try again shortly") from None

    async def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """What a wall's slots show; see :meth:`Engine.watch`. Raises ``NotJoined`` or ``EngineAway``."""
        self._check_joined(connection)
        try:
            async with asyncio.timeout(OFFER_LIMIT_S):
                await self._engine.watch(connection, sites)
        except TimeoutError:
            raise EngineAway("the media engine does not answer; try again shortly") from None

    def _check_joined(self, connection: ConnectionId) -> None:
        if connection not in self._media:
            raise NotJoined("this connection has offered no media")

    def media_left(self, connection: ConnectionId, room: RoomId | None = None) -> None:
        """The engine may forget the connection. Never blocks; an unknown one is fine."""
        where = self._media.pop(connection, room)
        if where in self._rooms:
            self._rooms[where].reactor.forget(connection)

    def listen_media(self, room: RoomId, listener: MediaListener) -> Callable[[], None]:
        """Hear what happens in the engine for this room, and its restarts. Returns how to stop."""
        listeners = self._room(room).media_listeners
        listeners.append(listener)

        def unlisten() -> None:
            if listener in listeners:
                listeners.remove(listener)

        return unlisten

    def _check_stands(self, room: _Room, connection: ConnectionId, source: SiteId | None) -> None:
        state = room.runner.told.state
        if state.ended:
            raise Ended("the meeting is over")
        if source is None:
            return
        site = state.sites.get(source)
        if site is None or connection not in site.devices.values():
            raise WrongState("the connection does not stand for this site")

    async def _hear_engine(self) -> None:
        """Pass on what the engine says, until it ends."""
        while not self._closing:
            try:
                async for event in self._engine.events():
                    self._pass_on(event)
                return
            except Exception:
                log.exception("! the engine's events broke off; listening anew")
                await asyncio.sleep(LISTEN_RETRY_S)

    def _pass_on(self, event: EngineEvent) -> None:
        """To whom it concerns. The reactors hear of a restart before the clients do."""
        if isinstance(event, EngineRestarted):
            log.warning("! media engine restarted")
            rooms = list(self._rooms.values())
            for room in rooms:
                room.reactor.engine_restarted()
        else:
            rooms = [self._rooms[event.room]] if event.room in self._rooms else []
        for room in rooms:
            for listener in tuple(room.media_listeners):
                try:
                    listener(event)
                except Exception:
                    log.exception("! a listener to the engine failed")

    # --- inside ---

    def _room(self, room: RoomId) -> _Room:
        found = self._rooms.get(room)
        if found is None:
            raise UnknownMeeting("this meeting is not open here")
        return found

    def _on_batch(self, batch: Batch, reactor: MediaReactor) -> None:
        reactor.look(site for record in batch.records if (site := getattr(record.event, "site", None)))
        if any(isinstance(record.event, MeetingEnded) for record in batch.records):
            self._own(self._wind_up(batch.room), f"end {batch.room}")

    def _on_closed(self, room: RoomId) -> None:
        """The room is served elsewhere, or we are closing."""
        gone = self._rooms.get(room)
        if gone is None or self._closing:
            return
        del self._rooms[room]
        self._media = {connection: where for connection, where in self._media.items() if where != room}
        gone.tasks[1].cancel()

    async def _wind_up(self, room: RoomId) -> None:
        """The list of meetings says that it is over; some time later the room is not in memory any more.

        The list follows the journal: should it fail, whoever opens the room next mends it.
        """
        try:
            await self._stores.meetings.mark_ended(room)
        except Exception:
            log.exception("! room %s: has ended, but the list does not say so yet", room)
        await asyncio.sleep(FORGET_AFTER_S)
        opened = self._rooms.get(room)
        if opened is not None and opened.runner.told.state.ended:
            opened.runner.close(Ended("the meeting is over"))

    async def _open_later(self, room: RoomId) -> None:
        while True:
            await asyncio.sleep(OPEN_RETRY_S)
            try:
                await self.open_meeting(room)
            except Exception as error:
                log.error("! room %s: not opened yet: %s", room, error)
            else:
                return

    def _own(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("! task %s ended by a bug", task.get_name(), exc_info=error)


def _nobody_records(room: RoomId) -> None:
    raise NoRecorder("this server records nothing")


def _check_size(sdp: str) -> None:
    if len(sdp) > MAX_SDP_BYTES or len(sdp.encode()) > MAX_SDP_BYTES:
        raise BadOffer(f"a session description has at most {MAX_SDP_BYTES} bytes")
