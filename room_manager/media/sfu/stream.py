"""One TCP connection as a way for datagrams: frames of RFC 4571, a bounded line of those that wait.

A client that takes them slowly lags alone: what cannot be sent waits here up to a bound, sound and control
ahead of pictures, and pictures that would wait too long are left out until the line is free again.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

from room_manager.media.sfu.ice import Address

MAX_FRAME_BYTES: Final = 2047
READ_BYTES: Final = 16_384  # a turn
PICTURE_BYTES: Final = 131_072  # pictures that wait; a large keyframe is half of it
URGENT_BYTES: Final = 32_768
WRITE_BYTES: Final = 65_536  # given to the kernel at once
UNSENT_BYTES: Final = 16_384  # the kernel keeps no more unsent: what lies there cannot be overtaken
HEAD_BYTES: Final = 2


class BadFrame(Exception):
    """The other end does not frame as RFC 4571 says."""


class Frames:
    """Cuts what arrives into frames. Keeps at most one that is not whole."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> list[bytes]:
        """The frames that are whole now. Raises :class:`BadFrame`; empty frames are left out."""
        whole = self._rest + data
        frames = []
        at = 0
        while at + HEAD_BYTES <= len(whole):
            size = whole[at] << 8 | whole[at + 1]
            if size > MAX_FRAME_BYTES:
                raise BadFrame("a frame is larger than any packet")
            end = at + HEAD_BYTES + size
            if end > len(whole):
                break
            if size:
                frames.append(whole[at + HEAD_BYTES : end])
            at = end
        self._rest = whole[at:]
        return frames


class Line:
    """Frames that wait to be written. Pure: it decides what goes next and what is left out."""

    __slots__ = ("_pictures", "_pictures_bytes", "_skipping", "_urgent", "_urgent_bytes", "dropped")

    def __init__(self) -> None:
        self._urgent: deque[bytes] = deque()
        self._pictures: deque[bytes] = deque()
        self._urgent_bytes = self._pictures_bytes = 0
        self._skipping = False
        self.dropped = 0

    def put(self, frame: bytes, *, urgent: bool) -> None:
        """Queue it, or leave it out."""
        if urgent:
            if self._urgent_bytes + len(frame) > URGENT_BYTES:
                self.dropped += 1
                return
            self._urgent.append(frame)
            self._urgent_bytes += len(frame)
            return
        if self._pictures_bytes + len(frame) > PICTURE_BYTES:
            self._skipping = True
        if self._skipping:
            self.dropped += 1
            return
        self._pictures.append(frame)
        self._pictures_bytes += len(frame)

    def take(self) -> bytes:
        """What to write next, up to ``WRITE_BYTES``; empty: nothing waits."""
        parts: list[bytes] = []
        room = WRITE_BYTES
        while self._urgent and room > 0:
            frame = self._urgent.popleft()
            self._urgent_bytes -= len(frame)
            parts.append(frame)
            room -= len(frame)
        while self._pictures and room > 0:
            frame = self._pictures.popleft()
            self._pictures_bytes -= len(frame)
            parts.append(frame)
            room -= len(frame)
        if not self._pictures:
            self._skipping = False
        return b"".join(parts)


class Stream:
    """One accepted connection. Compared by identity: it is its own origin."""

    def __init__(
        self,
        sock: socket.socket,
        address: Address,
        loop: asyncio.AbstractEventLoop,
        heard: Callable[["Stream", list[bytes]], None],
        ended: Callable[["Stream"], None],
    ) -> None:
        """``heard`` gets frames as they come; ``ended`` is told once, whoever ended it."""
        self.address = address
        self.closed = False
        self.broken = False  # ended because it did not frame as it must
        self._socket = sock
        self._loop = loop
        self._heard = heard
        self._ended = ended
        self._frames = Frames()
        self._line = Line()
        self._writing = memoryview(b"")
        self._waits = False  # for the socket to take more
        self._soon: asyncio.Handle | None = None
        loop.add_reader(sock.fileno(), self._readable)

    @property
    def dropped(self) -> int:
        """Packets that were left out because too many waited."""
        return self._line.dropped

    def put(self, packet: bytes | memoryview, *, urgent: bool = True) -> None:
        """Send it soon, or never. Does not block."""
        if self.closed:
            return
        self._line.put(len(packet).to_bytes(HEAD_BYTES, "big") + packet, urgent=urgent)
        if self._soon is None and not self._waits:
            self._soon = self._loop.call_soon(self._write)

    def close(self) -> None:
        """End it, trying once to send what waits. Idempotent."""
        if self.closed:
            return
        self._write()
        if not self.closed:
            self._end()

    def _write(self) -> None:
        self._soon = None
        while not self.closed:
            if not self._writing:
                self._writing = memoryview(self._line.take())
                if not self._writing:
                    self._wait(False)
                    return
            try:
                sent = self._socket.send(self._writing)
            except BlockingIOError:
                self._wait(True)
                return
            except OSError:
                self._end()
                return
            self._writing = self._writing[sent:]

    def _wait(self, waits: bool) -> None:
        if waits != self._waits:
            self._waits = waits
            if waits:
                self._loop.add_writer(self._socket.fileno(), self._write)
            else:
                self._loop.remove_writer(self._socket.fileno())

    def _readable(self) -> None:
        try:
            data = self._socket.recv(READ_BYTES)
            frames = self._frames.add(data)
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        except BadFrame:
            self.broken = True
            self._end()
            return
        if data:
            self._heard(self, frames)
        else:
            self._end()

    def _end(self) -> None:
        self.closed = True
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._wait(False)
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._line = Line()
        self._writing = memoryview(b"")
        self._ended(self)
