"""A lane: one slot's rewritten stream, shared by every receiver that has seen the same pictures in it.

Rewriting is done once per packet and lane; per receiver only the SSRC differs. A receiver that must see
something else (the main site itself, say) is split off with a copy of the numbers and goes its own way.
"""

from collections.abc import Iterable
from typing import Any, Final, Protocol

from room_manager.ids import SiteId
from room_manager.media.sfu import vp8
from room_manager.media.sfu.negotiation import Format, Receiving
from room_manager.media.sfu.packets import OPUS, SourcePacket
from room_manager.media.sfu.rtp import HEADER, SEQ_MASK, extension_block
from room_manager.media.sfu.splice import Numbering, Segment, shifted
from room_manager.media.sfu.track import Track

NTP_SHORT: Final = 1 << 18  # abs-send-time counts 1/2^18 s in 24 bits


class Sink(Protocol):
    """Where a receiver's packets go; the egress knows more of it than we."""


Row = tuple[Sink, int]
"""A receiver and the SSRC of its slot."""


class Audience(tuple[Row, ...]):
    """Who gets the same packets. Never changes: whoever comes or goes makes another one.

    So the egress may keep with it what it has derived from it.
    """

    derived: Any = None


class Egress(Protocol):
    """Sends plaintext packets, each protected for its receiver."""

    def fan(self, plain: bytes, rows: Audience, *, more: bool = False) -> None:
        """The packet to every row, with that row's SSRC. ``more`` of its frame will follow at once."""

    def rtcp(self, sink: Sink, compound: bytes) -> None:
        """One control datagram."""


class Slot:
    """One outgoing stream of one receiver: SSRC fixed for life."""

    __slots__ = (
        "alone",
        "format",
        "lane",
        "mid",
        "name",
        "octets_before",
        "packets_before",
        "repair_seq",
        "repair_ssrc",
        "repairs",
        "row",
        "sink",
        "site",
        "ssrc",
    )

    def __init__(self, receiving: Receiving, site: SiteId | None, sink: Sink) -> None:
        """``site`` is whose receiver this is: it must not see itself."""
        self.name = receiving.slot
        self.mid = receiving.mid
        self.format = receiving.format
        self.ssrc = receiving.ssrc
        self.repair_ssrc = receiving.repair_ssrc
        self.repair_seq = receiving.ssrc & 0x7FFF
        self.site = site
        self.sink = sink
        self.row: Row = (sink, receiving.ssrc)
        self.alone = Audience((self.row,))
        self.repairs = None if self.repair_ssrc is None else Audience(((sink, self.repair_ssrc),))
        self.lane: Lane | None = None
        self.packets_before = 0
        self.octets_before = 0


class Lane:
    """One numbering, the source it follows, and who gets it."""

    __slots__ = ("current", "format", "name", "numbering", "octets", "packets", "rows", "shared", "slots",
                 "target", "waiting", "want")  # fmt: skip

    def __init__(self, name: str, lane_format: Format, numbering: Numbering, *, shared: bool) -> None:
        self.name = name
        self.format = lane_format
        self.numbering = numbering
        self.shared = shared
        self.target: SiteId | None = None
        self.current: Track | None = None
        self.want: Track | None = None
        self.slots: list[Slot] = []
        self.rows = Audience()
        self.waiting: list[Slot] = []
        self.packets = 0
        self.octets = 0

    @property
    def hungry(self) -> Track | None:
        """The track that must give a keyframe before this lane can go on; None: none must."""
        if self.want is not None:
            return self.want
        return self.current if self.waiting else None

    def admit(self, slot: Slot) -> None:
        """This receiver gets what the lane carries, from the next entry point on."""
        slot.lane = self
        self.slots.append(slot)
        self.waiting.append(slot)

    def split_off(self, slot: Slot) -> "Lane":
        """A lane of its own for this receiver, continuing its numbers."""
        twin = Lane(self.name, self.format, self.numbering.copy(), shared=False)
        twin.packets, twin.octets = self.packets, self.octets
        waiting = slot in self.waiting
        self.remove(slot)
        slot.lane = twin
        twin.slots.append(slot)
        if waiting:
            twin.waiting.append(slot)
        else:
            twin.rows = slot.alone
        if self.current is not None:
            twin.current = self.current
            self.current.lanes.append(twin)
        return twin

    def remove(self, slot: Slot) -> None:
        """This receiver gets nothing from the lane any more."""
        slot.lane = None
        self.slots.remove(slot)
        if slot in self.waiting:
            self.waiting.remove(slot)
        else:
            self.rows = Audience(row for row in self.rows if row is not slot.row)

    def follow(self, track: Track | None) -> None:
        """Carry this track as soon as it can be entered; None: carry nothing."""
        if track is None:
            self._let_go(self.want)
            self._let_go(self.current)
            self.want = self.current = None
        elif track is self.current:
            self._let_go(self.want)
            self.want = None
        elif track is not self.want:
            self._let_go(self.want)
            self.want = track
            track.lanes.append(self)

    def feed(self, track: Track, packet: SourcePacket, now: float, egress: Egress) -> int:
        """Pass one packet on; returns to how many receivers it went."""
        numbering = self.numbering
        if track is self.want:
            if not packet.entry:
                return 0
            before, self.current, self.want = self.current, track, None
            self._let_go(before)
            numbering.splice(track, packet, now)
        elif track is not self.current:
            return 0
        if packet.start == packet.end:
            if numbering.segments:
                numbering.close_gap(packet)
            return 0
        if not numbering.segments:
            return 0
        segment = numbering.place(packet, now)
        if segment is None:
            return 0
        if self.waiting and packet.entry:
            self._let_in(track)
        rows = self.rows
        if not rows:
            return 0
        plain = rendered(packet, segment, self.format, now, track)
        self.packets += 1
        self.octets += packet.end - packet.start
        egress.fan(plain, rows, more=self.format.codec != OPUS and not packet.marker)
        return len(rows)

    def again(self, slot: Slot, seqs: Iterable[int], now: float, egress: Egress, budget: int) -> int:
        """Send lost packets again, at most ``budget``; returns how many were still here."""
        sent = 0
        for seq in seqs:
            if sent >= budget:
                break
            origin = self.numbering.origin(seq)
            if origin is None:
                continue
            segment, index = origin
            track = segment.source
            assert isinstance(track, Track)
            packet = track.history.get(index)
            if packet is None or packet.is_padding:
                continue
            plain = rendered(packet, segment, self.format, now, track)
            if slot.repairs is None or self.format.repair_type is None:
                egress.fan(plain, slot.alone)
            else:
                slot.repair_seq = (slot.repair_seq + 1) & SEQ_MASK
                egress.fan(repair(plain, self.format.repair_type, slot.repair_seq), slot.repairs)
            sent += 1
        return sent

    def close(self) -> None:
        """Follow nothing and feed nobody."""
        self.follow(None)
        self.slots.clear()
        self.rows = Audience()
        self.waiting.clear()

    def _let_in(self, track: Track) -> None:
        """Who has waited gets the lane from this packet on.

        While the lane waits for a new source it still carries the old one, which may be the newcomer's own.
        """
        own = track.owner.site if track.owner is not None else None
        entering = [slot for slot in self.waiting if own is None or slot.site != own]
        if not entering:
            return
        for slot in entering:
            slot.packets_before, slot.octets_before = self.packets, self.octets
        self.rows = Audience((*self.rows, *(slot.row for slot in entering)))
        self.waiting[:] = [slot for slot in self.waiting if own is not None and slot.site == own]

    def _let_go(self, track: Track | None) -> None:
        if track is not None and self in track.lanes:
            track.lanes.remove(self)
            if not track.lanes:
                track.unwatched()


def rendered(packet: SourcePacket, segment: Segment, form: Format, now: float, track: Track) -> bytes:
    """The packet with this lane's numbers and the receivers' ids; its SSRC is left to the egress."""
    seq, timestamp = shifted(packet, segment)
    elements: list[tuple[int, bytes]] = []
    if form.send_time is not None:
        elements.append((form.send_time, (int(now * NTP_SHORT) & 0xFFFFFF).to_bytes(3, "big")))
    if form.level is not None and packet.level is not None:
        elements.append((form.level, packet.level))
    if form.orientation is not None and packet.orientation is not None:
        elements.append((form.orientation, packet.orientation))
    block = extension_block(elements)
    found = packet.descriptor
    payload: bytes | bytearray
    if found is not None and found.picture_id is not None and packet.picture is not None:
        layer = (found.tl0 or 0) + segment.layer_shift
        payload = vp8.renumbered(
            packet.data, packet.start, packet.end, found, packet.picture + segment.picture_shift, layer
        )
    else:
        payload = packet.data[packet.start : packet.end]
    head = HEADER.pack(0x90 if block else 0x80, packet.marker | form.payload_type, seq, timestamp, 0)
    return b"".join((head, block, payload))


def repair(plain: bytes, payload_type: int, seq: int) -> bytes:
    """The packet as a retransmission (RFC 4588, section 4): the original number leads the payload."""
    first, second, original, timestamp, ssrc = HEADER.unpack_from(plain)
    start = 12
    if first & 0x10:
        start += 4 + 4 * int.from_bytes(plain[14:16], "big")
    head = HEADER.pack(first, second & 0x80 | payload_type, seq, timestamp, ssrc)
    return b"".join((head, plain[12:start], original.to_bytes(2, "big"), plain[start:]))
