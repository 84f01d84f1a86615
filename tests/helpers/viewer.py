"""What a decoder would make of the packets of one slot: which frames it could show, and when.

It needs every packet in order, gets them late or again, waits a while for one that is missing, then asks
for a keyframe and goes on from there, as browsers do.
"""

import itertools
from typing import Final

from room_manager.media.light import LightPeer
from room_manager.media.sfu import vp8
from room_manager.media.sfu.rtp import Packet, unwrap

PATIENCE_S: Final = 0.5  # then a keyframe is asked for
ASK_AGAIN_S: Final = 1.0
MAX_KEPT: Final = 2_000


class Viewer:
    """Watches one slot of a light peer."""

    def __init__(self, peer: LightPeer, slot: str = "main") -> None:
        self._peer = peer
        self._slot = slot
        self._ssrc = peer.slots[slot].ssrc
        self._packets: dict[int, tuple[bool, bool, int]] = {}  # index → starts a keyframe, marker, bytes
        self._newest: int | None = None
        self._next: int | None = None
        self._stuck_since: float | None = None
        self._asked_at = float("-inf")
        self.shown: list[float] = []  # when each frame could be shown
        self.bytes = 0

    def take(self, packet: Packet, now: float) -> None:
        """A packet of the slot, or one that came again."""
        seq, start = packet.seq, packet.start
        if packet.ssrc != self._ssrc:
            if packet.end - start < 2:
                return
            seq, start = int.from_bytes(packet.data[start : start + 2], "big"), start + 2
        index = seq if self._newest is None else unwrap(seq, self._newest, 16)
        self._newest = index if self._newest is None else max(index, self._newest)
        key = start < packet.end and vp8.describe(packet.data, start, packet.end).starts_keyframe
        self._packets[index] = (key, bool(packet.marker), packet.end - start)
        self.bytes += packet.end - start
        while len(self._packets) > MAX_KEPT:
            del self._packets[next(iter(self._packets))]
        self._decode(now)

    def look(self, now: float) -> None:
        """Time passes: what is stuck asks."""
        stuck = self._stuck_since is not None and now - self._stuck_since > PATIENCE_S
        if stuck and now - self._asked_at > ASK_AGAIN_S:
            self._asked_at = now
            self._peer.ask_keyframe(self._slot)

    def longest_gap_s(self, since: float, until: float) -> float:
        """The longest time without a new frame between these moments."""
        moments = [since, *(at for at in self.shown if since < at < until), until]
        return max(later - sooner for sooner, later in itertools.pairwise(moments))

    def _decode(self, now: float) -> None:
        while (end := self._next_end()) is not None:
            self._show(end, now)
        waiting = self._next is None or any(index > self._next for index in self._packets)
        if not waiting:
            self._stuck_since = None
        elif self._stuck_since is None:
            self._stuck_since = now

    def _next_end(self) -> int | None:
        """The last packet of the next frame that can be shown: the one that follows, or a later keyframe."""
        if self._next is not None and (end := self._frame_end(self._next)) is not None:
            return end
        keys = [i for i, packet in self._packets.items() if packet[0] and i >= (self._next or i)]
        return max((end for key in keys if (end := self._frame_end(key)) is not None), default=None)

    def _frame_end(self, index: int) -> int | None:
        """The last packet of the frame that begins here, if all of it is here."""
        while index in self._packets:
            if self._packets[index][1]:
                return index
            index += 1
        return None

    def _show(self, end: int, now: float) -> None:
        self.shown.append(now)
        self._next = end + 1
        self._stuck_since = None
        for index in [i for i in self._packets if i <= end]:
            del self._packets[index]
