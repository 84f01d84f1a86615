"""A child process that receives what a meeting shows, as its parent sees it: it offers, and is answered.

What it does with what it receives, and what it tells of that, is for whoever starts it.
"""

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from room_manager.errors import DomainError
from room_manager.media.engine import Answer
from room_manager.recording import control

END_PATIENCE_S: Final = 10.0
"""For what a child has still to do when it is to end; then it is killed."""

Join = Callable[[str], Awaitable[Answer]]
"""Puts an offer to the media engine."""

Heard = Callable[[control.AnyReport], bool]
"""Hears a report; True: that was the last, the child is to end."""

logger = logging.getLogger(__name__)


class ReceiverProcess:
    """The child; :meth:`run` is its life."""

    def __init__(self, module: str, join: Join) -> None:
        self._module = module
        self._join = join
        self._writer: asyncio.StreamWriter | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._joining: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """While it lives."""
        return self._child.pid if self._child is not None else None

    def order(self, order: control.AnyOrder) -> None:
        """Tell it something. Never blocks; before and after its life it is not heard."""
        writer = self._writer
        if writer is not None and not writer.is_closing():
            with contextlib.suppress(RuntimeError):  # uvloop refuses to write to a lost child
                writer.write(control.frame(order))

    async def run(self, first: Callable[[], Sequence[control.AnyOrder]], heard: Heard) -> None:
        """Until ``heard`` has had enough, the child dies, or this is cancelled. Raises ``OSError``.

        ``first`` is asked once the child can be told something: what it is to do.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", self._module, str(theirs.fileno())),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        try:
            for order in first():
                self.order(order)
            await self._read(reader, heard)
        finally:
            if self._joining is not None:
                self._joining.cancel()
            self._writer.close()
            self._writer = None
            await self._reap()

    async def _read(self, reader: asyncio.StreamReader, heard: Heard) -> None:
        while True:
            try:
                body = await control.read_frame(reader)
                if body is None:
                    return
                report = control.reports(body)
            except (control.BrokenFrame, ConnectionError) as error:
                logger.error("! %s: %s", self._module, error)
                return
            if isinstance(report, control.Offer):
                if self._joining is not None:
                    self._joining.cancel()  # the newest offer counts
                self._joining = asyncio.create_task(self._put(report.sdp))
            elif heard(report):
                return

    async def _put(self, sdp: str) -> None:
        try:
            answer = await self._join(sdp)
        except DomainError as error:
            self.order(control.NotTaken(error.code))
        else:
            self.order(control.Joined(answer.sdp, answer.slots))

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
