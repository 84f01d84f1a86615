"""From RTP timestamps to milliseconds in the file.

Pure. Within a stream the sender's clock counts, so pictures keep their distances whatever the network does.
It is tied to ours at the first frame, and anew where the two have come apart: a stream that paused, or
began anew, leaves a gap as long as it was.
"""

from typing import Final

from room_manager.media.sfu.rtp import TS_MASK

SLIP_MS: Final = 1_000
"""How far a stream's clock may be from ours before ours counts."""

PULL: Final = 0.002
"""Share of the difference that is taken back with every frame: clocks run apart by milliseconds a minute."""


class Timeline:
    """One track's."""

    __slots__ = ("_anchor_ms", "_anchor_ts", "_hz", "_last_ms")

    def __init__(self, clock_hz: int) -> None:
        self._hz = clock_hz
        self._anchor_ts: int | None = None
        self._anchor_ms = 0.0
        self._last_ms = -1

    def at(self, timestamp: int, now_ms: float) -> int:
        """When in the file a frame belongs that is here at ``now_ms``; later than the one before."""
        if self._anchor_ts is None:
            self._anchor_ts, self._anchor_ms = timestamp, now_ms
        ahead = (timestamp - self._anchor_ts + 2**31 & TS_MASK) - 2**31
        at_ms = self._anchor_ms + ahead * 1000 / self._hz
        behind_ms = now_ms - at_ms
        at_ms = now_ms if abs(behind_ms) > SLIP_MS else at_ms + behind_ms * PULL
        # The anchor moves along, so that a difference never comes near half a wrap.
        self._anchor_ts, self._anchor_ms = timestamp, at_ms
        self._last_ms = max(self._last_ms + 1, round(at_ms), 0)
        return self._last_ms

    def anew(self) -> None:
        """Another stream follows, on a clock of its own."""
        self._anchor_ts = None
