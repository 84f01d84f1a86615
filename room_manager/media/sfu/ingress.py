"""Taking datagrams from the socket: many in one system call, each to a place of its own that is used again.

``BatchIngress`` asks for up to ``ROWS`` at once (``recvmmsg(2)``); ``PlainIngress`` says what that means,
datagram by datagram, on any system. Whoever reads a row may change it: packets are decrypted where they lie.
"""

import errno
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final

from room_manager.media.sfu import private
from room_manager.media.sfu.ice import Address
from room_manager.media.sfu.trays import ffi
from room_manager.media.sfu.udp import sockaddr

ROWS: Final = 64
ROW_BYTES: Final = 2048
TOO_LARGE: Final = ROW_BYTES  # a datagram that fills its row was cut

Origin = int | bytes
"""Where a datagram came from, as the kernel writes it: cheap to make, and good only for comparing."""

_NAME_BYTES: Final = 32
_NAME_WORDS: Final = _NAME_BYTES // 8
_MESSAGE_WORDS: Final = 16  # 64 bytes of struct mmsghdr, in fours
_NAME_SIZE_WORD: Final = 2
_LENGTH_WORD: Final = 14

ffi.cdef("int recvmmsg(int fd, struct mmsghdr *v, unsigned n, int flags, void *timeout);")


def origin_of(address: Address) -> Origin:
    """The origin that datagrams from this address have."""
    raw = sockaddr(address)
    return int.from_bytes(raw[:8], sys.byteorder) if len(raw) == 16 else raw


class PlainIngress:
    """Datagrams one by one."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        memory, self.view = private.new_buffer(ROWS * ROW_BYTES)
        self._memory = memory
        base = private.address_of(memory)
        self.places: list[Any] = [private.pointer(base + row * ROW_BYTES) for row in range(ROWS)]
        self._views = [self.view[row * ROW_BYTES : (row + 1) * ROW_BYTES] for row in range(ROWS)]
        self.sizes: list[int] = []
        self.origins: Sequence[Origin] = ()
        self._addresses: list[Address] = []

    def take(self) -> int:
        """Fill rows with what has come; returns how many. 0: nothing, and more will be told of."""
        self.sizes, self._addresses = [], []
        origins: list[Origin] = []
        for _ in range(ROWS):
            try:
                size, address = self._socket.recvfrom_into(self._views[len(self.sizes)])
            except BlockingIOError:
                break
            except OSError:  # an ICMP message about something we sent; there is no datagram with it
                continue
            self.sizes.append(size)
            self._addresses.append(address[:2])
            origins.append(origin_of(address[:2]))
        self.origins = origins
        return len(self.sizes)

    def firsts(self) -> bytes:
        """The first byte of each row; meaningless for an empty datagram."""
        return self.view[: len(self.sizes) * ROW_BYTES : ROW_BYTES].tobytes()

    def row(self, row: int) -> memoryview:
        """The whole place of a row."""
        return self._views[row]

    def datagram(self, row: int) -> memoryview:
        """What lies in a row."""
        return self._views[row][: self.sizes[row]]

    def address(self, row: int) -> Address:
        """Whom the row came from."""
        return self._addresses[row]


class BatchIngress(PlainIngress):
    """Up to ``ROWS`` datagrams a call. ``OSError`` where there is no ``recvmmsg``."""

    def __init__(self, sock: socket.socket) -> None:
        try:
            self._recvmmsg = ffi.dlopen(None).recvmmsg
        except AttributeError as error:
            raise OSError("no recvmmsg here") from error
        super().__init__(sock)
        self._fd = sock.fileno()
        self._six = sock.family == socket.AF_INET6
        self._messages = ffi.new("struct mmsghdr[]", ROWS)
        self._vectors = ffi.new("struct iovec[]", ROWS)
        self._names, self._name_view = private.new_buffer(ROWS * _NAME_BYTES)
        self._name_words = self._name_view.cast("Q")
        for row in range(ROWS):
            self._vectors[row].iov_base = self.places[row]
            self._vectors[row].iov_len = ROW_BYTES
            head = self._messages[row].msg_hdr
            head.msg_iov, head.msg_iovlen = self._vectors + row, 1
            head.msg_name, head.msg_namelen = self._names + row * _NAME_BYTES, _NAME_BYTES
        self._words = memoryview(ffi.buffer(self._messages)).cast("B").cast("I")

    def take(self) -> int:
        """See :meth:`PlainIngress.take`."""
        count = 0
        for _ in range(ROWS):
            count = self._recvmmsg(self._fd, self._messages, ROWS, socket.MSG_DONTWAIT, ffi.NULL)
            if count >= 0:
                break
            count = 0
            if ffi.errno == errno.EAGAIN:
                break  # else a signal, or an ICMP message about something we sent, each told once
        end = count * _MESSAGE_WORDS
        self.sizes = self._words[_LENGTH_WORD:end:_MESSAGE_WORDS].tolist()
        if self._six:
            self.origins = [self._raw(row) for row in range(count)]
        else:
            self.origins = self._name_words[: count * _NAME_WORDS : _NAME_WORDS].tolist()
        return count

    def address(self, row: int) -> Address:
        """See :meth:`PlainIngress.address`."""
        at = row * _NAME_BYTES
        raw = bytes(self._name_view[at : at + 24])
        if self._six:
            return socket.inet_ntop(socket.AF_INET6, raw[8:]), raw[2] << 8 | raw[3]
        return socket.inet_ntop(socket.AF_INET, raw[4:8]), raw[2] << 8 | raw[3]

    def _raw(self, row: int) -> bytes:
        """``struct sockaddr_in6`` but the flow label and the scope, which tell no two ends apart for us."""
        at = row * _NAME_BYTES
        return (
            bytes(self._name_view[at : at + 4])
            + bytes(4)
            + bytes(self._name_view[at + 8 : at + 24])
            + bytes(4)
        )


def quickest(sock: socket.socket) -> PlainIngress:
    """The fastest ingress this system has."""
    try:
        return BatchIngress(sock)
    except OSError:
        return PlainIngress(sock)
