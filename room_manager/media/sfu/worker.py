"""One worker: a process of the forwarding unit, asked over a socket pair, started again when it dies.

Knows nothing of rooms. What a new process must be told is the driver's to tell, in :meth:`Boss.back`.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from room_manager.errors import DomainError, Limit
from room_manager.media.engine import BadOffer, EngineAway, EngineEvent, NoCommonCodec, NotJoined
from room_manager.media.sfu import control
from room_manager.media.sfu.gauges import Figures

CALL_PATIENCE_S: Final = 5.0
START_PATIENCE_S: Final = 20.0
STOP_PATIENCE_S: Final = 3.0
FIRST_WAIT_S: Final = 0.05
LONGEST_WAIT_S: Final = 5.0
HEALTHY_S: Final = 10.0  # a child that lived this long has not failed at once
STUCK_S: Final = 5.0
MAX_CALLS: Final = 1_024  # waiting for an answer
MAX_UNREAD_BYTES: Final = 4 << 20  # written to a child that does not read

logger = logging.getLogger(__name__)

Reply = asyncio.Future[control.Reply]


class Boss(Protocol):
    """Who owns the workers."""

    def told(self, worker: "Worker", event: EngineEvent) -> None:
        """Something has happened there."""

    def died(self, worker: "Worker") -> None:
        """Its process is gone, and all that was in it."""

    def back(self, worker: "Worker") -> None:
        """It has a new process, empty; what is asked now is asked first."""


class Worker:
    """One process at a time, behind one port that stays."""

    def __init__(
        self,
        number: int,
        boss: Boss,
        host: str,
        port: int,
        announce: tuple[str, ...],
        links: Mapping[int, socket.socket],
    ) -> None:
        """``links`` lead to the other workers, by their number."""
        self.number = number
        self.port = port
        self.restarts = 0
        self.figures: Figures | None = None  # as last heard
        self._look: tuple[Reply, float] | None = None  # under way, since when
        self._boss = boss
        self._host = host
        self._announce = announce
        self._links = links
        self._child: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Reply] = {}
        self._supervisor: asyncio.Task[None] | None = None
        self._wait_s = FIRST_WAIT_S
        self._heard_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process, while it lives."""
        return self._child.pid if self._child is not None else None

    @property
    def alive(self) -> bool:
        """Whether it takes calls."""
        # uvloop refuses to write to a lost child with RuntimeError, so it is looked at before.
        return self._writer is not None and not self._writer.is_closing()

    @property
    def full(self) -> bool:
        """Whether it takes no more calls for now."""
        writer = self._writer
        unread = writer.transport.get_write_buffer_size() if writer is not None else 0
        return len(self._waiting) >= MAX_CALLS or unread > MAX_UNREAD_BYTES

    @property
    def stuck(self) -> bool:
        """Whether it has said nothing for long although it was asked."""
        return bool(self._waiting) and time.monotonic() - self._heard_at > STUCK_S

    @property
    def steady(self) -> bool:
        """Alive, and not one that dies again and again."""
        return self.alive and self._wait_s <= 2 * FIRST_WAIT_S

    async def start(self) -> None:
        """Be ready to take calls, or raise ``OSError``."""
        reader = await self._spawn()
        self._supervisor = asyncio.create_task(self._supervise(reader), name=f"media worker {self.number}")

    async def close(self) -> None:
        """End the process. Idempotent."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._reap()

    # --- asking ---

    def begin(self, make: Callable[[int], control.AnyRequest]) -> Reply:
        """Ask, without waiting: the reply comes in the order of asking.

        Raises ``EngineAway`` or ``Limit``. Whoever gets the reply gives it to :func:`settled`.
        """
        writer = self._writer
        if writer is None or not self.alive:
            raise EngineAway("the media engine is starting")
        if self.full:
            raise Limit("too many calls wait for the media engine")
        number = next(self._numbers)
        try:
            data = control.frame(make(number))
        except control.BrokenFrame as error:
            raise EngineAway("this cannot be asked of the media engine") from error
        reply: Reply = asyncio.get_running_loop().create_future()
        reply.add_done_callback(lambda done: self._forget(number, done))
        if not self._waiting:
            self._heard_at = time.monotonic()
        self._waiting[number] = reply
        writer.write(data)
        return reply

    async def ask(self, make: Callable[[int], control.AnyRequest]) -> control.Reply:
        """Ask, and wait for the answer. Raises ``EngineAway``, or what the child refused with."""
        reply = self.begin(make)
        try:
            return settled(await asyncio.wait_for(reply, CALL_PATIENCE_S))
        except (TimeoutError, ConnectionError) as error:
            raise EngineAway("the media engine does not answer") from error

    def look(self, now: float, patience_s: float) -> None:
        """Ask for its figures; a worker that has not told them for so long hangs, and is ended."""
        if self._look is not None:
            reply, since = self._look
            if not reply.done():
                if now - since > patience_s:
                    logger.error("! media worker %d hangs", self.number)
                    self.kill()
                return
            if not reply.cancelled() and reply.exception() is None:
                self.figures = reply.result().figures
            self._look = None
        with contextlib.suppress(EngineAway, Limit):
            self._look = self.begin(control.Look), now

    def _forget(self, number: int, reply: Reply) -> None:
        self._waiting.pop(number, None)
        if not reply.cancelled():
            reply.exception()  # a reply nobody waits for any more is no lost error

    def kill(self) -> None:
        """End the process at once, since it is of no use; another follows."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGKILL)

    # --- the process ---

    async def _spawn(self) -> asyncio.StreamReader:
        """Start the child and open its port."""
        ours, theirs = socket.socketpair()
        inherited = (theirs.fileno(), *(link.fileno() for link in self._links.values()))
        with theirs:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "room_manager.media.sfu.process",
                str(theirs.fileno()),
                pass_fds=inherited,
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        try:
            self.port = await self._open(reader, writer)
        except BaseException:
            writer.close()
            await self._reap()
            raise
        self._writer = writer
        return reader

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        """Have the new child open its port; returns which. Raises ``OSError``."""
        links = {number: link.fileno() for number, link in self._links.items()}
        opening = control.Open(0, self._host, self.port, self._announce, self.number, links)
        writer.write(control.frame(opening))
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
        while True:
            born_at = time.monotonic()
            await self._hear(reader)
            await self._reap()
            if time.monotonic() - born_at > HEALTHY_S:
                self._wait_s = FIRST_WAIT_S
            self._boss.died(self)
            logger.warning("! media worker %d died; starting it again in %.2f s", self.number, self._wait_s)
            while True:
                await asyncio.sleep(self._wait_s)
                self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
                try:
                    reader = await self._spawn()
                    break
                except OSError as error:
                    logger.error("! media worker %d does not start: %s", self.number, error)
            self.restarts += 1
            self._boss.back(self)

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
            self._heard_at = time.monotonic()
            if isinstance(said, control.Told):
                self._boss.told(self, said.event)
            else:
                waiting = self._waiting.pop(said.number, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(said)

    async def _reap(self) -> None:
        """Make sure the child is gone, and whoever waits for it is told."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self.figures = None
        for waiting in list(self._waiting.values()):
            if not waiting.done():
                waiting.set_exception(ConnectionResetError())
        self._waiting.clear()
        child = self._child
        if child is None:
            return
        try:
            await asyncio.wait_for(child.wait(), STOP_PATIENCE_S)
        except TimeoutError:
            self.kill()
            await child.wait()
        self._child = None


def settled(reply: control.Reply) -> control.Reply:
    """The reply, or the refusal in it, raised as it was in the child."""
    if reply.code is None:
        return reply
    raise _error(reply)


def _error(reply: control.Reply) -> DomainError:
    for kind in (BadOffer, NoCommonCodec, Limit, NotJoined, EngineAway):
        if kind.code == reply.code:
            return kind(reply.text)
    return EngineAway(reply.text)
