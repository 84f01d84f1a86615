"""One outgoing numbering that continues across sources (RFC 3550 numbers, VP8 picture ids).

A receiver's slot keeps one SSRC for life. Whoever is shown in it, sequence numbers go on by one, the
timestamp by the time that passed, and the picture id by one: the decoder sees one encoder that made a
keyframe. What was shifted by how much is kept as segments, so that a late packet and a repeated one get
the numbers they would have had.
"""

from typing import Final, NamedTuple

from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.rtp import SEQ_MASK, TS_MASK, unwrap

KEPT_SEGMENTS: Final = 32


class Segment(NamedTuple):
    """How one source's numbers become ours, from ``first`` on. All shifts are added."""

    source: object
    first: int  # the source's index
    shift: int  # of the index
    timestamp_shift: int
    picture_shift: int
    layer_shift: int


class Numbering:
    """The numbers last given out, and the segments they came from."""

    __slots__ = ("_at", "_clock_hz", "_last", "_layer", "_newest", "_picture", "_timestamp", "segments")

    def __init__(self, clock_hz: int, seq: int, timestamp: int, picture: int) -> None:
        self._clock_hz = clock_hz
        self._last = seq & 0x7FFF  # the index last given out; starting low leaves room before the first wrap
        self._timestamp = timestamp & TS_MASK
        self._picture = picture & 0x3FFF
        self._layer = 0
        self._at: float | None = None
        self._newest = 0  # index of the newest packet of the present source
        self.segments: list[Segment] = []

    @property
    def started(self) -> bool:
        """Whether anything was given out yet."""
        return self._at is not None

    def copy(self) -> "Numbering":
        """The same numbers, to go another way from here."""
        twin = Numbering(self._clock_hz, 0, 0, 0)
        twin._last, twin._timestamp, twin._picture = self._last, self._timestamp, self._picture
        twin._layer, twin._at, twin._newest = self._layer, self._at, self._newest
        twin.segments = list(self.segments)
        return twin

    def timestamp_at(self, now: float) -> int:
        """What a packet sampled now would carry; for sender reports."""
        if self._at is None:
            return self._timestamp
        return (self._timestamp + int((now - self._at) * self._clock_hz)) & TS_MASK

    def splice(self, source: object, packet: SourcePacket, now: float) -> None:
        """From this packet on, ``source`` is what we number."""
        passed = max(1, round((now - self._at) * self._clock_hz)) if self._at is not None else 1
        layer = packet.descriptor.tl0 if packet.descriptor is not None else None
        self._append(
            Segment(
                source,
                packet.index,
                self._last + 1 - packet.index,
                (self._timestamp + passed - packet.timestamp) & TS_MASK,
                self._picture + 1 - packet.picture if packet.picture is not None else 0,
                self._layer + 1 - layer if layer is not None else 0,
            )
        )
        self._newest = packet.index - 1

    def place(self, packet: SourcePacket, now: float) -> Segment | None:
        """The segment that numbers this packet of the present source; None: it is from before the splice."""
        current = self.segments[-1]
        if packet.index > self._newest:
            self._newest = packet.index
            self._last = packet.index + current.shift
            self._timestamp = (packet.timestamp + current.timestamp_shift) & TS_MASK
            self._at = now
            if packet.picture is not None:
                self._picture = packet.picture + current.picture_shift
                if packet.descriptor is not None and packet.descriptor.tl0 is not None:
                    self._layer = (packet.descriptor.tl0 + current.layer_shift) & 0xFF
            return current
        for segment in reversed(self.segments):
            if segment.source is not current.source:
                return None
            if packet.index >= segment.first:
                return segment
        return None

    def close_gap(self, packet: SourcePacket) -> None:
        """Leave this packet out so that nobody misses it; only the newest can be left out unseen."""
        if packet.index != self._newest + 1:
            return
        current = self.segments[-1]
        self._newest = packet.index
        self._append(current._replace(first=packet.index + 1, shift=current.shift - 1))

    def origin(self, seq: int) -> tuple[Segment, int] | None:
        """Which source's packet was given this sequence number, if that is still known."""
        index = unwrap(seq, self._last, 16)
        if index > self._last:
            return None
        for segment in reversed(self.segments):
            if index >= segment.first + segment.shift:
                return segment, index - segment.shift
        return None

    def _append(self, segment: Segment) -> None:
        self.segments.append(segment)
        del self.segments[:-KEPT_SEGMENTS]


def shifted(packet: SourcePacket, segment: Segment) -> tuple[int, int]:
    """Sequence number and timestamp as the receiver sees them."""
    return (packet.index + segment.shift) & SEQ_MASK, (packet.timestamp + segment.timestamp_shift) & TS_MASK
