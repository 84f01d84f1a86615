"""One member of a meeting as load: comes in by its link, remembers what a page would, comes back."""

import asyncio
import re
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from benchmarks.websocket import Socket

_TYPE: Final = re.compile(rb'^\{"type":"([a-z-]+)"')
_NUMBER: Final = re.compile(rb'"seq":(\d+)')

Hear = Callable[["Member", str, bytes], None]


class _Ticket(Struct):
    ticket: str


class _Welcome(Struct):
    resume: str
    epoch: int
    seq: int


class NotIn(Exception):
    """The server did not let it in."""


class Member:
    """One client. ``hear`` is told every message after the snapshot."""

    def __init__(self, host: str, port: int, link: str, hear: Hear) -> None:
        self.host, self.port = host, port
        self._link = link
        self._hear = hear
        self.socket: Socket | None = None
        self.received_bytes = 0
        self.have = 0
        self.told: dict[str, bytes] = {}  # the snapshot, by type
        self.epoch = 0
        self._resume: str | None = None
        self._snapshot: asyncio.Future[None] | None = None
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._rid = 0

    async def enter(self) -> float:
        """By the link: a ticket by REST, then hello. Seconds from the first question to the snapshot."""
        began = time.monotonic()
        ticket = await self._ticket()
        await self._hello(ticket=ticket)
        return time.monotonic() - began

    async def come_back(self) -> float:
        """With the resume token and ``have``. Seconds."""
        began = time.monotonic()
        await self._hello(resume=self._resume, have=self.have, epoch=self.epoch)
        return time.monotonic() - began

    async def ask(self, type: str, **fields: object) -> bytes:
        """A command; the text of its answer."""
        self._rid += 1
        rid = self._rid
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[rid] = answer
        assert self.socket is not None
        self.socket.send(msgspec.json.encode({"v": 1, "type": type, "rid": rid, **fields}))
        return await answer

    def hang_up(self) -> None:
        """The line breaks."""
        if self.socket is not None:
            self.socket.abort()

    async def _ticket(self) -> str:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        body = msgspec.json.encode({"link": self._link})
        writer.write(
            f"POST /api/tickets HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        text = await reader.read(-1)
        writer.close()
        self.received_bytes += len(text)
        head, _, content = text.partition(b"\r\n\r\n")
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise NotIn(content.decode("utf-8", "replace"))
        return msgspec.json.decode(content, type=_Ticket).ticket

    async def _hello(self, **fields: object) -> None:
        loop = asyncio.get_running_loop()
        self._snapshot = loop.create_future()
        snapshot = self._snapshot
        self.socket = socket = await Socket.connect(self.host, self.port, "/ws", self._on_text)
        self._rid += 1
        socket.send(msgspec.json.encode({"v": 1, "type": "hello", "rid": self._rid, **fields}))
        closed = asyncio.ensure_future(asyncio.shield(socket.closed))
        await asyncio.wait((snapshot, closed), return_when=asyncio.FIRST_COMPLETED)
        if not snapshot.done():
            raise NotIn(f"closed with {closed.result()}")
        closed.cancel()
        self.received_bytes += socket.received_bytes

    def _on_text(self, text: bytes) -> None:
        found = _TYPE.match(text)
        kind = found[1].decode() if found else ""
        if kind in ("done", "problem", "pong", "answer"):
            self._on_answer(text)
            return
        if kind == "welcome":
            welcome = msgspec.json.decode(text, type=_Welcome)
            self._resume, self.epoch, self.have = welcome.resume, welcome.epoch, welcome.seq
        else:
            number = _NUMBER.search(text)
            if number is not None:
                self.have = max(self.have, int(number[1]))
        if self._snapshot is not None:
            self.told[kind] = text
            # One's own microphone is the last thing a newcomer is told.
            if kind == "microphones":
                self._snapshot.set_result(None)
                self._snapshot = None
            return
        self._hear(self, kind, text)

    def _on_answer(self, text: bytes) -> None:
        rid = msgspec.json.decode(text).get("rid")
        waiting = self._answers.pop(rid, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(text)
