"""How fast a line is, from packets that left together: the slower it is, the further apart they come.

It costs nothing, since frames are sent so anyway, and tells that a line has recovered without sending
more than it is known to carry. A hint only: a link that lets bursts through looks faster than it is, one
that jitters slower.
"""

from collections import deque
from statistics import median_low
from typing import Final

from room_manager.media.sfu.line.fates import Arrived

TOGETHER_S: Final = 0.003
FEWEST_PACKETS: Final = 2
FEWEST_BYTES: Final = 700  # behind the first one
LEAST_SPAN_S: Final = 0.001  # arrivals are told in quarters of a millisecond
KEPT: Final = 3
FRESH_S: Final = 4.2  # a little longer than from one still to the next


class Trains:
    """The last few of them."""

    __slots__ = ("_bytes", "_came", "_count", "_first_came", "_first_sent", "_seen")

    def __init__(self) -> None:
        self._first_sent = float("-inf")
        self._first_came = self._came = 0.0
        self._bytes = self._count = 0
        self._seen: deque[tuple[float, float]] = deque(maxlen=KEPT)  # when sent, bits per second

    def add(self, packet: Arrived) -> None:
        """One packet that came; in the order of sending."""
        if 0 <= packet.sent_s - self._first_sent <= TOGETHER_S:
            self._count += 1
            self._bytes += packet.size_bytes
            self._came = max(self._came, packet.came_s)
            return
        self.end()
        self._first_sent = packet.sent_s
        self._first_came = self._came = packet.came_s
        self._bytes, self._count = 0, 1

    def end(self) -> None:
        """No more of this train will come."""
        if self._count >= FEWEST_PACKETS and self._bytes >= FEWEST_BYTES:
            span_s = max(LEAST_SPAN_S, self._came - self._first_came)
            self._seen.append((self._first_sent, self._bytes * 8 / span_s))
        self._count = 0

    def bps(self, now: float) -> float | None:
        """The middle one of the last, the lower of two; None: there were none of late."""
        fresh = [bps for sent_s, bps in self._seen if now - sent_s <= FRESH_S]
        return median_low(fresh) if fresh else None

    def forget(self) -> None:
        """The line is not what it was."""
        self._seen.clear()
        self._count = 0
