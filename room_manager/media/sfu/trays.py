"""Memory laid out for the kernel: rows of receivers, each with the segments of one datagram.

Everything that can be set for all rows at once is set so, through views with a stride; only encryption is a
call per packet. Knows Linux' structures (``sendmmsg(2)``, ``udp(7)``) and nothing of rooms.
"""

import socket
import struct
from array import array
from typing import Any, Final

from cffi import FFI

from room_manager.media.sfu import private
from room_manager.media.sfu.audience import UNSHIFTED, Marks, Row
from room_manager.media.sfu.row_shifts import RowShifts
from room_manager.media.sfu.send_log import SendLogs

ROWS: Final = 64
SEGMENTS: Final = 16  # the kernel takes 64; beyond 16 there is nothing to gain
UDP_SEGMENT: Final = 103
SOL_UDP: Final = 17

_MESSAGE_WORDS: Final = 8  # 64 bytes of struct mmsghdr
_VECTOR_WORDS: Final = 2 * SEGMENTS
_SSRC_WORD: Final = 2  # the third of a packet
_CONTROL: Final = struct.Struct("=QiiH6x")  # struct cmsghdr and its value
_CONTROL_BYTES: Final = 18

ffi: Final[Any] = FFI()
ffi.cdef(
    """
    struct iovec { void *iov_base; size_t iov_len; };
    struct msghdr { void *msg_name; unsigned msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
                    void *msg_control; size_t msg_controllen; int msg_flags; };
    struct mmsghdr { struct msghdr msg_hdr; unsigned msg_len; };
    int sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags);
    """
)


def segmentation_offered(sock: socket.socket) -> bool:
    """Whether the kernel cuts datagrams for us (Linux 4.18 and later)."""
    try:
        sock.getsockopt(SOL_UDP, UDP_SEGMENT)
    except OSError:
        return False
    return True


class Batch:
    """Up to ``ROWS`` receivers with what their rows are filled from. Never changes."""

    __slots__ = (
        "handles",
        "logs",
        "name_sizes",
        "names",
        "receivers",
        "segmented",
        "shifts",
        "size",
        "ssrcs",
        "trailer_bytes",
    )

    def __init__(self, rows: list[Row], trailer_bytes: int, *, segmented: bool) -> None:
        """``rows`` have keys and an address, and are measured all or none."""
        self.size = len(rows)
        self.receivers: list[Any] = [row.sink for row in rows]
        logs = [row.log for row in rows if row.log is not None]
        self.logs = SendLogs(logs) if logs else None
        shifts = [row.shifts for row in rows]
        self.shifts = RowShifts(shifts) if any(each != UNSHIFTED for each in shifts) else None
        self.handles = [receiver.sending for receiver in self.receivers]
        self.names = array("Q", [receiver.name_at for receiver in self.receivers])
        self.name_sizes = array("Q", [receiver.name_bytes for receiver in self.receivers])
        self.ssrcs = array("I", [socket.htonl(row.ssrc) for row in rows])
        self.trailer_bytes = trailer_bytes
        self.segmented = segmented


class Tray:
    """``ROWS`` × ``SEGMENTS`` places for packets of up to ``stride_bytes``, and their messages."""

    def __init__(self, stride_bytes: int) -> None:
        self.stride_bytes = stride_bytes
        self._memory, self.view = private.new_buffer(ROWS * SEGMENTS * stride_bytes)
        self._words = self.view.cast("I")
        self._quads = self.view.cast("Q")
        base = int(ffi.cast("uintptr_t", ffi.from_buffer(self.view)))
        self._lengths, self._length_places = private.new_lengths(ROWS)
        self.messages = ffi.new("struct mmsghdr[]", ROWS)
        self.vectors = ffi.new("struct iovec[]", ROWS * SEGMENTS)
        self._message_words = memoryview(ffi.buffer(self.messages)).cast("B").cast("Q")
        self._vector_words = memoryview(ffi.buffer(self.vectors)).cast("B").cast("Q")
        self._control = ffi.new("char[]", _CONTROL.size)
        self._control_at = int(ffi.cast("uintptr_t", self._control))
        at = [[base + self.offset(row, seg) for row in range(ROWS)] for seg in range(SEGMENTS)]
        self.places = [[private.pointer(address) for address in of_segment] for of_segment in at]
        for seg, of_segment in enumerate(at):
            self._vector_words[2 * seg :: _VECTOR_WORDS] = array("Q", of_segment)
        for row in range(ROWS):
            self.messages[row].msg_hdr.msg_iov = self.vectors + row * SEGMENTS
        self._sizes = [0] * SEGMENTS
        self._shape = (0, 0)

    def offset(self, row: int, segment: int) -> int:
        """Where in the view a packet lies: segment by segment, so that copies are long."""
        return (segment * ROWS + row) * self.stride_bytes

    def fill(self, segment: int, plain: bytes, batch: Batch, marked: Marks, now: float) -> list[int]:
        """The packet in every row, with its SSRC, protected; returns what libsrtp says of each, 0 is fine."""
        view, stride, rows, size = self.view, self.stride_bytes, batch.size, len(plain)
        at = self.offset(0, segment)
        view[at : at + size] = plain
        filled = 1
        while filled < rows:  # each copy doubles what is there
            more = min(filled, rows - filled)
            begin = at + filled * stride
            view[begin : begin + more * stride] = view[at : at + more * stride]
            filled += more
        step = stride // 4
        word = at // 4 + _SSRC_WORD
        self._words[word : word + (rows - 1) * step + 1 : step] = batch.ssrcs
        if batch.shifts is not None:
            self._shift(at, plain, batch.shifts, rows, marked)
        if marked.number_at and batch.logs is not None:
            place = at + marked.number_at
            end = place + (rows - 1) * stride + 1
            high, low = batch.logs.depart(size + batch.trailer_bytes, now)
            view[place:end:stride] = high
            view[place + 1 : end + 1 : stride] = low
        self._lengths[:rows] = array("i", [size]) * rows
        return list(map(private.protect_rtp, batch.handles, self.places[segment], self._length_places))

    def _shift(self, at: int, plain: bytes, shifts: RowShifts, rows: int, marked: Marks) -> None:
        """Write the rows' own numbers; again everything through strides, the sums made at once."""
        stride = self.stride_bytes
        step = stride // 8
        self._quads[at // 8 : at // 8 + (rows - 1) * step + 1 : step] = shifts.heads(plain)
        if marked.picture_at:
            ids = shifts.pictures(plain, marked.picture_at)
            for byte in (0, 1):  # with VP9 the two lie at an odd place
                place = at + marked.picture_at + byte
                self.view[place : place + (rows - 1) * stride + 1 : stride] = ids[byte::2]
        if marked.layer_at:
            place = at + marked.layer_at
            self.view[place : place + (rows - 1) * stride + 1 : stride] = shifts.layers(
                plain, marked.layer_at
            )

    def address(self, batch: Batch, sizes: list[int]) -> None:
        """Messages for the batch's receivers: datagrams cut into these sizes."""
        words, rows, count = self._message_words, batch.size, len(sizes)
        end = rows * _MESSAGE_WORDS
        words[0:end:_MESSAGE_WORDS] = batch.names
        words[1:end:_MESSAGE_WORDS] = batch.name_sizes
        for segment, size in enumerate(sizes):
            if self._sizes[segment] != size:
                self._sizes[segment] = size
                self._vector_words[2 * segment + 1 :: _VECTOR_WORDS] = array("Q", [size]) * ROWS
        shape = (count, sizes[0] if count > 1 else 0)
        if shape != self._shape:
            self._shape = shape
            control_at, control_bytes = (self._control_at, _CONTROL.size) if count > 1 else (0, 0)
            for word, value in ((3, count), (4, control_at), (5, control_bytes)):
                words[word::_MESSAGE_WORDS] = array("Q", [value]) * ROWS
            ffi.buffer(self._control)[:] = _CONTROL.pack(_CONTROL_BYTES, SOL_UDP, UDP_SEGMENT, shape[1])

    def apart(self, row: int, count: int) -> Any:
        """The row's datagram as messages of their own, one per segment."""
        messages = ffi.new("struct mmsghdr[]", count)
        whole = self.messages[row].msg_hdr
        for segment in range(count):
            head = messages[segment].msg_hdr
            head.msg_name, head.msg_namelen = whole.msg_name, whole.msg_namelen
            head.msg_iov, head.msg_iovlen = self.vectors + row * SEGMENTS + segment, 1
        return messages
