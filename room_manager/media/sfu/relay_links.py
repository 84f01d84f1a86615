"""The links to the other workers at work: what is to go is gathered for a moment, and nothing waits.

A full link means that the worker at its other end is behind; what does not fit is dropped and counted, and
repaired as any loss is.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping
from typing import Final

from room_manager.media.sfu.relay import Peers
from room_manager.media.sfu.relay_wire import MAX_DATAGRAM_BYTES, Said, said_item

MAX_STALE: Final = 10_000
MAX_ROUND: Final = 16  # datagrams taken of one link before others get a turn


class RelayLinks:
    """One socket per other worker, given by number."""

    def __init__(self, sockets: Mapping[int, socket.socket]) -> None:
        self.peers: Peers = tuple(sorted(sockets))
        self._sockets = dict(sockets)
        self._waiting: dict[int, list[bytes]] = {peer: [] for peer in self.peers}
        self._sizes: dict[int, int] = dict.fromkeys(self.peers, 0)
        self._flushing: asyncio.Handle | None = None
        self._buffer = memoryview(bytearray(1 << 16))
        self.counts = {"in": 0, "out": 0, "dropped": 0}  # items
        for sock in self._sockets.values():
            sock.setblocking(False)
            _drain(sock, self._buffer)  # what was meant for the worker before us

    def open(self, taken: Callable[[int, memoryview], int], done: Callable[[], None]) -> None:
        """Take what comes from now on.

        Args:
            taken: Gets a worker's number and its datagram; returns how many items were in it.
            done: Ends a round.
        """
        loop = asyncio.get_running_loop()
        for peer, sock in self._sockets.items():
            loop.add_reader(sock.fileno(), self._readable, peer, sock, taken, done)

    def close(self) -> None:
        """Take and send nothing more. Idempotent."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets.values():
            loop.remove_reader(sock.fileno())
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def pass_on(self, peers: Peers, item: bytes) -> None:
        """See :class:`Outlet`."""
        for peer in peers:
            size = self._sizes[peer] + len(item)
            if size > MAX_DATAGRAM_BYTES:
                self._send(peer)
                size = len(item)
            self._sizes[peer] = size
            self._waiting[peer].append(item)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_soon(self._flush)

    def say(self, peers: Peers, said: Said) -> None:
        """See :class:`Outlet`."""
        item = said_item(said)
        if item is None:
            self.counts["dropped"] += len(peers)
        else:
            self.pass_on(peers, item)

    def _flush(self) -> None:
        """The round of packets that is being taken has ended."""
        self._flushing = None
        for peer in self.peers:
            if self._waiting[peer]:
                self._send(peer)

    def _send(self, peer: int) -> None:
        waiting = self._waiting[peer]
        if not waiting:
            return
        try:
            self._sockets[peer].send(b"".join(waiting))
        except OSError:
            self.counts["dropped"] += len(waiting)
        else:
            self.counts["out"] += len(waiting)
        waiting.clear()
        self._sizes[peer] = 0

    def _readable(
        self,
        peer: int,
        sock: socket.socket,
        taken: Callable[[int, memoryview], int],
        done: Callable[[], None],
    ) -> None:
        for _ in range(MAX_ROUND):
            try:
                size = sock.recv_into(self._buffer)
            except OSError:
                break
            self.counts["in"] += taken(peer, self._buffer[:size])
        done()


def _drain(sock: socket.socket, buffer: memoryview) -> None:
    with contextlib.suppress(OSError):
        for _ in range(MAX_STALE):
            sock.recv_into(buffer)
