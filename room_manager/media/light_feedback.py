"""The receiving half of a light peer: counting what comes, and telling the sender of it as a browser does.

Transport-wide feedback for packets that carry numbers, NACKs for those that are missing, reports with
losses, jitter and the time since the last sender report.
"""

from collections import deque
from typing import Final, Literal

from room_manager.media.light_sdp import TRANSPORT_WIDE_ID
from room_manager.media.sfu import rtcp
from room_manager.media.sfu.rtp import Malformed, Packet, unwrap
from room_manager.media.sfu.twcc import ArrivalRecorder

MAX_KEPT: Final = 2_000
OUR_SSRC: Final = 1
FEEDBACK_S: Final = 0.06
WAIT_S: Final = 0.02  # a packet this late is only out of order
GIVE_UP_S: Final = 2.0
MAX_MISSING: Final = 200


Answers = Literal["all", "reports", "none"]
"""What a peer says of what comes: all that browsers say; reports only; nothing."""


class Arrived:
    """What came in one slot."""

    __slots__ = ("_reported", "_transit", "filled", "highest", "jitter", "kept", "last_report", "lost",
                 "missing", "packets", "repairable", "repaired", "ssrc")  # fmt: skip

    def __init__(self, ssrc: int, *, repairable: bool = False) -> None:
        self.ssrc = ssrc
        self.repairable = repairable  # it has a repair stream, so asking again is worth it
        self.packets = 0
        self.repaired = 0
        self.filled = 0  # missing packets that came after all, late or again
        self.highest: int | None = None
        self.lost = 0
        self.jitter = 0.0  # in clock ticks (RFC 3550, section 6.4.1)
        self.kept: deque[Packet] = deque(maxlen=MAX_KEPT)
        self.missing: dict[int, list[float]] = {}  # index → seen missing at, next asked for at
        self.last_report = (0, 0.0)  # middle of the NTP time of the last sender report, and when it came
        self._reported = (0, 0)  # packets and losses at the last report
        self._transit: float | None = None

    def count(self, seq: int, now: float) -> None:
        """A packet came; a late one closes a gap."""
        self.packets += 1
        if self.highest is None:
            self.highest = seq
            return
        index = unwrap(seq, self.highest, 16)
        if index > self.highest:
            self.lost += index - self.highest - 1
            for number in range(max(self.highest + 1, index - MAX_MISSING), index) if self.repairable else ():
                self.missing[number] = [now, now + WAIT_S]
            while len(self.missing) > MAX_MISSING:
                del self.missing[next(iter(self.missing))]
            self.highest = index
        elif index < self.highest:
            self.lost -= 1
            self.fill(seq)

    def fill(self, seq: int) -> None:
        """A packet that was missing is here."""
        if self.highest is not None and self.missing.pop(unwrap(seq, self.highest, 16), None) is not None:
            self.filled += 1

    def timed(self, timestamp: int, clock_hz: int, now: float) -> None:
        """Interarrival jitter."""
        transit = now * clock_hz - timestamp
        if self._transit is not None and abs(transit - self._transit) < clock_hz * 10:
            self.jitter += (abs(transit - self._transit) - self.jitter) / 16
        self._transit = transit

    def due(self, now: float, again_s: float) -> list[int]:
        """Sequence numbers to ask for now."""
        ask = []
        for index, times in list(self.missing.items()):
            if now - times[0] > GIVE_UP_S:
                del self.missing[index]
            elif now >= times[1]:
                times[1] = now + again_s
                ask.append(index & 0xFFFF)
        return ask

    def block(self, now: float) -> rtcp.Block | None:
        """The report block since the last one; None: nothing has come yet."""
        if self.highest is None:
            return None
        packets, lost = self.packets - self._reported[0], self.lost - self._reported[1]
        self._reported = (self.packets, self.lost)
        fraction = min(255, 256 * lost // (packets + lost)) if lost > 0 else 0
        middle, at = self.last_report
        delay = int((now - at) * 65_536) if middle else 0
        return rtcp.Block(
            self.ssrc, fraction, max(0, self.lost), self.highest, int(self.jitter), middle, delay
        )


class Ears:
    """Everything a light peer receives."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.again_s = 0.1  # between two requests for the same packet
        self.slots: dict[str, Arrived] = {}
        self.by_ssrc: dict[int, Arrived] = {}
        self.repairs: dict[int, Arrived] = {}
        self._recorder = ArrivalRecorder()
        self._told_at = 0.0

    def add(self, slot: str, ssrc: int, repair: int | None) -> None:
        """A stream of the answer."""
        arrived = self.slots[slot] = Arrived(ssrc, repairable=repair is not None)
        self.by_ssrc[ssrc] = arrived
        if repair is not None:
            self.repairs[repair] = arrived

    def came(self, datagram: memoryview, now: float) -> Arrived | None:
        """A protected packet: its header is in the clear. Returns whose it is; None: nobody's."""
        ssrc = int.from_bytes(datagram[8:12], "big")
        arrived, repaired = self.by_ssrc.get(ssrc), self.repairs.get(ssrc)
        if arrived is not None:
            arrived.count(int.from_bytes(datagram[2:4], "big"), now)
        elif repaired is not None:
            repaired.repaired += 1
        if self.answers == "all" and datagram[0] & 0x10:
            number = _transport_number(datagram)
            if number is not None:
                self._recorder.record(number, now)
        return arrived or repaired

    def opened(self, arrived: Arrived, packet: Packet, now: float) -> None:
        """The same packet in the clear."""
        if packet.ssrc == arrived.ssrc:
            arrived.timed(packet.timestamp, 90_000 if arrived.repairable else 48_000, now)
        elif packet.end - packet.start >= 2:  # RFC 4588, section 4: the original number leads the payload
            arrived.fill(int.from_bytes(packet.data[packet.start : packet.start + 2], "big"))

    def sender_reported(self, report: rtcp.Report, now: float) -> None:
        """The next block refers to it."""
        arrived = self.by_ssrc.get(report.ssrc)
        if arrived is not None and report.ntp is not None:
            arrived.last_report = (report.ntp >> 16 & 0xFFFFFFFF, now)

    def feedback(self, now: float) -> bytes:
        """What is to be told now, perhaps nothing: arrivals, and what is missing."""
        if self.answers != "all":
            return b""
        parts: list[bytes] = []
        for arrived in self.slots.values():
            if arrived.missing:
                seqs = arrived.due(now, self.again_s)
                if seqs:
                    parts.append(rtcp.nack(OUR_SSRC, arrived.ssrc, seqs))
        if now - self._told_at >= FEEDBACK_S:
            self._told_at = now
            media = next(iter(self.by_ssrc), 0)
            parts += [rtcp.transport_wide(OUR_SSRC, media, body) for body in self._recorder.feedback()]
        return b"".join(parts)

    def report(self, now: float) -> bytes:
        """A receiver report, or nothing."""
        if self.answers == "none":
            return b""
        blocks = [block for a in self.slots.values() if (block := a.block(now)) is not None]
        return rtcp.receiver_report(OUR_SSRC, blocks) if blocks else b""


def _transport_number(datagram: memoryview) -> int | None:
    try:
        packet = Packet(bytes((datagram[0] & 0xDF,)) + bytes(datagram[1:]))  # what pads is not in the clear
    except Malformed:
        return None
    found = packet.extensions.get(TRANSPORT_WIDE_ID)
    return int.from_bytes(found, "big") if found is not None and len(found) == 2 else None
