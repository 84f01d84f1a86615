"""Where clients without UDP come in (RFC 6544, passive): TCP on the number of the UDP port.

Owns the connections and how many there may be. A connection that does not prove itself soon is ended; one
that has belongs to its peer and ends with it.
"""

import asyncio
import errno
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from room_manager.media.sfu.gate import Gate
from room_manager.media.sfu.stream import UNSENT_BYTES, Stream
from room_manager.media.sfu.udp import BIND_PATIENCE_S, open_port

MAX_STREAMS: Final = 4_096
MAX_UNPROVEN: Final = 256
MAX_UNPROVEN_OF_ADDRESS: Final = 64
PROVE_S: Final = 10.0
ACCEPTS: Final = 32  # a turn
BACKLOG: Final = 512
PORT_TRIES: Final = 16
TCP_NOTSENT_LOWAT: Final = 25  # linux/tcp.h; Python names it from 3.12 on

logger = logging.getLogger(__name__)


def open_door(host: str, port: int) -> tuple[socket.socket, socket.socket | None]:
    """The UDP port and TCP on the same number; None: somebody else has that, and clients come by UDP only.

    Port 0 is one that is free for both. Raises ``OSError`` if there is no UDP port.
    """
    for _ in range(PORT_TRIES):
        udp = open_port(host, port)
        try:
            return udp, open_listener(host, udp.getsockname()[1], BIND_PATIENCE_S if port else 0.0)
        except OSError as error:
            if port:
                logger.warning("! no ICE-TCP: port %d: %s", port, error)
                return udp, None
            udp.close()
    return open_port(host, 0), None


def open_listener(host: str, port: int, patience_s: float) -> socket.socket:
    """Listen, trying again for a while: an engine that is going may still do. Raises ``OSError``."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + patience_s
    while True:
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
            sock.listen(BACKLOG)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(0.05)
        else:
            return sock


class Listener:
    """Accepts, hands on frames, and keeps the limits."""

    def __init__(
        self,
        sock: socket.socket,
        gate: Gate,
        heard: Callable[[Stream, list[bytes]], bool],
        ended: Callable[[Stream], None],
    ) -> None:
        """``heard`` says whether the connection has proved whose it is; ``ended`` hears of all that end."""
        self._socket = sock
        self._gate = gate
        self._heard = heard
        self._told_ended = ended
        self._loop: asyncio.AbstractEventLoop | None = None
        self._accepting = False
        self._unproven: dict[Stream, float] = {}
        self._of_address: Counter[str] = Counter()
        self._streams: set[Stream] = set()

    @property
    def streams(self) -> int:
        """How many connections there are."""
        return len(self._streams)

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Accept from now on."""
        self._loop = loop
        self._accept_again()

    def close(self) -> None:
        """End every connection and accept no more."""
        if self._loop is not None and self._accepting:
            self._loop.remove_reader(self._socket.fileno())
            self._accepting = False
        for stream in list(self._streams):
            stream.close()

    def sweep(self, now: float) -> None:
        """End who has not proved itself in time."""
        late = [stream for stream, until in self._unproven.items() if now >= until]
        for stream in late:
            self._gate.refused["tcp-late"] += 1
            stream.close()
        self._accept_again()

    def _accept_again(self) -> None:
        if self._loop is not None and not self._accepting:
            self._accepting = True
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _accept(self) -> None:
        loop = self._loop
        assert loop is not None
        for _ in range(ACCEPTS):
            try:
                sock, address = self._socket.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                    # Nothing can be accepted now, and asking again at once would be all we do.
                    loop.remove_reader(self._socket.fileno())
                    self._accepting = False
                    return
                continue  # it has gone already
            if self._full(address[0]):
                self._gate.refused["tcp-limit"] += 1
                sock.close()
                continue
            try:
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
            except OSError:
                sock.close()
                continue
            stream = Stream(sock, address[:2], loop, self._frames, self._ended)
            self._streams.add(stream)
            self._unproven[stream] = time.monotonic() + PROVE_S
            self._of_address[stream.address[0]] += 1

    def _full(self, host: str) -> bool:
        return (
            len(self._streams) >= MAX_STREAMS
            or len(self._unproven) >= MAX_UNPROVEN
            or self._of_address[host] >= MAX_UNPROVEN_OF_ADDRESS
        )

    def _frames(self, stream: Stream, frames: list[bytes]) -> None:
        if self._heard(stream, frames):
            self._settled(stream)

    def _ended(self, stream: Stream) -> None:
        if stream.broken:
            self._gate.refused["malformed"] += 1
        self._streams.discard(stream)
        self._settled(stream)
        self._told_ended(stream)

    def _settled(self, stream: Stream) -> None:
        """It is no longer one of those that must prove themselves."""
        if self._unproven.pop(stream, None) is not None:
            host = stream.address[0]
            self._of_address[host] -= 1
            if not self._of_address[host]:
                del self._of_address[host]
