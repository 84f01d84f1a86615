"""One recorder, as the server sees it: a child process that offers, is answered, and writes a file.

Knows neither rooms nor the list of recordings. If the child dies, :meth:`RecorderProcess.run` says so and
the part it left is for others to mend.
"""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from room_manager.errors import DomainError
from room_manager.media.engine import Answer
from room_manager.recording import control

END_PATIENCE_S: Final = 10.0
"""For the last write and the way to the disk; then the child is killed, and its part is mended."""

Join = Callable[[str], Awaitable[Answer]]
"""Puts an offer to the media engine."""

logger = logging.getLogger(__name__)


class RecorderProcess:
    """The child; :meth:`run` is its life."""

    def __init__(self, stem: Path, stop_below_bytes: int, join: Join) -> None:
        self._begin = control.Begin(str(stem), stop_below_bytes)
        self._join = join
        self._writer: asyncio.StreamWriter | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._finishing = asyncio.Event()
        self.progress: control.Progress | None = None

    @property
    def pid(self) -> int | None:
        """While it lives."""
        return self._child.pid if self._child is not None else None

    def rejoin(self) -> None:
        """Its connection is gone. Never blocks."""
        self._order(control.Rejoin())

    def finish(self) -> None:
        """Finish the file and end. Never blocks; may be said before it runs."""
        self._finishing.set()
        self._order(control.Finish())

    async def run(self) -> control.Ended | None:
        """Record until told to finish or until it cannot go on; None: it died. Raises ``OSError``."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "room_manager.recording.process", str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        joining: set[asyncio.Task[None]] = set()
        try:
            self._order(self._begin)
            if self._finishing.is_set():
                self._order(control.Finish())
            return await self._hear(reader, joining)
        finally:
            for task in joining:
                task.cancel()
            self._writer.close()
            self._writer = None
            await self._reap()

    async def _hear(
        self, reader: asyncio.StreamReader, joining: set[asyncio.Task[None]]
    ) -> control.Ended | None:
        late = asyncio.create_task(self._too_late())
        reading = asyncio.create_task(self._read(reader, joining))
        try:
            await asyncio.wait((late, reading), return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else None
        finally:
            for task in (late, reading):
                task.cancel()
            await asyncio.gather(late, reading, return_exceptions=True)

    async def _read(
        self, reader: asyncio.StreamReader, joining: set[asyncio.Task[None]]
    ) -> control.Ended | None:
        while True:
            try:
                body = await control.read_frame(reader)
                report = control.reports(body) if body is not None else None
            except (control.BrokenFrame, ConnectionError) as error:
                logger.error("! recorder: %s", error)
                return None
            match report:
                case None:
                    return None
                case control.Offer(sdp=sdp):
                    for task in joining:
                        task.cancel()  # the newest offer counts
                    asked = asyncio.create_task(self._put(sdp))
                    joining.add(asked)
                    asked.add_done_callback(joining.discard)
                case control.Progress():
                    self.progress = report
                case control.Ended():
                    return report

    async def _put(self, sdp: str) -> None:
        try:
            answer = await self._join(sdp)
        except DomainError as error:
            self._order(control.NotTaken(error.code))
        else:
            self._order(control.Joined(answer.sdp, answer.slots))

    async def _too_late(self) -> None:
        await self._finishing.wait()
        await asyncio.sleep(END_PATIENCE_S)

    def _order(self, order: control.AnyOrder) -> None:
        writer = self._writer
        if writer is not None and not writer.is_closing():
            with contextlib.suppress(RuntimeError):  # uvloop refuses to write to a lost child
                writer.write(control.frame(order))

    async def _reap(self) -> None:
        """The child is gone afterwards; it ends when our end of the socket does."""
        child, self._child = self._child, None
        if child is None:
            return
        try:
            await asyncio.wait_for(child.wait(), END_PATIENCE_S)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
