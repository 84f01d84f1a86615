"""The one UDP port: opening it, where receivers are, and the plain way of sending.

``PlainEgress`` says what an egress does, packet by packet, on any system; ``batch.py`` does it fast.
"""

import errno
import socket
import struct
import time
from typing import Any, Final

from room_manager.media.sfu import private
from room_manager.media.sfu.audience import UNMARKED, Audience, Marks, Sink, inscribe, number
from room_manager.media.sfu.ice import Address
from room_manager.media.sfu.srtp import MAX_TRAILER_BYTES, Keys
from room_manager.media.sfu.stream import Stream

BUFFER_BYTES: Final = 2048
MAX_PLAIN_BYTES: Final = BUFFER_BYTES - MAX_TRAILER_BYTES
SOCKET_BUFFER_BYTES: Final = 8 << 20
BIND_PATIENCE_S: Final = 5.0
NAME_BYTES: Final = 28  # struct sockaddr_in6


def open_port(host: str, port: int, patience_s: float = BIND_PATIENCE_S) -> socket.socket:
    """Bind, trying again for a while: the port may still be held by an engine that is going.

    Raises ``OSError``.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    deadline = time.monotonic() + patience_s
    while True:
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
        try:
            sock.bind((host, port))
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() >= deadline:
                raise
            time.sleep(0.05)
        else:
            return sock


class Receiver(Sink):
    """A connection's end as the egress needs it: keys, and where to send."""

    __slots__ = (
        "_name",
        "_name_memory",
        "address",
        "keys",
        "name_at",
        "name_bytes",
        "sending",
        "sound_types",
        "stream",
        "takes_segments",
        "trailer_bytes",
    )

    def __init__(self) -> None:
        self.keys: Keys | None = None
        self.sending: Any = None
        self.trailer_bytes = 0
        self.sound_types: frozenset[int] = frozenset()  # payload types that go before pictures
        self.address: Address | None = None
        self.stream: Stream | None = None  # its way, if that is TCP
        self._name_memory, self._name = private.new_buffer(NAME_BYTES)
        self.name_at = private.address_of(self._name_memory)  # the same for life: only what is there changes
        self.name_bytes = 0
        self.takes_segments = True

    def secure(self, keys: Keys) -> None:
        """Packets can be protected from now on."""
        self.keys = keys
        self.sending = keys.sending
        self.trailer_bytes = keys.profile.trailer_bytes

    def move(self, address: Address) -> None:
        """Packets go here from now on."""
        self.stream = None
        self.address = address
        raw = sockaddr(address)
        self._name[: len(raw)] = raw
        self.name_bytes = len(raw)
        self.takes_segments = True

    def move_to(self, stream: Stream) -> None:
        """Packets go over this TCP connection from now on."""
        self.stream = stream
        self.address = None


def sockaddr(address: Address) -> bytes:
    """The address as ``struct sockaddr_in`` or ``sockaddr_in6`` as Linux lays them out."""
    host, port = address[0], address[1]
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HL16sL", port, 0, packed, 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))


class PlainEgress:
    """Protects and sends each packet by itself."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._memory, self._view = private.new_buffer(BUFFER_BYTES)
        self._length = private.new_length()
        self.sent = 0
        self.lost = 0  # the socket would not take them

    def fan(self, plain: bytes, rows: Audience, marked: Marks = UNMARKED, *, more: bool = False) -> None:
        """See :class:`Egress`."""
        size = len(plain)
        if size > MAX_PLAIN_BYTES:
            return
        now = time.monotonic()
        for row in rows:
            receiver: Any = row.sink
            self._view[:size] = plain
            inscribe(self._view, row, marked)
            number(self._view, row, marked, size + receiver.trailer_bytes, now)
            urgent = plain[1] & 0x7F in receiver.sound_types
            self._protect_and_send(private.protect_rtp, size, receiver, urgent=urgent)

    def rtcp(self, sink: Any, compound: bytes) -> None:
        """One control datagram."""
        if sink.sending is not None and len(compound) <= MAX_PLAIN_BYTES:
            self._view[: len(compound)] = compound
            self._protect_and_send(private.protect_rtcp, len(compound), sink)

    def datagram(self, data: bytes | memoryview, address: Address) -> None:
        """Something that needs no protection: STUN, DTLS."""
        try:
            self._socket.sendto(data, address)
        except OSError:
            self.lost += 1
        else:
            self.sent += 1

    def flush(self) -> None:
        """Nothing waits here."""

    def flush_whole(self, *, parts: bool = False) -> bool:
        """Nothing waits here."""
        return False

    unfinished: Final = False

    def go_on(self) -> bool:
        """Nothing is left."""
        return False

    def switched(self) -> None:
        """A receiver is about to change between UDP and TCP."""

    def _protect_and_send(self, protect: Any, size: int, receiver: Any, *, urgent: bool = True) -> None:
        self._length[0] = size
        if protect(receiver.sending, self._memory, self._length):
            return
        packet = self._view[: self._length[0]]
        if receiver.stream is not None:
            receiver.stream.put(packet, urgent=urgent)
            self.sent += 1
        else:
            self.datagram(packet, receiver.address)
