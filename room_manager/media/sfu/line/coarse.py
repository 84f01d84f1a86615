"""What receiver reports and REMB tell of a line: little, but it costs nothing, and every client sends them.

It says who must be measured, and is all there is for clients without transport-wide feedback. A
receiver's REMB follows what it is sent: 60 kbit/s on a still picture says nothing of the line. So it
counts only while it is less than what is being sent, for that is what a receiver says whose line is full.
"""

from typing import Final

from room_manager.media.sfu.line.loss import Losses
from room_manager.media.sfu.line.reading import Pressed, Reading

TOO_MUCH_LOSS: Final = 0.10
BELOW: Final = 0.9  # a REMB less than this share of what is sent is a full line
TWICE: Final = 2
SLOWER_MS: Final = 300.0  # a round trip this much longer than the shortest is a queue
BASE_S: Final = 30.0
HELD_S: Final = 1.5  # reports come about every second


class Coarse:
    """One line as its receiver reports it."""

    __slots__ = (
        "_base_at",
        "_base_ms",
        "_bps",
        "_losses",
        "_low",
        "_pressed",
        "_pressed_at",
        "remb_bps",
        "rtt_ms",
    )

    def __init__(self) -> None:
        self.rtt_ms = 0.0
        self.remb_bps: int | None = None
        self._losses = Losses()
        self._base_ms = float("inf")
        self._base_at = 0.0
        self._low = 0  # how often in a row REMB was below what we sent
        self._bps: float | None = None
        self._pressed: Pressed | None = None
        self._pressed_at = float("-inf")

    def reported(self, expected: int, lost: int, sent_bps: float, now: float) -> None:
        """Of so many packets so many did not come."""
        if self._losses.add(max(0, expected - lost), max(0, lost), sent_bps, now):
            beyond = self._losses.share - 1.2 * self._losses.own
            if beyond > TOO_MUCH_LOSS:
                self._press("loss", sent_bps * (1 - self._losses.share) * 0.95, now)

    def took(self, rtt_ms: float, sent_bps: float, now: float) -> None:
        """A round trip was measured."""
        self.rtt_ms = rtt_ms
        if rtt_ms < self._base_ms or now - self._base_at > BASE_S:
            self._base_ms, self._base_at = rtt_ms, now
        if rtt_ms > self._base_ms + SLOWER_MS:
            self._press("delay", sent_bps * 0.7, now)

    def remb(self, bps: int, sent_bps: float, now: float) -> None:
        """The receiver says how much it believes to get."""
        self.remb_bps = bps
        self._low = self._low + 1 if bps < BELOW * sent_bps else 0
        if self._low >= TWICE:
            self._press("bandwidth", float(bps), now)

    def forget(self) -> None:
        """We were late ourselves: what is under way says nothing of the line."""
        self._losses.forget()
        self._pressed = None

    @property
    def loss(self) -> float:
        """Lately, 0…1."""
        return self._losses.share

    @property
    def slower_ms(self) -> float:
        """How much longer than the shortest the last round trip took."""
        return max(0.0, self.rtt_ms - self._base_ms)

    def pressed(self, now: float) -> Pressed | None:
        """Whether the line is given too much."""
        return self._pressed if now - self._pressed_at <= HELD_S else None

    def reading(self, now: float) -> Reading:
        """What is known now."""
        return Reading(self._bps, self.pressed(now), None, self.slower_ms, self._losses.share, self.rtt_ms)

    def _press(self, pressed: Pressed, bps: float, now: float) -> None:
        self._bps, self._pressed, self._pressed_at = bps, pressed, now
