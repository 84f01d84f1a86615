"""One stream of a publisher: its microphone, its screen, or one simulcast layer of its camera.

Owns what is true of the stream alone: its indices, losses, arrival statistics and recent packets.
Knows which lanes it feeds, not who is in them.
"""

from typing import TYPE_CHECKING, Final, Literal

from room_manager.media.sfu.gaps import Gaps
from room_manager.media.sfu.history import History
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.rtcp import Block
from room_manager.media.sfu.rtp import SEQ_MASK, unwrap

if TYPE_CHECKING:
    from room_manager.media.sfu.lane import Lane
    from room_manager.media.sfu.member import Member

Role = Literal["microphone", "camera", "screen"]

ALIVE_S: Final = 0.5
"""A layer silent for longer is taken to be switched off; cameras give 7 frames/s or more."""

STEADY_S: Final = 0.5
"""A layer that came back is trusted after this long."""


class Track:
    """One incoming stream."""

    __slots__ = (
        "_base",
        "_jitter",
        "_last_report",
        "_last_report_at",
        "_marked",
        "_picture",
        "_reported",
        "_tallied",
        "_transit",
        "alive_since",
        "awaited",
        "base_octets",
        "base_received",
        "clock_hz",
        "codec",
        "gaps",
        "heard_at",
        "history",
        "lanes",
        "newest",
        "octets",
        "owner",
        "peers",
        "received",
        "rid",
        "role",
        "ssrc",
    )

    def __init__(self, role: Role, rid: str, ssrc: int, codec: str, clock_hz: int) -> None:
        self.owner: Member | None = None
        self.role: Role = role
        self.rid = rid
        self.ssrc = ssrc
        self.codec = codec
        self.clock_hz = clock_hz
        self.lanes: list[Lane] = []
        self.peers: tuple[int, ...] = ()  # other workers that are passed it
        self.gaps = Gaps()
        self.history = History()
        self.awaited = False  # some slot waits for a packet to enter one of the lanes with
        self.newest: int | None = None
        self.received = self.base_received = 0  # packets; and those of the lowest temporal layer
        self.octets = self.base_octets = 0  # of their payloads
        self.heard_at = 0.0
        self.alive_since = 0.0
        self._base = 0
        self._marked = False  # the newest packet ended a frame
        self._picture = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._reported = (0, 0)
        self._tallied = (0, 0)
        self._last_report = 0
        self._last_report_at = 0.0

    def take(self, packet: SourcePacket, now: float, *, repaired: bool = False) -> bool:
        """Number the packet. False: it is of no use (a repeat nobody missed)."""
        if self.newest is None:
            if repaired:
                return False
            self.newest = self._base = packet.index = packet.seq
            self.alive_since = now
        else:
            packet.index = unwrap(packet.seq, self.newest, 16)
            if packet.index > self.newest:
                if packet.index > self.newest + 1 and (self.lanes or self.peers):
                    self.gaps.jumped(self.newest, packet.index, now)
                self.newest = packet.index
            elif (not self.gaps.filled(packet.index) and repaired) or self.history.get(packet.index):
                return False
        packet.look_inside(self.codec)
        if packet.index == self.newest:
            packet.starts = packet.starts or self._marked
            self._marked = bool(packet.marker)
        found = packet.descriptor
        if found is not None and found.picture_id is not None:
            packet.picture = unwrap(found.picture_id, self._picture, found.picture_id_bits)
            if packet.index == self.newest:
                self._picture = packet.picture
        if now - self.heard_at > ALIVE_S:
            self.alive_since = now
            if self.role != "microphone" and self.owner is not None:
                self.owner.returned = True
        self.heard_at = now
        if not repaired:  # a repair does not undo that the line lost it
            self.received += 1
            size = packet.end - packet.start
            self.octets += size
            if not packet.temporal:
                self.base_received += 1
                self.base_octets += size
            self._measure(packet.timestamp, now)
        return True

    def keep(self, packet: SourcePacket) -> None:
        """Remember a picture's packet that somebody is sent: it may be asked for again, or come again."""
        if self.lanes and self.role != "microphone":
            self.history.keep(packet)

    def alive(self, now: float) -> bool:
        """Whether its sender is still sending it."""
        return self.newest is not None and now - self.heard_at <= ALIVE_S

    def steady(self, now: float) -> bool:
        """Alive, and for long enough to be worth switching to."""
        return self.alive(now) and now - self.alive_since >= STEADY_S

    def unwatched(self) -> None:
        """Nobody needs what was kept to repair it."""
        self.gaps.clear()
        self.history.clear()

    def sender_reported(self, ntp: int, now: float) -> None:
        """The publisher's clock report came; our next block refers to it."""
        self._last_report = ntp >> 16 & 0xFFFFFFFF
        self._last_report_at = now

    def block(self, now: float) -> Block | None:
        """The receiver report block since the last one (RFC 3550, section 6.4 and appendix A.3)."""
        if self.newest is None:
            return None
        expected = self.newest - self._base + 1
        new_expected, new_received = expected - self._reported[0], self.received - self._reported[1]
        self._reported = (expected, self.received)
        lost_now = max(0, new_expected - new_received)
        fraction = min(255, lost_now * 256 // new_expected) if new_expected > 0 else 0
        return Block(
            self.ssrc,
            fraction,
            max(-0x800000, min(0x7FFFFF, expected - self.received)),
            self.newest & 0xFFFFFFFF,
            int(self._jitter),
            self._last_report,
            int((now - self._last_report_at) * 65536) if self._last_report else 0,
        )

    def tally(self) -> tuple[int, int]:
        """Packets expected and lost since the last tally."""
        if self.newest is None:
            return 0, 0
        expected = self.newest - self._base + 1
        before, self._tallied = self._tallied, (expected, self.received)
        return expected - before[0], expected - before[0] - (self.received - before[1])

    def missing(self, now: float) -> list[int]:
        """Sequence numbers to ask the publisher for now."""
        return [index & SEQ_MASK for index in self.gaps.due(now)]

    def _measure(self, timestamp: int, now: float) -> None:
        """Interarrival jitter (RFC 3550, section 6.4.1)."""
        transit = now * self.clock_hz - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            if change < self.clock_hz * 10:  # beyond that the timestamp has wrapped
                self._jitter += (change - self._jitter) / 16
        self._transit = transit
