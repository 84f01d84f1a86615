"""One outgoing stream of one receiver: an SSRC for life, and numbers that go on whatever it shows.

A slot is in one lane at a time. Its numbers are the lane's with shifts of its own, chosen when it enters so
that they follow those it had. Per packet nobody looks at slots: when one leaves, its last numbers follow
from its lane's. Where it was is remembered for a while, to find a packet that is asked for again.
"""

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from room_manager.ids import SiteId
from room_manager.media.sfu.audience import UNSHIFTED, Audience, Row, Shifts, Sink
from room_manager.media.sfu.negotiation import WALL, Receiving
from room_manager.media.sfu.numbering import PICTURE_MASK, Numbers
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.rtp import SEQ_MASK, TS_MASK, unwrap
from room_manager.media.sfu.send_log import SendLog

if TYPE_CHECKING:
    from room_manager.media.sfu.groups import Group
    from room_manager.media.sfu.lane import Lane
    from room_manager.media.sfu.line.line import Line

KEPT_STAYS: Final = 8


class Limit(NamedTuple):
    """The most a slot may show. Less is shown where less is sent, or where the slot is a small one."""

    layer: str | None = "f"  # the largest simulcast layer: q, h, f; None: nothing at all
    temporal: int | None = None  # the highest temporal layer; None: all


UNLIMITED: Final = Limit()


class Stay(NamedTuple):
    """From which of our indices on the slot was in which lane. ``shift`` is of the index, without wrap."""

    first: int
    lane: "Lane"
    shift: int
    shifts: Shifts


class Slot:
    """What one section of a receiver carries, and how its numbers stand to its lane's."""

    __slots__ = (
        "_left",
        "_octets",
        "_packets",
        "_stays",
        "format",
        "group",
        "lane",
        "limit",
        "log",
        "measuring",
        "mid",
        "name",
        "on_wall",
        "paced",
        "repair_seq",
        "repair_ssrc",
        "repairs",
        "sink",
        "site",
        "ssrc",
        "watched",
    )

    def __init__(self, receiving: Receiving, site: SiteId | None, sink: Sink) -> None:
        """``site`` is whose receiver this is: it must not see itself."""
        self.name = receiving.slot
        self.mid = receiving.mid
        self.format = receiving.format
        self.ssrc = receiving.ssrc
        self.repair_ssrc = receiving.repair_ssrc
        self.repair_seq = receiving.ssrc & 0x7FFF
        self.repairs: Audience | None = None  # who gets what is sent again
        self.site = site
        self.sink = sink
        self.limit = UNLIMITED
        self.log: SendLog | None = None  # of the receiver, since its line was first measured
        self.measuring = False
        self.on_wall = self.name.startswith(WALL)
        self.paced: Line | None = None  # whose pictures wait for their turn
        self.watched: SiteId | None = None  # what a wall slot shows
        self.group: Group | None = None
        self.lane: Lane | None = None
        self._stays: deque[Stay] = deque(maxlen=KEPT_STAYS)
        self._left: Numbers | None = None
        self._packets = self._octets = 0  # before the present lane, less what that had sent to others

    @property
    def measured(self) -> bool:
        """Whether its packets should carry transport-wide numbers."""
        return self.measuring and self.format.transport_wide is not None

    @property
    def first(self) -> int:
        """The lane's index of the first packet this slot got in it."""
        stay = self._stays[-1]
        return stay.first - stay.shift

    def row(self, *, measured: bool) -> Row:
        """This receiver as its present lane's audience has it."""
        return Row(self.sink, self.ssrc, self._stays[-1].shifts, self.log if measured else None)

    @property
    def last(self) -> Numbers | None:
        """The numbers last given to this receiver, or kept for what is missing; None: none ever were."""
        if self.lane is None:
            return self._left
        index, timestamp, picture, layer, at = self.lane.numbering.last
        _, _, shift, shifts = self._stays[-1]
        return Numbers(
            index + shift,
            timestamp + shifts.timestamp & TS_MASK,
            picture + shifts.picture & PICTURE_MASK,
            layer + shifts.layer & 0xFF,
            at,
        )

    def upcoming(self, lane: "Lane", packet: SourcePacket, now: float) -> Numbers | None:
        """What this packet should carry if the slot entered the lane with it; None: it is free."""
        last = self.last
        if last is None:
            return None
        before = self.lane
        if before is not None and before.track is lane.track:  # the same clock goes on
            shifts = self._stays[-1].shifts
            there = before.numbering.segments[-1].numbers(packet, now)
            timestamp, layer = there.timestamp + shifts.timestamp, there.layer + shifts.layer
        else:
            timestamp = last.timestamp + max(1, round((now - last.at) * self.format.clock_hz))
            layer = last.layer + 1
        return Numbers(last.seq + 1, timestamp & TS_MASK, last.picture + 1 & PICTURE_MASK, layer & 0xFF, now)

    def enter(self, lane: "Lane", given: Numbers, wanted: Numbers | None) -> None:
        """Be in the lane from the packet on that it gives ``given``, and that shall have ``wanted`` here."""
        self.leave()
        if wanted is None or wanted[:4] == given[:4]:
            shift, shifts, first = 0, UNSHIFTED, given.seq
        else:
            first = wanted.seq
            shift = first - given.seq
            shifts = Shifts(
                shift & SEQ_MASK,
                wanted.timestamp - given.timestamp & TS_MASK,
                wanted.picture - given.picture & PICTURE_MASK,
                wanted.layer - given.layer & 0xFF,
            )
        self._stays.append(Stay(first, lane, shift, shifts))
        self._packets -= lane.packets
        self._octets -= lane.octets
        self.lane = lane
        lane.take_in(self)

    def leave(self) -> None:
        """Be in no lane; the numbers are kept."""
        lane = self.lane
        if lane is not None:
            self._left = self.last
            self._packets += lane.packets
            self._octets += lane.octets
            self.lane = None
            lane.let_go(self)

    def origin(self, seq: int) -> tuple[Stay, int] | None:
        """Which stay a sequence number is from, and which index it was in that lane."""
        last = self.last
        if last is None:
            return None
        index = unwrap(seq, last.seq, 16)
        if index > last.seq:
            return None
        for stay in reversed(self._stays):
            if index >= stay.first:
                return stay, index - stay.shift
        return None

    def sent(self, now: float) -> tuple[int, int, int] | None:
        """For the sender report: the timestamp now, packets and octets so far; None: nothing is sent."""
        lane, last = self.lane, self.last
        if lane is None or last is None or self._packets + lane.packets <= 0:
            return None
        timestamp = last.timestamp + int((now - last.at) * self.format.clock_hz) & TS_MASK
        return timestamp, self._packets + lane.packets, self._octets + lane.octets
