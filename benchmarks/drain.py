"""Receivers that count: cheap enough for hundreds beside the unit on two cores.

Most sockets are emptied with ``recvmmsg`` into 24 bytes a packet: what is needed for numbers, and no more.
Some are read whole, decrypted, and tell how long ago each packet left its publisher.
"""

import socket
import struct
import time
from typing import Any, Final

from cffi import FFI

from room_manager.media.light import LightPeer
from room_manager.media.light_sdp import SEND_TIME_ID, TRANSPORT_WIDE_ID
from room_manager.media.sfu import private
from room_manager.media.sfu.rtp import Packet, looks_like_rtcp, unwrap
from room_manager.media.sfu.twcc import ArrivalRecorder

SO_TIMESTAMPNS: Final = 35  # <asm-generic/socket.h>; Python has no name for it
TIME: Final = struct.Struct("!Q")
STAMP: Final = struct.Struct("@qq")
HEAD: Final = struct.Struct("!BBHLLH2xBHB3sx")
"""RTP's header, then as :func:`~room_manager.media.sfu.render.rendered` writes them: what begins extensions,
the element of the transport-wide number, and that of the time of sending."""
ONE_BYTE: Final = 0xBEDE  # RFC 8285, section 4.2
SEND_TIME_S: Final = 64.0  # until it wraps
BATCH: Final = 64
BUFFER_BYTES: Final = 1 << 20
VP8_HEAD_BYTES: Final = 5

_ffi: Final[Any] = FFI()
_ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned msg_len; };
    int recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, void *timeout);
    """
)


class Counted:
    """One slot of one receiver."""

    __slots__ = ("first", "highest", "packets")

    def __init__(self) -> None:
        self.first: int | None = None
        self.highest = 0
        self.packets = 0

    def count(self, seq: int) -> None:
        if self.first is None:
            self.first = self.highest = seq
        else:
            index = unwrap(seq, self.highest, 16)
            self.highest = max(index, self.highest)
        self.packets += 1


class Receiver:
    """A connected light peer whose socket is read here."""

    def __init__(self, peer: LightPeer) -> None:
        self.peer = peer
        self.socket, self.keys = peer.lend()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        self.slots = {name: Counted() for name in peer.slots}
        self.by_ssrc = {arrived.ssrc: self.slots[name] for name, arrived in peer.slots.items()}
        self.arrivals: ArrivalRecorder | None = None  # to be told back
        self._sent = self._wraps_s = 0.0

    def arrived(self, number: int, sent: bytes) -> None:
        """As if it had been under way for no time at all: what a line does is not measured here."""
        sent_s = int.from_bytes(sent, "big") / (1 << 18)
        if sent_s < self._sent - SEND_TIME_S / 2:
            self._wraps_s += SEND_TIME_S
        self._sent = sent_s
        if self.arrivals is not None:
            self.arrivals.record(number, self._wraps_s + sent_s)


class Drain:
    """Empties sockets, a packet's head at a time."""

    def __init__(self) -> None:
        self._heads = _ffi.new("char[]", BATCH * HEAD.size)
        self._view = memoryview(_ffi.buffer(self._heads))
        self._vectors = _ffi.new("struct iovec[]", BATCH)
        self._messages = _ffi.new("struct mmsghdr[]", BATCH)
        for i in range(BATCH):
            self._vectors[i].iov_base = self._heads + i * HEAD.size
            self._vectors[i].iov_len = HEAD.size
            self._messages[i].msg_hdr.msg_iov = self._vectors + i
            self._messages[i].msg_hdr.msg_iovlen = 1
        self._recvmmsg = _ffi.dlopen(None).recvmmsg

    def empty(self, receiver: Receiver) -> None:
        """Count what has come."""
        by_ssrc, fd = receiver.by_ssrc, receiver.socket.fileno()
        while True:
            got = self._recvmmsg(fd, self._messages, BATCH, socket.MSG_DONTWAIT, _ffi.NULL)
            if got <= 0:
                return
            heads = HEAD.iter_unpack(self._view[: got * HEAD.size])
            for first, second, seq, _, ssrc, begins, element, number, next_element, sent in heads:
                if not 192 <= second <= 223:
                    counted = by_ssrc.get(ssrc)
                    if counted is not None:
                        counted.count(seq)
                    if (
                        receiver.arrivals is not None
                        and first & 0x10
                        and begins == ONE_BYTE
                        and (element >> 4, next_element >> 4) == (TRANSPORT_WIDE_ID, SEND_TIME_ID)
                    ):
                        receiver.arrived(number, sent)
            if got < BATCH:
                return

    def skip(self, fd: int) -> None:
        """Take what has come, and look at nothing."""
        while self._recvmmsg(fd, self._messages, BATCH, socket.MSG_DONTWAIT, _ffi.NULL) == BATCH:
            pass


class Verifier:
    """Reads one receiver's packets whole; a packet that does not open is counted as forged."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.added_s: list[float] = []
        self.opened = self.broken = 0
        self._memory, self._view = private.new_buffer(2048)
        self._length = private.new_length()
        receiver.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def readable(self) -> None:
        """Take what has come. The kernel says when it came, so our own slowness does not count."""
        sock = self.receiver.socket
        while True:
            try:
                size, extra, _, _ = sock.recvmsg_into([self._view], 64)
            except BlockingIOError:
                return
            if size < 12 or not 127 < self._view[0] < 192 or looks_like_rtcp(self._view):
                continue
            ssrc = int.from_bytes(self._view[8:12], "big")
            self._length[0] = size
            if private.unprotect_rtp(self.receiver.keys.receiving, self._memory, self._length):
                self.broken += 1
                continue
            packet = Packet(bytes(self._view[: self._length[0]]))
            counted = self.receiver.by_ssrc.get(ssrc)
            if counted is None:
                continue
            self.opened += 1
            counted.count(packet.seq)
            at = packet.start + (0 if counted is self.receiver.slots.get("audio-1") else VP8_HEAD_BYTES)
            left_ns = TIME.unpack_from(packet.data, at)[0]
            self.added_s.append((_stamp_ns(extra) - left_ns) / 1e9)


def _stamp_ns(extra: list[Any]) -> int:
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = STAMP.unpack_from(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
