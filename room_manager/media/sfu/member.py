"""One connection as the router sees it: what it sends, the slots it receives in, and its control traffic.

Tables of SSRCs belong to a member: no packet of one peer can be taken for another's, whatever it claims.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from room_manager.ids import ConnectionId, SiteId
from room_manager.media.sfu import negotiation as n
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.audience import Egress, Sink
from room_manager.media.sfu.keyframes import KeyframeAsks
from room_manager.media.sfu.line.line import Line
from room_manager.media.sfu.negotiation import Plan, Sending
from room_manager.media.sfu.packets import SourcePacket
from room_manager.media.sfu.quality import Quality
from room_manager.media.sfu.repairs import send_again
from room_manager.media.sfu.rtp import HEADER, Malformed
from room_manager.media.sfu.send_log import SendLog
from room_manager.media.sfu.slot import Slot
from room_manager.media.sfu.track import Role, Track
from room_manager.media.sfu.twcc import ArrivalRecorder

MAX_STREAMS: Final = 32
MAX_CHANGES: Final = 64  # how often sections may get another SSRC
REASONS: Final = ("stream", "format", "section")  # why a publisher's packet is dropped
OUR_SSRC: Final = 1  # of our feedback; we send nothing under it
NTP_UNITS: Final = 1 << 32
GENEROUS_BPS: Final = 3_000_000  # told to a publisher that understands nothing better


class Stream(NamedTuple):
    """What an incoming SSRC is."""

    track: Track
    sending: Sending
    repair: bool


class Member:
    """One connection. ``site`` None: it only receives."""

    def __init__(self, connection: ConnectionId, site: SiteId | None, plan: Plan, sink: Sink) -> None:
        self.connection = connection
        self.site = site
        self.sink = sink
        self.up = False
        self.learned = False  # a track has appeared since the room last looked
        self.returned = False  # a silent picture has come back
        self.video = plan.video
        self.slots = [Slot(receiving, site, sink) for receiving in plan.receiving]
        self.tracks: dict[tuple[Role, str], Track] = {}
        self.asks = KeyframeAsks()
        self.quality = Quality()
        self.line: Line | None = None  # what it carries; None: nothing is sent yet
        self.repaired = 0
        self.misplaced = dict.fromkeys(REASONS, 0)
        self.log: SendLog | None = None  # what left for it and when, since it was first measured
        self._measured = False
        self._slot_by_ssrc = {slot.ssrc: slot for slot in self.slots}
        self._sending = plan.sending
        self._by_mid = {s.mid.encode(): s for s in plan.sending}
        self._streams: dict[int, Stream] = {}
        self._over: set[int] = set()  # SSRCs that another has followed
        self._recorder = ArrivalRecorder()
        ids = plan.extensions
        self._mid, self._rid, self._repaired_rid = (ids.get(u) for u in (n.MID, n.RID, n.REPAIRED_RID))
        self._level, self._orientation = ids.get(n.LEVEL), ids.get(n.ORIENTATION)
        self._transport_wide = ids.get(n.TRANSPORT_WIDE)
        self._remb = any(s.told_bitrate for s in plan.sending)

    def layers(self, role: Role) -> tuple[str, ...] | None:
        """The layers it may send of this picture, ``("",)`` if there is but one; None: it sends no such."""
        return next((s.layers or ("",) for s in self._sending if s.role == role), None)

    @property
    def measured(self) -> bool:
        """Whether its line is measured: packets to it are numbered, and what left is in ``log``."""
        return self._measured

    @measured.setter
    def measured(self, on: bool) -> None:
        self._measured = on
        if on and self.log is None:
            self.log = SendLog()
        for slot in self.slots:
            slot.measuring, slot.log = on, self.log

    def incoming(self, data: bytes, now: float) -> tuple[Track, SourcePacket] | None:
        """The track a plaintext packet belongs to and the packet as it numbers it; None: of no use.

        Raises ``Malformed``.
        """
        packet = SourcePacket(data)
        found = packet.extensions
        if self._transport_wide is not None:
            number = found.get(self._transport_wide)
            if number is not None and len(number) >= 2:
                self._recorder.record(number[0] << 8 | number[1], now)
        stream = self._streams.get(packet.ssrc) or self._learn(packet)
        if stream is None:
            self.misplaced["stream"] += 1
            return None
        track, sending, repair = stream
        if packet.payload_type != (sending.repair_type if repair else sending.payload_type):
            self.misplaced["format"] += 1
            return None
        if found and self._contradicts(found, stream):
            self.misplaced["section"] += 1
            return None
        if repair:
            original = _original(packet, track.ssrc, sending.payload_type)
            if original is None:
                return None
            packet = original
        if not track.take(packet, now, repaired=repair):
            return None
        # Of any other length it is neither, and could not be written again.
        if self._level is not None and len(found.get(self._level, b"")) == 1:
            packet.level = found[self._level]
        if self._orientation is not None and len(found.get(self._orientation, b"")) == 1:
            packet.orientation = found[self._orientation]
        return track, packet

    def _contradicts(self, found: dict[int, bytes], stream: Stream) -> bool:
        """Whether a packet of a known SSRC says it belongs to another section or layer."""
        mid = found.get(self._mid or 0)
        if mid is not None and self._by_mid.get(mid) is not stream.sending:
            return True
        rid = found.get((self._repaired_rid if stream.repair else self._rid) or 0)
        return rid is not None and bool(stream.sending.layers) and rid != stream.track.rid.encode()

    def _learn(self, packet: SourcePacket) -> Stream | None:
        """What a new SSRC is: by mid and rid while the packets carry them, else by what the offer said.

        Browsers stop sending mid and rid once receiver reports flow (RFC 8843, section 15), so the
        first packets must tell.
        """
        if packet.ssrc in self._over:
            return None
        found = packet.extensions
        named = next((s for s in self._sending if packet.ssrc in s.streams or packet.ssrc in s.repairs), None)
        mid = found.get(self._mid or 0)
        sending = self._by_mid.get(mid) if mid is not None else named or self._only_fitting(packet)
        if sending is None or (named is not None and named is not sending):
            return None
        repair = packet.payload_type == sending.repair_type
        rid = ""
        if sending.layers:
            key = self._repaired_rid if repair else self._rid
            rid = found.get(key or 0, b"").decode("ascii", "replace")
            if rid not in sending.layers:
                return None
        track = self.tracks.get((sending.role, rid))
        if repair:
            if track is None:
                return None
        elif packet.payload_type != sending.payload_type:
            return None
        elif track is None or track.ssrc != packet.ssrc:
            if track is not None:
                if len(self._over) >= MAX_CHANGES:
                    return None
                self._over.add(track.ssrc)
                self._streams.pop(track.ssrc, None)
            track = Track(sending.role, rid, packet.ssrc, sending.codec, sending.clock_hz)
            track.owner = self
            self.learned = True
            self.tracks[sending.role, rid] = track
        if len(self._streams) >= MAX_STREAMS:
            self._streams.pop(next(iter(self._streams)))
        stream = self._streams[packet.ssrc] = Stream(track, sending, repair)
        return stream

    def _only_fitting(self, packet: SourcePacket) -> Sending | None:
        fitting = [
            s
            for s in self._sending
            if packet.payload_type in (s.payload_type, s.repair_type) and not s.layers and not s.streams
        ]
        return fitting[0] if len(fitting) == 1 else None

    def control(
        self, data: bytes, now: float, ntp: int, egress: Egress, asked: Callable[[Track], None]
    ) -> None:
        """One plaintext control datagram. ``asked`` hears of every track a keyframe is wanted of."""
        line = self.line
        for item in rtcp.parse(data):
            if isinstance(item, rtcp.Report):
                if item.ntp is not None and (stream := self._streams.get(item.ssrc)) is not None:
                    stream.track.sender_reported(item.ntp, now)
                for block in item.blocks:
                    if (slot := self._slot_by_ssrc.get(block.ssrc)) is not None:
                        expected, lost = self.quality.reported(block, ntp)
                        if line is not None:
                            jitter_ms = block.jitter * 1000 / slot.format.clock_hz
                            line.reported(expected, lost, self.quality.rtt_ms, jitter_ms, now)
            elif isinstance(item, rtcp.Nack):
                slot = self._slot_by_ssrc.get(item.ssrc)
                if slot is not None and line is not None:
                    seqs = item.seqs[: line.budget.asked(len(item.seqs), now)]
                    self.repaired += send_again(slot, seqs, now, egress, line.may_repair(now))
            elif isinstance(item, rtcp.Bitrate):
                if line is not None:
                    line.remb(item.bps, now)
            elif isinstance(item, rtcp.TransportWide):
                if line is not None:
                    line.fed_back(item.body, now)
            elif isinstance(item, rtcp.KeyframeRequest):
                slot = self._slot_by_ssrc.get(item.ssrc)
                if slot is not None and slot.lane is not None:
                    asked(slot.lane.track)

    def feedback(self, now: float) -> bytes:
        """What to tell the publisher now: when its packets arrived, and which did not. May be empty."""
        told = b"".join(
            rtcp.transport_wide(OUR_SSRC, self._any_ssrc(), body) for body in self._recorder.feedback()
        )
        for stream in self._streams.values():
            if stream.track.gaps and not stream.repair and stream.sending.asks_again:
                missing = stream.track.missing(now)
                if missing:
                    told += rtcp.nack(OUR_SSRC, stream.track.ssrc, missing)
        return told

    @property
    def misses(self) -> bool:
        """Whether packets may have to be asked for again later."""
        return any(track.gaps for track in self.tracks.values())

    def reports(self, now: float, ntp: int) -> bytes:
        """The compound told every second: sender reports of live slots, receiver report of live tracks."""
        parts: list[bytes] = []
        for slot in self.slots:
            sent = slot.sent(now)
            if sent is not None:
                parts.append(rtcp.sender_report(slot.ssrc, ntp, *sent))
        blocks = []
        for track in self.tracks.values():
            block = track.block(now)
            if block is not None:
                blocks.append(block)
                self.quality.received(*track.tally())
        if blocks:
            parts.append(rtcp.receiver_report(OUR_SSRC, blocks))
        if not parts:
            return b""
        ssrc = self.slots[0].ssrc if self.slots else OUR_SSRC
        parts.append(rtcp.description(ssrc, b"diemcau"))
        if self._remb and blocks:
            parts.append(rtcp.remb(OUR_SSRC, GENEROUS_BPS, [block.ssrc for block in blocks]))
        return b"".join(parts)

    def _any_ssrc(self) -> int:
        return next(iter(self._streams), 0)


def _original(packet: SourcePacket, ssrc: int, payload_type: int) -> SourcePacket | None:
    """The packet inside a retransmission (RFC 4588, section 4); None: it is padding."""
    if packet.end - packet.start <= 2:
        return None
    data, start = packet.data, packet.start
    seq = data[start] << 8 | data[start + 1]
    head = HEADER.pack(data[0] & 0xDF, packet.marker | payload_type, seq, packet.timestamp, ssrc)
    try:
        return SourcePacket(head + data[12:start] + data[start + 2 : packet.end])
    except Malformed:
        return None
