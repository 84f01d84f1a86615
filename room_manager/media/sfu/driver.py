"""``SfuEngine``: the embedded forwarding unit behind the engine port.

Starts the unit's process, asks it over a socket pair, and starts it again when it dies. The unit keeps
nothing that cannot be said again, so after :class:`EngineRestarted` the caller says it.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from msgspec import Struct

from room_manager.errors import DomainError, Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import (
    MAX_SDP_BYTES,
    Answer,
    BadOffer,
    EngineAway,
    EngineEvent,
    EngineRestarted,
    LineQuality,
    NotJoined,
    Scene,
)
from room_manager.media.sfu import control
from room_manager.media.sfu.room import RoomStats

CALL_PATIENCE_S: Final = 5.0
START_PATIENCE_S: Final = 20.0
STOP_PATIENCE_S: Final = 3.0
FIRST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 5.0
HEALTHY_S: Final = 10.0  # a child that lived this long has not failed at once
MAX_CALLS: Final = 1_024  # waiting for an answer
MAX_EVENTS: Final = 8_192

logger = logging.getLogger(__name__)


class SfuSettings(Struct, frozen=True):
    """Where the unit listens. ``announce`` are the addresses clients are told; empty: ``host``."""

    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one, kept over restarts
    announce: tuple[str, ...] = ()


class SfuEngine:
    """One forwarding unit in its own process."""

    def __init__(self, settings: SfuSettings) -> None:
        if settings.host in ("0.0.0.0", "::") and not settings.announce:  # noqa: S104
            raise ValueError("listening on every address, the engine must be told which ones to announce")
        self._settings = settings
        self._port = settings.port
        self._child: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[control.Reply]] = {}
        self._events: deque[EngineEvent] = deque()
        self._ready = asyncio.Event()
        self._supervisor: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def port(self) -> int:
        """The UDP port clients reach."""
        return self._port

    @property
    def pid(self) -> int | None:
        """The unit's process, while it lives."""
        return self._child.pid if self._child is not None else None

    async def start(self) -> None:
        """Be ready to take calls, or raise ``OSError``."""
        reader = await self._spawn()
        self._supervisor = asyncio.create_task(self._supervise(reader))

    async def close(self) -> None:
        """End the process. Idempotent."""
        self._closed = True
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._reap()
        self._ready.set()

    async def join(self, room: RoomId, connection: ConnectionId, source: SiteId | None, offer: str) -> Answer:
        """See :meth:`Engine.join`."""
        _bounded(offer)
        reply = await self._call(lambda n: control.Join(n, room, connection, source, offer))
        assert reply.answer is not None
        return reply.answer

    async def restart(self, connection: ConnectionId, offer: str) -> Answer:
        """See :meth:`Engine.restart`."""
        _bounded(offer)
        reply = await self._call(lambda n: control.Restart(n, connection, offer))
        assert reply.answer is not None
        return reply.answer

    async def watch(self, connection: ConnectionId, sites: tuple[SiteId, ...]) -> None:
        """See :meth:`Engine.watch`."""
        await self._call(lambda n: control.Watch(n, connection, sites))

    async def leave(self, connection: ConnectionId) -> None:
        """See :meth:`Engine.leave`. While the engine is away nobody is in it."""
        with contextlib.suppress(EngineAway):
            await self._call(lambda n: control.Leave(n, connection))

    async def use(self, room: RoomId, source: SiteId, connection: ConnectionId) -> None:
        """See :meth:`Engine.use`."""
        await self._call(lambda n: control.Use(n, room, source, connection))

    async def set_scene(self, room: RoomId, scene: Scene) -> None:
        """See :meth:`Engine.set_scene`."""
        await self._call(lambda n: control.SetScene(n, room, scene))

    async def close_room(self, room: RoomId) -> None:
        """See :meth:`Engine.close_room`. While the engine is away it has no rooms."""
        with contextlib.suppress(EngineAway):
            await self._call(lambda n: control.CloseRoom(n, room))

    async def stats(self, room: RoomId) -> RoomStats | None:
        """The counters of a room; None: no such room."""
        return (await self._call(lambda n: control.Stats(n, room))).stats

    async def events(self) -> AsyncIterator[EngineEvent]:
        """See :meth:`Engine.events`. Ends when the engine is closed."""
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()

    # --- asking ---

    async def _call(self, make: Callable[[int], control.AnyRequest]) -> control.Reply:
        writer = self._writer
        if writer is None or writer.is_closing():  # uvloop refuses to write to a lost child: RuntimeError
            raise EngineAway("the media engine is starting")
        if len(self._waiting) >= MAX_CALLS:
            raise Limit("too many calls wait for the media engine")
        number = next(self._numbers)
        reply: asyncio.Future[control.Reply] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            writer.write(control.frame(make(number)))
            answered = await asyncio.wait_for(reply, CALL_PATIENCE_S)
        except (TimeoutError, ConnectionError, control.BrokenFrame) as error:
            raise EngineAway("the media engine does not answer") from error
        finally:
            self._waiting.pop(number, None)
        if answered.code is not None:
            raise _error(answered)
        return answered

    # --- the process ---

    async def _spawn(self) -> asyncio.StreamReader:
        """Start the child and open its port."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "room_manager.media.sfu.process",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            self._port = await self._open(reader, writer)
        except BaseException:
            writer.close()
            await self._reap()
            raise
        self._writer = writer
        return reader

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Have the new child open its port; returns which. Raises ``OSError``."""
        settings = self._settings
        announce = settings.announce or (settings.host,)
        writer.write(control.frame(control.Open(0, settings.host, self._port, announce)))
        try:
            body = await asyncio.wait_for(control.read_frame(reader), START_PATIENCE_S)
            said = control.saying(body) if body is not None else None
        except (TimeoutError, control.BrokenFrame) as error:
            raise OSError("the media engine did not start") from error
        if not isinstance(said, control.Reply) or said.port is None:
            raise OSError(said.text if isinstance(said, control.Reply) else "the media engine did not start")
        return said.port

    async def _supervise(self, reader: asyncio.StreamReader) -> None:
        """Hear the child; when it is gone, tell so and start another."""
        wait_s = FIRST_WAIT_S
        while True:
            born_at = time.monotonic()
            await self._hear(reader)
            await self._reap()
            if time.monotonic() - born_at > HEALTHY_S:
                wait_s = FIRST_WAIT_S
            logger.warning("! the media engine died; starting it again in %.2f s", wait_s)
            while True:
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                try:
                    reader = await self._spawn()
                    break
                except OSError as error:
                    logger.error("! the media engine does not start: %s", error)
            self._post(EngineRestarted())

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                body = await control.read_frame(reader)
                if body is None:
                    return
                said = control.saying(body)
            except control.BrokenFrame as error:
                logger.error("! control: %s", error)
                return
            if isinstance(said, control.Told):
                self._post(said.event)
            else:
                waiting = self._waiting.pop(said.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)

    async def _reap(self) -> None:
        """Make sure the child is gone, and whoever waits for it is told."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        self._waiting.clear()
        child, self._child = self._child, None
        if child is None:
            return
        try:
            await asyncio.wait_for(child.wait(), STOP_PATIENCE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, 9)
            await child.wait()

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


def _error(reply: control.Reply) -> DomainError:
    """The refusal as it was raised in the child."""
    for kind in (BadOffer, Limit, NotJoined, EngineAway):
        if kind.code == reply.code:
            return kind(reply.text)
    return EngineAway(reply.text)
