"""``SfuEngine``: the embedded forwarding unit behind the engine port, in one process per core.

Places connections, tells every worker what a room shows, and gathers what the workers tell. A worker that
dies costs only the connections it carried: :class:`ConnectionsLost`. If none is left, the engine is gone,
and :class:`EngineRestarted` when one is back.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, Literal

from msgspec import Struct

from room_manager.errors import DomainError, Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    MAX_SDP_BYTES,
    Answer,
    BadOffer,
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
from room_manager.media.sfu import control
from room_manager.media.sfu.codecs import Codecs
from room_manager.media.sfu.gauges import WorkerView, families
from room_manager.media.sfu.links import Links
from room_manager.media.sfu.placement import Placement
from room_manager.media.sfu.room_stats import RoomStats
from room_manager.media.sfu.speakers import Speakers
from room_manager.media.sfu.sums import added
from room_manager.media.sfu.told import Make, Told
from room_manager.media.sfu.worker import CALL_PATIENCE_S, Worker, settled

MAX_WORKERS: Final = 16
MAX_EVENTS: Final = 8_192
STRAGGLER_S: Final = 0.5  # so long the others wait for a worker that answers late

logger = logging.getLogger(__name__)


class SfuSettings(Struct, frozen=True):
    """Where the unit listens. ``announce`` are the addresses clients are told; empty: ``host``."""

    host: str = "127.0.0.1"
    port: int = 0  # of the first worker, the next has the next; 0: any free ones, kept over restarts
    announce: tuple[str, ...] = ()
    workers: int = 1
    video: Literal["VP8", "H264"] | None = None  # every room's codec; None: what its first client has
    look_s: float = 2.0  # how often a worker's figures are asked
    patience_s: float = 30.0  # a worker that does not tell them for so long hangs


class SfuEngine:
    """Forwarding units, each in its own process."""

    def __init__(self, settings: SfuSettings) -> None:
        if settings.host in ("0.0.0.0", "::") and not settings.announce:  # noqa: S104
            raise ValueError("listening on every address, the engine must be told which ones to announce")
        if not 1 <= settings.workers <= MAX_WORKERS:
            raise ValueError(f"1 to {MAX_WORKERS} media workers")
        announce = settings.announce or (settings.host,)
        self._links = Links(settings.workers)
        self._workers = [
            Worker(
                number,
                self,
                settings.host,
                settings.port + number if settings.port else 0,
                announce,
                self._links.of(number),
            )
            for number in range(settings.workers)
        ]
        self._placement = Placement()
        self._told = Told()
        self._codecs = Codecs(settings.video)
        self._speakers = Speakers()
        self._look_s, self._patience_s = settings.look_s, settings.patience_s
        self._looking: asyncio.Task[None] | None = None
        self._events: deque[EngineEvent] = deque()
        self._ready = asyncio.Event()
        self._gone = False  # every worker has died since one was alive
        self._closed = False

    @property
    def ports(self) -> tuple[int, ...]:
        """The UDP ports clients reach, one per worker."""
        return tuple(worker.port for worker in self._workers)

    @property
    def pids(self) -> tuple[int | None, ...]:
        """The workers' processes; None: one that is being started."""
        return tuple(worker.pid for worker in self._workers)

    @property
    def port(self) -> int:
        """That of the first worker."""
        return self._workers[0].port

    @property
    def pid(self) -> int | None:
        """That of the first worker."""
        return self._workers[0].pid

    async def start(self) -> None:
        """Be ready to take calls, or raise ``OSError``."""
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(worker.start())
        except BaseExceptionGroup as errors:
            await self.close()
            raise errors.exceptions[0] from None
        self._looking = asyncio.create_task(self._look(), name="look after media workers")

    async def close(self) -> None:
        """End the processes. Idempotent."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None
        await asyncio.gather(*(worker.close() for worker in self._workers))
        self._links.close()
        self._ready.set()

    # --- calls about one connection ---

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        """See :meth:`Engine.join`."""
        _bounded(offer)
        steady = [w.number for w in self._workers if w.steady]
        usable = steady or [w.number for w in self._workers if w.alive]
        if not usable:
            raise EngineAway("the media engine is starting")
        before = self._placement.where(connection)
        place = self._placement.choose(room, connection, source, usable)
        if before is not None and before != place.worker:
            with contextlib.suppress(EngineAway, Limit):
                self._workers[before].begin(lambda n: control.Leave(n, connection))
        try:
            async with self._codecs.settling(room) as video:
                reply = await self._workers[place.worker].ask(
                    lambda n: control.Join(n, room, connection, source, offer, video)
                )
                self._codecs.settled(room, reply.video)
        except BaseException:
            self._placement.undo(connection, place)
            raise
        assert reply.answer is not None
        return reply.answer

    async def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """See :meth:`Engine.restart`."""
        _bounded(offer)
        reply = await self._carrying(connection).ask(lambda n: control.Restart(n, connection, offer))
        assert reply.answer is not None
        return reply.answer

    async def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """See :meth:`Engine.watch`."""
        await self._carrying(connection).ask(lambda n: control.Watch(n, connection, sites))

    async def leave(self, connection: ConnectionId) -> None:
        """See :meth:`Engine.leave`. While its worker is away nobody is in it."""
        room = self._placement.room_of(connection)
        where = self._placement.leave(connection)
        if room is not None:
            self._look_who_leads(room)
        if where is not None:
            with contextlib.suppress(EngineAway):
                await self._workers[where].ask(lambda n: control.Leave(n, connection))

    def _carrying(self, connection: ConnectionId) -> Worker:
        where = self._placement.where(connection)
        if where is None:
            self._here()
            raise NotJoined("no such connection")
        return self._workers[where]

    def _here(self) -> None:
        if not any(worker.alive for worker in self._workers):
            raise EngineAway("the media engine is starting")

    def _free(self) -> list[Worker]:
        """All that live and take calls. Raises ``EngineAway``, or ``Limit`` if one takes none for now."""
        found = []
        for worker in self._workers:
            if not worker.alive:
                continue
            if worker.full and worker.stuck:
                logger.error("! media worker %d hangs and takes no more calls", worker.number)
                worker.kill()
            elif worker.full:
                raise Limit("too many calls wait for the media engine")
            else:
                found.append(worker)
        if not found:
            raise EngineAway("the media engine is starting")
        return found

    # --- calls about a room: every worker is told ---

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """See :meth:`Engine.use`."""
        self._free()
        self._told.use(room, source, connection)
        await self._tell(lambda n: control.Use(n, room, source, connection))

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        """See :meth:`Engine.set_scene`."""
        self._free()
        self._told.scene(room, scene)
        await self._tell(lambda n: control.SetScene(n, room, scene))

    async def close_room(self, room: RoomId) -> None:
        """See :meth:`Engine.close_room`. While the engine is away it has no rooms."""
        self._told.close(room)
        self._placement.close_room(room)
        self._codecs.forget(room)
        self._speakers.close(room)
        with contextlib.suppress(EngineAway):
            await self._tell(lambda n: control.CloseRoom(n, room))

    async def stats(self, room: RoomId) -> RoomStats | None:
        """The counters of a room, over all workers; None: no such room."""
        replies = await self._tell(lambda n: control.Stats(n, room))
        return added([reply.stats for reply in replies if reply.stats is not None])

    async def _tell(self, make: Make) -> list[control.Reply]:
        """Ask all that live. Returns the answers of those that answer in time; at least one does.

        A worker that is late carries it out later, in its place in the order of asking. One that hangs and
        can be asked no more would miss it, and is put down: a new one is told everything.

        Raises ``EngineAway``, ``Limit`` (then nobody was asked), or what a worker refused with.
        """
        begun = []
        for worker in self._free():
            with contextlib.suppress(EngineAway):
                begun.append(worker.begin(make))
        if not begun:
            raise EngineAway("the media engine is starting")
        done, late = await asyncio.wait(begun, timeout=CALL_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED)
        if late and done:
            done |= (await asyncio.wait(late, timeout=STRAGGLER_S))[0]
        replies = [settled(reply.result()) for reply in done if reply.exception() is None]
        if not replies:
            raise EngineAway("the media engine does not answer")
        return replies

    # --- what workers tell (see Boss) ---

    def told(self, worker: Worker, event: EngineEvent) -> None:
        """One event of a worker."""
        match event:
            case Speaking():
                said = self._speakers.heard(event, worker.number, self._placement.lead(event.room))
                if said is not None:
                    self._post(said)
                return
            case MediaUp():
                self._placement.came_up(event.connection, worker.number)
            case MediaDown():
                self._placement.went_down(event.connection, worker.number)
                self._look_who_leads(event.room)
            case _:
                pass
        self._post(event)

    def died(self, worker: Worker) -> None:
        """Its connections are to come back, elsewhere if they are quick."""
        lost = self._placement.lost(worker.number)
        if not any(other.alive for other in self._workers):
            self._gone = True
            self._told.forget()
            self._speakers.forget()
            self._codecs.forget_all()
            return
        for room, connections in lost.items():
            self._post(ConnectionsLost(room, connections))
        for room in self._speakers.lost(worker.number):
            self._look_who_leads(room)

    def back(self, worker: Worker) -> None:
        """The new process is told what the others know."""
        if self._gone:
            self._gone = False
            self._post(EngineRestarted())
        for make in self._told.again():
            try:
                worker.begin(make)
            except DomainError:
                worker.kill()
                return

    def _look_who_leads(self, room: RoomId) -> None:
        if self._placement.lead(room) is None:
            self._codecs.forget(room)
        said = self._speakers.led_by(room, self._placement.lead(room))
        if said is not None:
            self._post(said)

    # --- figures ---

    def figures(self) -> tuple[Family, ...]:
        """See :meth:`Engine.figures`. As the workers told a moment ago."""
        return families({w.number: WorkerView(w.alive, w.restarts, w.figures) for w in self._workers})

    async def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            for worker in self._workers:
                worker.look(loop.time(), self._patience_s)
            await asyncio.sleep(self._look_s)

    # --- events ---

    async def events(self) -> AsyncIterator[EngineEvent]:
        """See :meth:`Engine.events`. Ends when the engine is closed."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()

    def _post(self, event: EngineEvent) -> None:
        """Never blocks; the oldest quality goes first when nobody listens."""
        if len(self._events) >= MAX_EVENTS:
            oldest = next((e for e in self._events if isinstance(e, LineQuality)), self._events[0])
            self._events.remove(oldest)
        self._events.append(event)
        self._ready.set()


def _bounded(offer: str) -> None:
    """Refuse what no client sends before it crosses to the unit."""
    try:
        if len(offer.encode()) > MAX_SDP_BYTES:
            raise BadOffer("the session description is larger than 64 KiB")
    except UnicodeEncodeError as error:
        raise BadOffer("the session description is not text") from error
