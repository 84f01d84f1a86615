"""How a lane numbers what it carries of one source: what it leaves out leaves no gap.

The source's indices are shifted so that padding and left-out temporal layers are not missed. What was
shifted from where on is kept as segments, so that a late packet and a repeated one get the numbers they
would have had, and a number asked for is found again.
"""

from typing import Final, NamedTuple

from room_manager.media.sfu.gaps import MAX_JUMP
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.rtp import TS_MASK

KEPT_SEGMENTS: Final = 64
PICTURE_MASK: Final = 0x7FFF


class Numbers(NamedTuple):
    """What one packet carries. ``seq`` is without wrap, the others wrap."""

    seq: int
    timestamp: int
    picture: int
    layer: int
    at: float  # when it was sent


class Segment(NamedTuple):
    """How the source's numbers become the lane's, from the source's index ``first`` on. Shifts are added."""

    first: int
    shift: int  # of the index
    timestamp_shift: int
    picture_shift: int
    layer_shift: int

    def numbers(self, packet: SourcePacket, at: float) -> Numbers:
        """What the packet is given."""
        picture, found = packet.picture, packet.descriptor
        layer = found.tl0 if found is not None else None
        return Numbers(
            packet.index + self.shift,
            packet.timestamp + self.timestamp_shift & TS_MASK,
            picture + self.picture_shift & PICTURE_MASK if picture is not None else 0,
            layer + self.layer_shift & 0xFF if layer is not None else 0,
            at,
        )


class Numbering:
    """The numbers last given out, and the segments they came from."""

    __slots__ = ("_at", "_last", "_layer", "_picture", "_seen", "_timestamp", "newest", "segments")

    def __init__(self) -> None:
        self._last = 0  # the index last given out, or kept for one that is missing
        self._timestamp = 0
        self._picture = 0
        self._layer = 0
        self._at = 0.0
        self._seen = 0  # the source's newest picture
        self.newest = 0  # the source's index of its newest packet
        self.segments: list[Segment] = []

    @property
    def last(self) -> Numbers:
        """The numbers last given out; the next packet may have those that follow."""
        return Numbers(self._last, self._timestamp, self._picture & PICTURE_MASK, self._layer, self._at)

    def begin(self, packet: SourcePacket, first: Numbers) -> None:
        """Give these numbers to this packet and go on from there."""
        picture, found = packet.picture, packet.descriptor
        layer = found.tl0 if found is not None else None
        self.segments.append(
            Segment(
                packet.index,
                first.seq - packet.index,
                first.timestamp - packet.timestamp & TS_MASK,
                first.picture - picture if picture is not None else 0,
                first.layer - layer & 0xFF if layer is not None else 0,
            )
        )
        self.newest = packet.index - 1
        self._last, self._timestamp, self._at = first.seq - 1, first.timestamp, first.at
        self._picture, self._layer = first.picture, first.layer
        self._seen = picture - 1 if picture is not None else 0

    def segment(self, packet: SourcePacket) -> Segment | None:
        """What numbers this packet; None: it is from before the beginning, or too old."""
        for segment in reversed(self.segments):
            if packet.index >= segment.first:
                return segment
        return None

    def place(self, packet: SourcePacket, now: float) -> Segment | None:
        """The same, and the packet goes out now."""
        picture = packet.picture
        if packet.index > self.newest:
            self._shorten(packet.index)
            given = self.segments[-1]
            self.newest = packet.index
            self._last = packet.index + given.shift
        else:
            late = self.segment(packet)
            # Late, but of a picture of which nothing has come: what was newer was padding.
            if late is None or picture is None or picture <= self._seen:
                return late
            given = late
        self._timestamp = packet.timestamp + given.timestamp_shift & TS_MASK
        self._at = now
        if picture is not None:
            self._seen = max(self._seen, picture)
            self._picture = max(self._picture, self._seen + given.picture_shift)
            found = packet.descriptor
            if found is not None and found.tl0 is not None:
                self._layer = found.tl0 + given.layer_shift & 0xFF
        return given

    def leave_out(self, packet: SourcePacket) -> None:
        """Nobody shall miss this packet: what follows closes up. A late one leaves its number empty."""
        index = packet.index
        if index <= self.newest:
            return
        self._shorten(index)
        current = self.segments[-1]
        pictures = 0
        if packet.picture is not None and packet.picture > self._seen:
            pictures, self._seen = 1, packet.picture
            self._picture = max(self._picture, packet.picture + current.picture_shift - 1)
        elif packet.picture is None and index > self.newest + 1:
            # What is missing may be pictures nothing has come of; they keep their numbers, too.
            missing = index - self.newest - 1
            self._picture = max(self._picture, self._seen + current.picture_shift + missing)
        changed = current._replace(
            first=index + 1, shift=current.shift - 1, picture_shift=current.picture_shift - pictures
        )
        if current.first == index:  # nothing was numbered by it
            self.segments[-1] = changed
        else:
            self.segments.append(changed)
            del self.segments[:-KEPT_SEGMENTS]
        self._last = index - 1 + current.shift  # what is missing before it keeps its place
        self.newest = index

    def _shorten(self, index: int) -> None:
        """Leave no longer gap than is ever asked for, whatever the source jumps.

        A receiver that misses 32,768 numbers of a stream loses count of their wraps, and with it the keys
        (RFC 3711, section 3.3.1), for life. What was before is neither late nor asked for any more.
        """
        excess = index - self.newest - 1 - MAX_JUMP
        if excess > 0:
            current = self.segments[-1]
            self.segments = [current._replace(first=index, shift=current.shift - excess)]

    def origin(self, index: int) -> tuple[Segment, int] | None:
        """The source's index that was given this one, if that is still known."""
        if index > self._last:
            return None
        for segment in reversed(self.segments):
            if index >= segment.first + segment.shift:
                return segment, index - segment.shift
        return None
