"""The one UDP port: opening it, and sending in batches.

Packets of one round are protected in place, each in its own buffer, and leave with one ``sendmmsg``.
Where the system has none they leave one by one.
"""

import errno
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final

from cffi import FFI

from room_manager.media.sfu import private
from room_manager.media.sfu.ice import Address
from room_manager.media.sfu.lane import Row, Sink
from room_manager.media.sfu.srtp import MAX_TRAILER_BYTES, Keys

BATCH: Final = 1024  # the kernel's own limit for one sendmmsg
STRIDE_BYTES: Final = 2048
SOCKET_BUFFER_BYTES: Final = 8 << 20
BIND_PATIENCE_S: Final = 5.0
FULL_PATIENCE_MS: Final = 5

_SSRC: Final = struct.Struct("!L")

_ffi: Final[Any] = FFI()
_ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned msg_len; };
    int sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
    """
)


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

    __slots__ = ("address", "keys", "name", "name_bytes", "sending", "trailer_bytes")

    def __init__(self) -> None:
        self.keys: Keys | None = None
        self.sending: Any = None
        self.trailer_bytes = 0
        self.address: Address | None = None
        self.name: Any = None
        self.name_bytes = 0

    def secure(self, keys: Keys) -> None:
        """Packets can be protected from now on."""
        self.keys = keys
        self.sending = keys.sending
        self.trailer_bytes = keys.profile.trailer_bytes

    def move(self, address: Address) -> None:
        """Packets go here from now on."""
        self.address = address
        raw = _sockaddr(address)
        self.name = _ffi.new("char[]", raw)
        self.name_bytes = len(raw)


def _sockaddr(address: Address) -> bytes:
    """``struct sockaddr_in`` or ``sockaddr_in6`` as Linux lays them out."""
    host, port = address[0], address[1]
    if ":" in host:
        packed = socket.inet_pton(socket.AF_INET6, host.partition("%")[0])
        return struct.pack("=H", socket.AF_INET6) + struct.pack("!HL16sL", port, 0, packed, 0)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(host))


class BatchEgress:
    """Protects each packet for its receiver and sends them together."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._fd = sock.fileno()
        self._count = 0
        self._length = private.new_length()
        self._memory, view = private.new_buffer(BATCH * STRIDE_BYTES)
        self._messages = _ffi.new("struct mmsghdr[]", BATCH)
        self._vectors = _ffi.new("struct iovec[]", BATCH)
        base = int(_ffi.cast("uintptr_t", _ffi.from_buffer(view)))
        self._views = [view[i * STRIDE_BYTES : (i + 1) * STRIDE_BYTES] for i in range(BATCH)]
        self._places = [private.pointer(base + i * STRIDE_BYTES) for i in range(BATCH)]
        self._heads = [self._messages[i].msg_hdr for i in range(BATCH)]
        self._iovs = [self._vectors[i] for i in range(BATCH)]
        for i in range(BATCH):
            self._iovs[i].iov_base = _ffi.cast("void *", base + i * STRIDE_BYTES)
            self._heads[i].msg_iov = self._vectors + i
            self._heads[i].msg_iovlen = 1
        self._send: Callable[[], None] = self._send_batch
        try:
            self._sendmmsg = _ffi.dlopen(None).sendmmsg
        except (AttributeError, OSError):
            self._send = self._send_one_by_one
        self._receivers: list[Any] = [None] * BATCH
        self.sent = 0
        self.lost = 0  # the socket would not take them

    def fan(self, plain: bytes, rows: list[Row]) -> None:
        """The packet to every row, with that row's SSRC."""
        size = len(plain)
        if size > STRIDE_BYTES - MAX_TRAILER_BYTES:
            return
        views, places, heads, iovs = self._views, self._places, self._heads, self._iovs
        length, protect, write_ssrc, receivers = (
            self._length,
            private.protect_rtp,
            _SSRC.pack_into,
            self._receivers,
        )
        i = self._count
        receiver: Any
        for receiver, ssrc in rows:
            if i == BATCH:
                self._count = i
                self.flush()
                i = 0
            view = views[i]
            view[:size] = plain
            write_ssrc(view, 8, ssrc)
            length[0] = size
            if protect(receiver.sending, places[i], length):
                continue
            iovs[i].iov_len = size + receiver.trailer_bytes
            head = heads[i]
            head.msg_name = receiver.name
            head.msg_namelen = receiver.name_bytes
            receivers[i] = receiver
            i += 1
        self._count = i

    def rtcp(self, sink: Any, compound: bytes) -> None:
        """One control datagram."""
        if sink.sending is None or len(compound) > STRIDE_BYTES - MAX_TRAILER_BYTES:
            return
        if self._count == BATCH:
            self.flush()
        i = self._count
        self._views[i][: len(compound)] = compound
        self._length[0] = len(compound)
        if private.protect_rtcp(sink.sending, self._places[i], self._length):
            return
        self._iovs[i].iov_len = self._length[0]
        self._heads[i].msg_name = sink.name
        self._heads[i].msg_namelen = sink.name_bytes
        self._receivers[i] = sink
        self._count = i + 1

    def datagram(self, data: bytes, address: Address) -> None:
        """Something that needs no protection: STUN, DTLS."""
        try:
            self._socket.sendto(data, address)
        except OSError:
            self.lost += 1

    def flush(self) -> None:
        """Send what has gathered."""
        if self._count:
            self._send()
            self._count = 0

    def _send_batch(self) -> None:
        done, count = 0, self._count
        while done < count:
            sent = self._sendmmsg(self._fd, self._messages + done, count - done, 0)
            if sent > 0:
                done += sent
                self.sent += sent
            elif _ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                if not select.select((), (self._fd,), (), FULL_PATIENCE_MS / 1000)[1]:
                    self.lost += count - done
                    return
            elif _ffi.errno != errno.EINTR:
                self.lost += 1  # this one address cannot be reached; the others can
                done += 1

    def _send_one_by_one(self) -> None:
        for i in range(self._count):
            try:
                self._socket.sendto(self._views[i][: self._iovs[i].iov_len], self._receivers[i].address)
                self.sent += 1
            except OSError:
                self.lost += 1
