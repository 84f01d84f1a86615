"""A small client of Chromium's DevTools protocol, over two pipes: no port that others could knock at.

Messages are JSON, each ended by a zero byte (Chromium's ``--remote-debugging-pipe``: it reads descriptor 3
and writes descriptor 4). Sessions are flat: a message names its target's session beside its method.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any, Final

import msgspec

from kiosk_client.errors import AgentError

LIMIT_S: Final = 5.0
MAX_MESSAGE_BYTES: Final = 64 * 2**20  # a screenshot of a large screen, in base64
CHUNK_BYTES: Final = 256 * 1024


class BrowserGone(AgentError):
    """The browser has ended, or its pipe has."""

    code = "browser-gone"


class BrowserSilent(AgentError):
    """The browser did not answer in time."""

    code = "browser-silent"


class BrowserRefused(AgentError):
    """The browser answered with an error."""

    code = "browser-refused"


class Cdp:
    """One connection. ``on_event(session, method, params)`` hears what was not asked for, and never waits."""

    def __init__(self, on_event: Callable[[str, str, dict[str, Any]], None]) -> None:
        self._on_event = on_event
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._writer: asyncio.WriteTransport | None = None
        self._reading: asyncio.Task[None] | None = None
        self._read_transport: asyncio.ReadTransport | None = None

    async def open(self, read_fd: int, write_fd: int) -> None:
        """Take these two descriptors; they are ours from now on."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK_BYTES)
        read = os.fdopen(read_fd, "rb", buffering=0)
        write = os.fdopen(write_fd, "wb", buffering=0)
        self._read_transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), read
        )
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, write)
        self._reading = asyncio.create_task(self._read(reader), name="cdp")

    async def ask(
        self, method: str, params: dict[str, Any] | None = None, session: str = "", limit_s: float = LIMIT_S
    ) -> dict[str, Any]:
        """The result of a method.

        Raises:
            BrowserGone, BrowserSilent, BrowserRefused
        """
        if self._writer is None or self._writer.is_closing():
            raise BrowserGone("the browser is not there")
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._writer.write(msgspec.json.encode(message) + b"\0")
            return await asyncio.wait_for(answer, limit_s)
        except TimeoutError:
            raise BrowserSilent(f"{method} was not answered within {limit_s:g} s") from None
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        """Let go of the pipes; Chromium ends when its own do."""
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        self._end()
        if self._read_transport is not None:
            self._read_transport.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        kept = bytearray()
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                start = len(kept)
                kept += chunk
                while (end := kept.find(0, start)) >= 0:
                    self._hear(bytes(kept[:end]))
                    del kept[: end + 1]
                    start = 0
                if len(kept) > MAX_MESSAGE_BYTES:
                    break
        except OSError:
            pass
        finally:
            self._end()

    def _hear(self, text: bytes) -> None:
        message = msgspec.json.decode(text)
        if "id" not in message:
            self._on_event(message.get("sessionId", ""), message.get("method", ""), message.get("params", {}))
            return
        answer = self._waiting.get(message["id"])
        if answer is None or answer.done():
            return  # too late
        if "error" in message:
            answer.set_exception(BrowserRefused(str(message["error"].get("message", ""))[:200]))
        else:
            answer.set_result(message.get("result", {}))

    def _end(self) -> None:
        """Nobody waits for a browser that is gone."""
        if self._writer is not None and not self._writer.is_closing():
            self._writer.abort()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(BrowserGone("the browser has ended"))
