"""The fast egress: many receivers per system call, and where a frame has several packets, fewer datagrams.

Packets of one audience are gathered until their frame is whole or a moment has passed. Then every receiver
gets them as one datagram that the kernel cuts into packets (``UDP_SEGMENT``), as long as they are equally
large; only the last may be shorter. A receiver whose path refuses that gets them one by one from then on.

A frame to hundreds takes ten milliseconds. It goes out in slices, between which others get a turn; sound goes
at once and so overtakes pictures, but what goes to one audience keeps its order.
"""

import errno
import select
import socket
import time
from collections import deque
from typing import Any, Final

from room_manager.media.sfu import private
from room_manager.media.sfu.audience import UNMARKED, UNSHIFTED, Audience, Marks, Row
from room_manager.media.sfu.datagrams import evened, runs
from room_manager.media.sfu.ice import Address
from room_manager.media.sfu.srtp import MAX_TRAILER_BYTES
from room_manager.media.sfu.trays import ROWS, Batch, Tray, ffi, segmentation_offered
from room_manager.media.sfu.udp import MAX_PLAIN_BYTES, PlainEgress

STRIDES_BYTES: Final = (256, 1280, 2048)
MAX_GATHERED: Final = 64  # packets of one audience
MAX_FRAMES: Final = 16  # on their way; beyond that there is no waiting for slices
SLICE_S: Final = 0.002
FULL_PATIENCE_MS: Final = 5
REFUSALS: Final = frozenset({errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT})


class Gathered:
    """What waits for one audience."""

    __slots__ = ("marks", "more", "plains", "rows")

    def __init__(self, rows: Audience) -> None:
        self.rows = rows
        self.plains: list[bytes] = []
        self.marks: list[Marks] = []
        self.more = False


class Frame:
    """A whole frame on its way: which batch is next."""

    __slots__ = ("at", "batches", "counts", "marks", "plains", "rows")

    def __init__(self, gathered: Gathered, batches: list[Batch], counts: list[int] | None) -> None:
        self.rows, self.plains, self.marks = gathered.rows, gathered.plains, gathered.marks
        self.batches = batches
        self.counts = counts
        self.at = 0


class BatchEgress:
    """Protects each packet for its receiver and sends them together."""

    def __init__(self, sock: socket.socket, *, segmented: bool = True, slice_s: float = SLICE_S) -> None:
        """``segmented`` False: the kernel never cuts. ``slice_s``: sending has a turn of about this length.

        ``OSError`` where there is no ``sendmmsg``.
        """
        try:
            self._sendmmsg = ffi.dlopen(None).sendmmsg
        except AttributeError as error:
            raise OSError("no sendmmsg here") from error
        self._socket = sock
        self._fd = sock.fileno()
        self._trays = [Tray(stride) for stride in STRIDES_BYTES]
        self._length = private.new_length()
        self._segmented = segmented and segmentation_offered(sock)
        self._shape = 0  # how often what audiences were cut into has changed
        self._streams = PlainEgress(sock)  # for receivers whose way is TCP
        self._gathered: dict[int, Gathered] = {}
        self._frames: deque[Frame] = deque()
        self._slice_s = slice_s
        self._controls: list[tuple[Any, bytes]] = []
        self.sent = 0  # packets
        self.lost = 0  # the socket would not take them

    def fan(self, plain: bytes, rows: Audience, marked: Marks = UNMARKED, *, more: bool = False) -> None:
        """See :class:`Egress`."""
        if len(plain) > MAX_PLAIN_BYTES:
            return
        waiting = self._gathered.get(id(rows))
        if waiting is None:
            if rows.derived is None and self._waits_for(rows):
                self.flush()
            waiting = self._gathered[id(rows)] = Gathered(rows)
        elif len(waiting.plains) >= MAX_GATHERED:
            self._finish()
            self._send_all(waiting)
            waiting.plains, waiting.marks = [], []
        waiting.plains.append(plain)
        waiting.marks.append(marked)
        waiting.more = more

    def rtcp(self, sink: Any, compound: bytes) -> None:
        """One control datagram."""
        if sink.stream is not None:
            self._streams.rtcp(sink, compound)
        elif sink.sending is not None and len(compound) <= MAX_PLAIN_BYTES:
            self._controls.append((sink, compound))
            if len(self._controls) == ROWS:
                self._send_controls()

    def datagram(self, data: bytes | memoryview, address: Address) -> None:
        """Something that needs no protection: STUN, DTLS."""
        try:
            self._socket.sendto(data, address)
        except OSError:
            self.lost += 1

    def flush(self) -> None:
        """Send what has gathered, all of it now."""
        self._finish()
        gathered, self._gathered = self._gathered, {}
        for waiting in gathered.values():
            self._send_all(waiting)
        self._send_controls()

    def flush_whole(self, *, parts: bool = False) -> bool:
        """Send what has gathered but frames of which more is to come; returns whether any such are kept.

        Sound leaves now, and what goes to few; of other pictures a slice, the rest is for :meth:`go_on`.
        ``parts``: keep none.
        """
        for key, waiting in list(self._gathered.items()):
            if parts or not waiting.more:
                del self._gathered[key]
                if len(waiting.rows) <= ROWS or _is_sound(waiting):
                    self._send_all(waiting)
                else:
                    self._frames.append(self._begin(waiting))
        self._send_controls()
        if len(self._frames) > MAX_FRAMES:
            self._finish()
        self.go_on()
        return bool(self._gathered)

    def go_on(self) -> bool:
        """Another slice of what is on its way; returns whether more of it is left."""
        until = time.monotonic() + self._slice_s
        while self._frames:
            self._send_batch()
            if time.monotonic() >= until:
                break
        return bool(self._frames)

    @property
    def unfinished(self) -> bool:
        """Whether :meth:`go_on` has something to do."""
        return bool(self._frames)

    def _finish(self) -> None:
        while self._frames:
            self._send_batch()

    def _send_all(self, waiting: Gathered) -> None:
        frame = self._begin(waiting)
        for batch in frame.batches:
            self._send_to(batch, frame)

    def _begin(self, waiting: Gathered) -> Frame:
        """Cut it, and serve those who get it over TCP."""
        batches, streamed = self._batches(waiting.rows)
        for plain, marks in zip(waiting.plains, waiting.marks, strict=True) if streamed else ():
            self._streams.fan(plain, streamed, marks)
            self.sent += len(streamed)
        counts = None
        if len(waiting.plains) > 1 and self._segmented:
            waiting.plains = evened(waiting.plains)
            counts = runs([len(plain) for plain in waiting.plains])
        return Frame(waiting, batches, counts)

    def _send_batch(self) -> None:
        """The oldest frame to its next batch."""
        frame = self._frames[0]
        if frame.at < len(frame.batches):
            self._send_to(frame.batches[frame.at], frame)
            frame.at += 1
        if frame.at == len(frame.batches):
            self._frames.popleft()

    def _send_to(self, batch: Batch, frame: Frame) -> None:
        plains, marked = frame.plains, frame.marks
        if frame.counts is None or not batch.segmented:
            for plain, marks in zip(plains, marked, strict=True):
                self._send_run([plain], [marks], batch)
            return
        at = 0
        for count in frame.counts:
            self._send_run(plains[at : at + count], marked[at : at + count], batch)
            at += count

    def _waits_for(self, rows: Audience) -> bool:
        """Whether packets wait that some of these get, who have come from another audience."""
        if not self._frames and not self._gathered:
            return False
        coming = rows.ssrcs
        waiting = [*(frame.rows for frame in self._frames), *(each.rows for each in self._gathered.values())]
        return not all(coming.isdisjoint(known.ssrcs) for known in waiting)

    def switched(self) -> None:
        """A receiver is about to change between UDP and TCP."""
        self._finish()
        self._shape += 1

    def _batches(self, rows: Audience) -> tuple[list[Batch], Audience]:
        """The audience cut into batches, and who gets it over TCP; kept with it until that changes."""
        derived = rows.derived
        if derived is not None and derived[0] == (self, self._shape):
            return derived[1]  # type: ignore[no-any-return]
        kinds: dict[tuple[bool, int, bool, bool], list[Row]] = {}
        streamed: list[Row] = []
        for row in rows:
            receiver: Any = row.sink
            if receiver.stream is None:
                shifted, measured = row.shifts != UNSHIFTED, row.log is not None
                kind = (receiver.takes_segments, receiver.trailer_bytes, shifted, measured)
                kinds.setdefault(kind, []).append(row)
            else:
                streamed.append(row)
        batches = [
            Batch(alike[at : at + ROWS], trailer_bytes, segmented=segmented)
            for (segmented, trailer_bytes, _, _), alike in kinds.items()
            for at in range(0, len(alike), ROWS)
        ]
        cut = batches, Audience(streamed)
        rows.derived = ((self, self._shape), cut)
        return cut

    def _send_run(self, plains: list[bytes], marked: list[Marks], batch: Batch) -> None:
        """One datagram per receiver, with these packets as its segments."""
        needed = len(plains[0]) + MAX_TRAILER_BYTES
        tray = next(tray for tray in self._trays if tray.stride_bytes >= needed)
        failed: set[int] = set()
        now = time.monotonic()
        for segment, plain in enumerate(plains):
            statuses = tray.fill(segment, plain, batch, marked[segment], now)
            if any(statuses):
                failed.update(row for row, status in enumerate(statuses) if status)
        tray.address(batch, [len(plain) + batch.trailer_bytes for plain in plains])
        begin = 0
        for row in sorted(failed):
            self._send(tray, batch, begin, row, len(plains))
            begin = row + 1
        self._send(tray, batch, begin, batch.size, len(plains))

    def _send(self, tray: Tray, batch: Batch, begin: int, end: int, segments: int) -> None:
        while begin < end:
            sent = self._sendmmsg(self._fd, tray.messages + begin, end - begin, 0)
            if sent > 0:
                begin += sent
                self.sent += sent * segments
                continue
            reason = ffi.errno
            if reason in (errno.EAGAIN, errno.ENOBUFS):
                if not self._room():
                    self.lost += (end - begin) * segments
                    return
            elif segments > 1 and reason in REFUSALS:
                batch.receivers[begin].takes_segments = False
                self._shape += 1
                self._send_apart(tray.apart(begin, segments), segments)
                begin += 1
            elif reason != errno.EINTR:
                self.lost += segments  # this one address cannot be reached; the others can
                begin += 1

    def _send_apart(self, messages: Any, count: int) -> None:
        done = 0
        while done < count:
            sent = self._sendmmsg(self._fd, messages + done, count - done, 0)
            if sent > 0:
                done += sent
                self.sent += sent
            elif ffi.errno != errno.EINTR and not (
                ffi.errno in (errno.EAGAIN, errno.ENOBUFS) and self._room()
            ):
                self.lost += 1
                done += 1

    def _send_controls(self) -> None:
        if not self._controls:
            return
        controls, self._controls = self._controls, []
        tray = self._trays[-1]
        for sink, compound in controls:
            self._length[0] = len(compound)
            tray.view[: len(compound)] = compound
            if private.protect_rtcp(sink.sending, tray.places[0][0], self._length):
                continue
            self.datagram(tray.view[: self._length[0]], sink.address)
            self.sent += 1

    def _room(self) -> bool:
        """Wait a moment for the socket to take more."""
        return bool(select.select((), (self._fd,), (), FULL_PATIENCE_MS / 1000)[1])


def _is_sound(waiting: Gathered) -> bool:
    receiver: Any = waiting.rows[0].sink
    return waiting.plains[0][1] & 0x7F in receiver.sound_types
