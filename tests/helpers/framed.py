"""A way through a firewall that lets no UDP out: a light peer's datagrams over TCP, as frames of RFC 4571.

The peer talks to a UDP port of ours on loopback, and we to the engine by TCP, on the peer's own loop.
"""

import asyncio
import socket
from typing import Final

from room_manager.media.sfu.stream import Frames

WINDOW_BYTES: Final = 8_192


class TcpWay:
    """One peer's TCP connection. ``stalled``: nothing more is read from it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: tuple[str, int]) -> None:
        self._loop = loop
        self._near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._near.bind(("127.0.0.1", 0))
        self._near.setblocking(False)
        self._far = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW_BYTES)
        self._far.settimeout(5)
        self._far.connect(target)
        self._far.setblocking(False)
        self._frames = Frames()
        self._peer: tuple[str, int] | None = None
        self.stalled = False
        self.ended = False
        loop.add_reader(self._near.fileno(), self._from_peer)
        loop.add_reader(self._far.fileno(), self._from_engine)

    def instead(self, answer: str) -> str:
        """The answer with our port in place of the engine's candidates."""
        lines = [line for line in answer.splitlines() if not line.startswith("a=candidate:")]
        port = self._near.getsockname()[1]
        lines.append(f"a=candidate:1 1 udp 1 127.0.0.1 {port} typ host")
        return "\r\n".join(lines) + "\r\n"

    def stall(self) -> None:
        """Read nothing more, as a client whose line has filled up."""
        self.stalled = True
        self._loop.remove_reader(self._far.fileno())

    def go_on(self) -> None:
        self.stalled = False
        self._loop.add_reader(self._far.fileno(), self._from_engine)

    def send(self, frame: bytes) -> None:
        """One datagram to the engine."""
        self.send_raw(len(frame).to_bytes(2, "big") + frame)

    def send_raw(self, data: bytes) -> None:
        try:
            self._far.send(data)
        except OSError:
            self.close()

    def close(self) -> None:
        if not self.ended:
            self.ended = True
            for sock in (self._near, self._far):
                self._loop.remove_reader(sock.fileno())
                sock.close()

    def _from_peer(self) -> None:
        for _ in range(64):
            try:
                datagram, self._peer = self._near.recvfrom(4096)
            except OSError:
                return
            self.send(datagram)
            if self.ended:
                return

    def _from_engine(self) -> None:
        try:
            data = self._far.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        for frame in self._frames.add(data):
            if self._peer is not None:
                self._near.sendto(frame, self._peer)
