"""When packets came, by the kernel's clock, however late they are read: SSRC, size and time, nothing more."""

import socket
import struct
from array import array
from collections.abc import Iterator
from typing import Any, Final

from cffi import FFI

from benchmarks.drain import SO_TIMESTAMPNS

BATCH: Final = 64
HEAD: Final = struct.Struct("!BBHLL4x")
_WORDS: Final = 8  # 64 bytes of struct mmsghdr
_CONTROL_WORDS: Final = 4  # struct cmsghdr, then struct timespec

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


class Arrivals:
    """One reader for all sockets."""

    def __init__(self) -> None:
        self._heads = _ffi.new("char[]", BATCH * HEAD.size)
        self._vectors = _ffi.new("struct iovec[]", BATCH)
        self._messages = _ffi.new("struct mmsghdr[]", BATCH)
        self._controls = _ffi.new("long[]", BATCH * _CONTROL_WORDS)
        for i in range(BATCH):
            self._vectors[i].iov_base = self._heads + i * HEAD.size
            self._vectors[i].iov_len = HEAD.size
            header = self._messages[i].msg_hdr
            header.msg_iov = self._vectors + i
            header.msg_iovlen = 1
            header.msg_control = self._controls + i * _CONTROL_WORDS
        self._head_view = memoryview(_ffi.buffer(self._heads))
        self._words = memoryview(_ffi.buffer(self._messages)).cast("B").cast("Q")
        self._stamps = memoryview(_ffi.buffer(self._controls)).cast("B").cast("q")
        self._room = array("Q", [_CONTROL_WORDS * 8] * BATCH)
        self._recvmmsg = _ffi.dlopen(None).recvmmsg

    @staticmethod
    def stamp(sock: socket.socket) -> None:
        """Have the kernel note when packets come to it."""
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def of(self, sock: socket.socket) -> Iterator[tuple[int, int, int]]:
        """SSRC, bytes of the datagram and arrival in ns since 1970 of each RTP packet that waits."""
        fd, words, stamps = sock.fileno(), self._words, self._stamps
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC  # the real size, though we take a head only
        while True:
            words[5::_WORDS] = self._room
            got = self._recvmmsg(fd, self._messages, BATCH, flags, _ffi.NULL)
            for i, head in enumerate(HEAD.iter_unpack(self._head_view[: max(0, got) * HEAD.size])):
                if 128 <= head[0] < 192 and not 192 <= head[1] <= 223:
                    at = i * _CONTROL_WORDS + 2
                    yield head[4], words[i * _WORDS + 7], stamps[at] * 1_000_000_000 + stamps[at + 1]
            if got < BATCH:
                return
