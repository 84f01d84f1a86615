"""Whether a queue grows before a receiver: the delay half of Google's congestion control.

After draft-ietf-rmcat-gcc-02 (sections 5.2 to 5.4) and the trendline filter that browsers use today:
packets sent together are one group; the change of delay between groups is summed, smoothed, and its slope
compared with a threshold that adapts to what the line does anyway.

Beside it the *queue* itself: how much longer the fastest packets of the last half second were under way
than the fastest of the last quarter minute. Jitter leaves the fastest alone, a queue does not; so a slope
counts only if there is a queue, and a line that jitters is not taken for a full one.
"""

from collections import deque
from operator import mul
from typing import Final, Literal

from room_manager.media.sfu.line.fates import Arrived

BURST_S: Final = 0.005
WINDOW: Final = 20  # groups the slope is taken over
SMOOTHING: Final = 0.9
GAIN: Final = 4.0
MAX_DELTAS: Final = 60
FIRST_THRESHOLD_MS: Final = 12.5
LEAST_THRESHOLD_MS: Final = 6.0
MOST_THRESHOLD_MS: Final = 600.0
UP: Final = 0.0087  # how fast the threshold follows upward, per ms
DOWN: Final = 0.039
MAX_ADAPT_MS: Final = 15.0  # a spike further above the threshold than this does not raise it
OVERUSE_MS: Final = 10.0  # the slope must be too steep for so long
LATELY_S: Final = 0.5
BASE_S: Final = 15.0
MAX_PAUSE_S: Final = 2.0  # after a longer one the old delays say nothing

Usage = Literal["normal", "over", "under"]


class Trend:
    """The slope of the delay of one line."""

    __slots__ = (
        "_accumulated_ms",
        "_came",
        "_deltas",
        "_first_ms",
        "_history",
        "_last_trend",
        "_over_ms",
        "_previous",
        "_sent",
        "_smoothed_ms",
        "_threshold_ms",
        "_updated_ms",
        "usage",
    )

    def __init__(self) -> None:
        self.usage: Usage = "normal"
        self._sent: tuple[float, float] | None = None  # first and last of the group under way
        self._came = 0.0  # its last arrival
        self._previous: tuple[float, float] | None = None  # last sent and last came of the group before
        self._history: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._deltas = 0
        self._accumulated_ms = self._smoothed_ms = 0.0
        self._first_ms: float | None = None
        self._threshold_ms = FIRST_THRESHOLD_MS
        self._updated_ms: float | None = None
        self._over_ms: float | None = None
        self._last_trend = 0.0

    def add(self, packet: Arrived) -> None:
        """One packet that came; in the order of sending."""
        group = self._sent
        if group is None:
            self._sent, self._came = (packet.sent_s, packet.sent_s), packet.came_s
            return
        first, last = group
        if packet.sent_s < first:
            return  # of an older group: too late to count
        gap_came = packet.came_s - self._came
        drained = gap_came <= BURST_S and gap_came < packet.sent_s - last  # came in one burst behind a pause
        if packet.sent_s - first <= BURST_S or drained:
            self._sent = (first, max(last, packet.sent_s))
            self._came = max(self._came, packet.came_s)
            return
        before, self._previous = self._previous, (last, self._came)
        if before is not None:
            self._delta((last - before[0]) * 1000, (self._came - before[1]) * 1000, self._came * 1000)
        self._sent, self._came = (packet.sent_s, packet.sent_s), packet.came_s

    def _delta(self, sent_ms: float, came_ms: float, at_ms: float) -> None:
        if sent_ms > MAX_PAUSE_S * 1000 or abs(came_ms) > 10 * MAX_PAUSE_S * 1000:
            self._history.clear()
            self._accumulated_ms = self._smoothed_ms = 0.0
            return
        self._deltas = min(self._deltas + 1, 1000)
        self._accumulated_ms += came_ms - sent_ms
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._accumulated_ms
        if self._first_ms is None:
            self._first_ms = at_ms
        self._history.append((at_ms - self._first_ms, self._smoothed_ms))
        slope = _slope(self._history) if len(self._history) == WINDOW else 0.0
        self._detect(min(self._deltas, MAX_DELTAS) * slope * GAIN, sent_ms, at_ms)

    def _detect(self, trend: float, sent_ms: float, at_ms: float) -> None:
        if trend > self._threshold_ms:
            self._over_ms = sent_ms / 2 if self._over_ms is None else self._over_ms + sent_ms
            if self._over_ms > OVERUSE_MS and trend >= self._last_trend:
                self._over_ms = 0.0
                self.usage = "over"
        else:
            self._over_ms = None
            self.usage = "under" if trend < -self._threshold_ms else "normal"
        self._last_trend = trend
        self._adapt(trend, at_ms)

    def _adapt(self, trend: float, at_ms: float) -> None:
        size = abs(trend)
        if self._updated_ms is not None and size <= self._threshold_ms + MAX_ADAPT_MS:
            pace = DOWN if size < self._threshold_ms else UP
            passed = min(max(at_ms - self._updated_ms, 0.0), 100.0)
            moved = self._threshold_ms + pace * (size - self._threshold_ms) * passed
            self._threshold_ms = min(MOST_THRESHOLD_MS, max(LEAST_THRESHOLD_MS, moved))
        self._updated_ms = at_ms


class Shortest:
    """The shortest way of the last while, kept in slices of time."""

    __slots__ = ("_count", "_slice_s", "_slices")

    def __init__(self, slice_s: float, count: int) -> None:
        self._slice_s = slice_s
        self._count = count
        self._slices: deque[tuple[int, float]] = deque()

    def add(self, came_s: float, way_s: float) -> None:
        """One way; an arrival before the newest slice counts in that."""
        moment, slices = int(came_s / self._slice_s), self._slices
        if slices and moment <= slices[-1][0]:
            if way_s < slices[-1][1]:
                slices[-1] = (slices[-1][0], way_s)
            return
        slices.append((moment, way_s))
        while slices[0][0] <= moment - self._count:
            slices.popleft()

    @property
    def way_s(self) -> float:
        """The shortest."""
        return min(way for _, way in self._slices)


class Queue:
    """How long packets wait before the receiver, beyond what they must."""

    __slots__ = ("_any", "_ever", "_lately")

    def __init__(self) -> None:
        self._any = False
        self._lately = Shortest(LATELY_S / 5, 5)
        self._ever = Shortest(BASE_S / 30, 30)

    def add(self, packet: Arrived) -> None:
        """One packet that came."""
        way_s = packet.came_s - packet.sent_s  # of two clocks: only differences mean something
        self._any = True
        self._lately.add(packet.came_s, way_s)
        self._ever.add(packet.came_s, way_s)

    @property
    def ms(self) -> float:
        """The queue lately."""
        return (self._lately.way_s - self._ever.way_s) * 1000 if self._any else 0.0


def _slope(points: deque[tuple[float, float]]) -> float:
    """Least squares. The heights need no mean taken off: what they are multiplied by adds up to nothing."""
    mean = sum(x for x, _ in points) / len(points)
    distances = [x - mean for x, _ in points]
    below = sum(map(mul, distances, distances))
    return sum(map(mul, distances, [y for _, y in points])) / below if below else 0.0
