"""A WebSocket client that costs almost nothing, so that a measurement is of the server.

It speaks just enough of RFC 6455 for our own server: no extensions, no fragments from the server, text
frames both ways, and it answers pings. It is no judge of conformance: the tests use ``websockets``.
"""

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from typing import Final, cast

TEXT: Final = 0x1
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA


def masked_frame(opcode: int, payload: bytes) -> bytes:
    """One client frame. The mask is zero: allowed by the format, and free (section 5.3 asks it to be random
    to protect proxies, of which there are none on this loopback)."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0x80 | 127, size)
    return head + b"\0\0\0\0" + payload


class Closed(ConnectionError):
    """The server has closed; ``code`` is its close code, 1006 if it gave none."""

    def __init__(self, code: int, said: bytes = b"") -> None:
        super().__init__(f"closed with {code} {said[:200].decode('utf-8', 'replace')}")
        self.code = code


class Socket(asyncio.Protocol):
    """One open WebSocket. ``on_text`` is called for each message, straight from the loop."""

    def __init__(self, on_text: Callable[[bytes], None]) -> None:
        self.on_text = on_text
        self.closed: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.received_bytes = 0
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._code = 1006

    @classmethod
    async def connect(
        cls, host: str, port: int, path: str, on_text: Callable[[bytes], None], origin: str | None = None
    ) -> "Socket":
        """Open, or raise ``Closed``/``OSError``."""
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(lambda: cls(on_text), host, port)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = (
            f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            + (f"Origin: {origin}\r\n" if origin else "")
            + "\r\n"
        )
        socket.write(asked.encode())
        await socket.opened
        return socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Closed(1006, self._buffer))
        if not self.closed.done():
            self.closed.set_result(self._code)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def send(self, payload: bytes) -> None:
        self.write(masked_frame(TEXT, payload))

    def close(self) -> None:
        self.write(masked_frame(CLOSE, struct.pack("!H", 1000)))

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.received_bytes += len(data)
        buffer = self._buffer + data if self._buffer else data
        if not self.opened.done():
            end = buffer.find(b"\r\n\r\n")
            if end < 0 or not buffer.startswith(b"HTTP/1.1 101"):
                self._buffer = buffer
                return
            buffer = buffer[end + 4 :]
            self.opened.set_result(None)
        at, total = 0, len(buffer)
        while total - at >= 2:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                if total - start < 2:
                    break
                size, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            elif size == 127:
                if total - start < 8:
                    break
                size, start = int.from_bytes(buffer[start : start + 8], "big"), start + 8
            if total - start < size:
                break
            self._frame(buffer[at] & 0x0F, buffer[start : start + size])
            at = start + size
        self._buffer = buffer[at:]

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == TEXT:
            self.on_text(payload)
        elif opcode == PING:
            self.write(masked_frame(PONG, payload))
        elif opcode == CLOSE:
            self._code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            self.write(masked_frame(CLOSE, payload[:2]))
            if self._transport is not None:
                self._transport.close()
