"""What a measured line carries, from transport-wide feedback: a queue that grows, or losses, bring it
down to what still came through; as long as neither shows it rises, at most to half as much again as comes
through.
"""

from typing import Final

from room_manager.media.sfu.line import arrivals
from room_manager.media.sfu.line.delay import Queue, Trend
from room_manager.media.sfu.line.fates import Fates
from room_manager.media.sfu.line.loss import Losses
from room_manager.media.sfu.line.meter import Meter
from room_manager.media.sfu.line.reading import Pressed, Reading
from room_manager.media.sfu.line.trains import Trains
from room_manager.media.sfu.send_log import SendLog

GROWING_MS: Final = 50.0  # a queue that grows counts from here on
STANDING_MS: Final = 150.0  # one that does not shrink, from here
TOO_MUCH_LOSS: Final = 0.10  # beyond what the line loses anyway
BACK_OFF: Final = 0.85  # of what came through (draft-ietf-rmcat-gcc-02, section 5.5)
GROWTH_PER_S: Final = 0.08
HEADROOM: Final = 1.5
HEADROOM_BPS: Final = 10_000
AGAIN_S: Final = 0.3  # between two reductions
DRAINED_S: Final = 0.4  # after one, what is lost belongs to what was sent before
HELD_S: Final = 0.25  # how long what a feedback told is news
EXCUSED_S: Final = 0.6


class Estimate:
    """One measured receiver's line."""

    __slots__ = (
        "_acked",
        "_came_at",
        "_ceiling_bps",
        "_excused_until",
        "_fates",
        "_losses",
        "_pressed",
        "_pressed_at",
        "_queue",
        "_reduced_at",
        "_sent",
        "_told_at",
        "_trains",
        "_trend",
        "bps",
    )

    def __init__(self, log: SendLog, now: float) -> None:
        self.bps: float | None = None
        self._fates = Fates(log)
        self._trend, self._queue, self._trains = Trend(), Queue(), Trains()
        self._losses = Losses()
        self._sent, self._acked = Meter(1.0), Meter()
        self._came_at = 0.0  # the newest arrival, on the receiver's clock
        self._told_at = now
        self._reduced_at = float("-inf")
        self._ceiling_bps: float | None = None  # what came through when there last was too much
        self._excused_until = float("-inf")
        self._pressed: Pressed | None = None
        self._pressed_at = float("-inf")

    def excuse(self, now: float) -> None:
        """We were late ourselves: what the next moments show is not the line's fault."""
        self._excused_until = now + EXCUSED_S

    def fed_back(self, body: bytes, now: float) -> None:
        """The receiver tells what came and when. Raises ``Malformed``."""
        told = arrivals.read(body)
        for departure in self._fates.departed():
            self._sent.add(departure.at, departure.size_bytes)
        came = self._fates.told(told)
        for packet in came:
            self._trend.add(packet)
            self._queue.add(packet)
            self._trains.add(packet)
            self._acked.add(packet.came_s, packet.size_bytes)
            self._came_at = max(self._came_at, packet.came_s)
        self._trains.end()
        counted_from = self._reduced_at + DRAINED_S
        lost = self._fates.lost(counted_from)
        excused = now < self._excused_until
        passed_s, self._told_at = min(now - self._told_at, 1.0), now
        looked = False
        if excused:
            self._losses.forget()
        else:
            counted = sum(packet.sent_s >= counted_from for packet in came)
            looked = self._losses.add(counted, lost, self._sent.bps(now) or 0.0, now)
        pressed = None if excused else self._judge(looked)
        if pressed is not None:
            self._pressed, self._pressed_at = pressed, now
            self._reduce(pressed, now)
        elif came and not excused:
            self._grow(passed_s, now)

    def pressed(self, now: float) -> Pressed | None:
        """Whether the line is given too much."""
        return self._pressed if now - self._pressed_at <= HELD_S else None

    def reading(self, now: float) -> Reading:
        """What is known now."""
        return Reading(
            bps=self.bps,
            pressed=self.pressed(now),
            capacity_bps=self._trains.bps(now),
            queue_ms=self._queue.ms,
            loss=self._losses.lately,
        )

    def sent_bps(self, now: float) -> float:
        """What we have sent in the last second."""
        return self._sent.bps(now) or 0.0

    def _judge(self, looked: bool) -> Pressed | None:
        queue_ms, usage = self._queue.ms, self._trend.usage
        if (queue_ms >= GROWING_MS and usage == "over") or (queue_ms >= STANDING_MS and usage != "under"):
            return "delay"
        if looked and self._losses.share - 1.2 * self._losses.own > TOO_MUCH_LOSS:
            return "loss"
        return None

    def _reduce(self, pressed: Pressed, now: float) -> None:
        acked = self._acked.bps(self._came_at)
        if acked is None or now - self._reduced_at < AGAIN_S:
            return
        own, self._ceiling_bps = self._losses.own, acked
        self._reduced_at = now
        self._losses.start_over(now + DRAINED_S)
        self._trains.forget()
        passes = BACK_OFF * acked if pressed == "delay" else 0.95 * acked / (1 - own)
        self.bps = passes if self.bps is None else min(self.bps, passes)

    def _grow(self, passed_s: float, now: float) -> None:
        acked = self._acked.bps(self._came_at)
        if acked is None:
            return
        if self.bps is None:
            self.bps = acked
        most = HEADROOM * acked + HEADROOM_BPS
        capacity = self._trains.bps(now) or self._ceiling_bps
        if capacity is not None:
            most = min(most, max(acked, capacity))
            self.bps = min(self.bps, max(acked, capacity))
        if self.bps < most:
            self.bps = min(most, max(acked, self.bps * (1 + GROWTH_PER_S * passed_s)))
