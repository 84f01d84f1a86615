"""What was measured, kept coarser the older it is: low, mean and high of each step, for every metric.

The last two hours are kept each minute in memory, then points of five minutes for two weeks, then of an
hour for a
year and more. What is missing is missing (NaN inside, None outside), never zero. A row of points is packed
and
compressed here; where rows lie is the store's.
"""

import math
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from kiosk_hub.fleet.facts import Facts
from kiosk_hub.fleet.thresholds import METRICS
from room_manager.errors import Invalid

MINUTE_S: Final = 60
FINE_S: Final = 300
COARSE_S: Final = 3600
MINUTES_KEPT: Final = 120
FINE_KEPT_S: Final = 14 * 86_400
COARSE_KEPT_S: Final = 400 * 86_400
ROW_POINTS: Final = {FINE_S: 12, COARSE_S: 24}
"""How many points one row holds: an hour of fine ones, a day of coarse ones."""

MOST_POINTS: Final = 600
STEPS: Final = (60, 300, 900, 1800, 3600, 4 * 3600, 86_400)

NAMES: Final = tuple(METRICS)
"""The order in a packed point. New metrics go to the end; none is ever taken out."""

_READERS: Final = tuple(METRICS.values())
_WIDTH: Final = len(NAMES)
_NAN: Final = math.nan


class Point(Struct, frozen=True, array_like=True):
    """Lowest, mean and highest of one step."""

    low: float
    mean: float
    high: float


def merge(points: Sequence[Point]) -> Point | None:
    """One for several steps of the same length. None: there is none."""
    if not points:
        return None
    return Point(
        min(point.low for point in points),
        math.fsum(point.mean for point in points) / len(points),
        max(point.high for point in points),
    )


class Bucket:
    """One closed step of all metrics: three small floats each, NaN where nothing was measured."""

    __slots__ = ("values",)

    def __init__(self, values: "array[float] | None" = None) -> None:
        self.values = values if values is not None else array("f", [_NAN]) * (_WIDTH * 3)

    def point(self, metric: int) -> Point | None:
        low, mean, high = self.values[metric * 3 : metric * 3 + 3]
        return None if math.isnan(mean) else Point(low, mean, high)

    def put(self, metric: int, point: Point) -> None:
        self.values[metric * 3] = point.low
        self.values[metric * 3 + 1] = point.mean
        self.values[metric * 3 + 2] = point.high


def merge_buckets(buckets: Sequence[Bucket]) -> Bucket:
    """All metrics of several steps in one."""
    made = Bucket()
    for metric in range(_WIDTH):
        one = merge([point for bucket in buckets if (point := bucket.point(metric)) is not None])
        if one is not None:
            made.put(metric, one)
    return made


class Sums:
    """One step under way: how many, their sum, lowest, highest, for each metric."""

    __slots__ = ("start", "values")

    def __init__(self, start: int) -> None:
        self.start = start
        self.values = array("d", [0.0, 0.0, math.inf, -math.inf]) * _WIDTH

    def add(self, measured: Sequence[float | None]) -> None:
        values = self.values
        for metric, value in enumerate(measured):
            if value is None:
                continue
            at = metric * 4
            values[at] += 1
            values[at + 1] += value
            if value < values[at + 2]:
                values[at + 2] = value
            if value > values[at + 3]:
                values[at + 3] = value

    def closed(self) -> Bucket:
        bucket = Bucket()
        for metric in range(_WIDTH):
            count, total, low, high = self.values[metric * 4 : metric * 4 + 4]
            if count:
                bucket.put(metric, Point(low, total / count, high))
        return bucket


class Track:
    """What was measured of one device and is not in a row yet, and its last two hours."""

    __slots__ = ("_fine", "_minute", "_minutes", "_minutes_at", "begun_at", "coarse", "fine")

    def __init__(self, begun_at: float) -> None:
        self.begun_at = begun_at  # seconds, UTC
        self.fine: dict[int, Bucket] = {}  # closed, by their start
        self.coarse: dict[int, list[Bucket]] = {}  # the fine ones of each hour
        self._fine: Sums | None = None
        self._minute: Sums | None = None
        self._minutes = array("f", [_NAN]) * (MINUTES_KEPT * _WIDTH * 3)
        self._minutes_at = array("q", [-1]) * MINUTES_KEPT

    def add(self, facts: Facts, now: float) -> None:
        """One beat."""
        measured = tuple([read(facts) for read in _READERS])
        minute, fine = int(now // MINUTE_S) * MINUTE_S, int(now // FINE_S) * FINE_S
        if self._minute is None or self._minute.start != minute:
            self._close_minute()
            self._minute = Sums(minute)
        self._minute.add(measured)
        if self._fine is None or self._fine.start != fine:
            self.close_fine()
            self._fine = Sums(fine)
        self._fine.add(measured)

    def close_fine(self) -> None:
        """The step under way is over, as far as is known."""
        if self._fine is None:
            return
        start, bucket = self._fine.start, self._fine.closed()
        self._fine = None
        before = self.fine.get(start)
        self.fine[start] = bucket if before is None else merge_buckets([before, bucket])
        self.coarse.setdefault(start // COARSE_S * COARSE_S, []).append(bucket)

    def pending(self, step_s: int) -> dict[int, Bucket]:
        """Closed and open points of a step that are in no row, by their start."""
        found = dict(self.fine)
        hours = {start: list(buckets) for start, buckets in self.coarse.items()}
        if self._fine is not None:
            bucket = self._fine.closed()
            found[self._fine.start] = bucket
            hours.setdefault(self._fine.start // COARSE_S * COARSE_S, []).append(bucket)
        if step_s == FINE_S:
            return found
        return {start: merge_buckets(buckets) for start, buckets in hours.items()}

    def take_closed(self, now: float, everything: bool = False) -> dict[int, dict[int, Bucket]]:
        """By step: what is to go into rows now. It stays here until :meth:`forget`."""
        if self._fine is not None and (everything or now >= self._fine.start + FINE_S):
            self.close_fine()
        hour = int(now // COARSE_S) * COARSE_S
        return {
            FINE_S: dict(self.fine),
            COARSE_S: {
                start: merge_buckets(buckets)
                for start, buckets in self.coarse.items()
                if everything or start != hour
            },
        }

    def forget(self, taken: Mapping[int, Mapping[int, Bucket]]) -> None:
        """These are in rows now."""
        for start, bucket in taken[FINE_S].items():
            if self.fine.get(start) is bucket:
                del self.fine[start]
        for start in taken[COARSE_S]:
            self.coarse.pop(start, None)

    def minutes(self, metric: int, begins: int, ends: int) -> dict[int, Point]:
        """Points of a minute, by their start."""
        found: dict[int, Point] = {}
        for minute in range(begins - begins % MINUTE_S, ends, MINUTE_S):
            place = minute // MINUTE_S % MINUTES_KEPT
            if self._minutes_at[place] == minute:
                at = (place * _WIDTH + metric) * 3
                low, mean, high = self._minutes[at : at + 3]
                if not math.isnan(mean):
                    found[minute] = Point(low, mean, high)
        open_one = self._minute
        if open_one is not None and begins <= open_one.start + MINUTE_S - 1 and open_one.start < ends:
            point = open_one.closed().point(metric)
            if point is not None:
                found[open_one.start] = point
        return found

    def _close_minute(self) -> None:
        if self._minute is None:
            return
        place = self._minute.start // MINUTE_S % MINUTES_KEPT
        width = _WIDTH * 3
        self._minutes[place * width : (place + 1) * width] = self._minute.closed().values
        self._minutes_at[place] = self._minute.start


def row_start(step_s: int, start: int) -> int:
    """Which row a point belongs to."""
    span_s = step_s * ROW_POINTS[step_s]
    return start // span_s * span_s


def pack(step_s: int, row: int, buckets: Mapping[int, Bucket]) -> bytes:
    """A row's bytes: the number of metrics, then every point of the row in order."""
    values = array("f")
    for place in range(ROW_POINTS[step_s]):
        values.extend((buckets.get(row + place * step_s) or Bucket()).values)
    return bytes((_WIDTH,)) + zlib.compress(values.tobytes(), 6)


def unpack(step_s: int, row: int, body: bytes) -> dict[int, Bucket]:
    """By their start; steps in which nothing was measured are left out. One with fewer metrics than there
    are now was
    written by an older version."""
    width = body[0] * 3
    values = array("f")
    values.frombytes(zlib.decompress(body[1:]))
    found: dict[int, Bucket] = {}
    for place in range(len(values) // width):
        part = values[place * width : (place + 1) * width]
        if not all(math.isnan(value) for value in part):
            part.extend([_NAN] * (_WIDTH * 3 - width))
            found[row + place * step_s] = Bucket(part)
    return found


def merge_rows(old: Mapping[int, Bucket], new: Mapping[int, Bucket]) -> dict[int, Bucket]:
    """A step that was told twice (the server restarted in it) is made of both parts."""
    made = dict(old)
    for start, bucket in new.items():
        before = made.get(start)
        made[start] = bucket if before is None else merge_buckets([before, bucket])
    return made


def step_for(begins: float, ends: float, now: float) -> int:
    """The finest step that is still kept for all of the stretch and gives no more points than a chart
    shows.

    Raises ``Invalid``.
    """
    if not 0 <= begins < ends:
        raise Invalid("from: it must lie before to")
    if ends - begins > COARSE_KEPT_S + 86_400:
        raise Invalid("from: at most 400 days before to")
    for step_s in STEPS:
        if step_s < FINE_S and begins < now - MINUTES_KEPT * MINUTE_S:
            continue
        if step_s < COARSE_S and begins < now - FINE_KEPT_S:
            continue
        if (ends - begins) / step_s <= MOST_POINTS:
            return step_s
    return STEPS[-1]


def base_of(step_s: int) -> int:
    """Of what kept points a step is made."""
    return MINUTE_S if step_s < FINE_S else FINE_S if step_s < COARSE_S else COARSE_S


def coarsen(
    points: Mapping[int, Point], begins: float, ends: float, step_s: int
) -> list[tuple[int, Point | None]]:
    """Every step of the stretch in order; None where nothing was measured."""
    by_step: dict[int, list[Point]] = {}
    for start, point in points.items():
        by_step.setdefault(start // step_s * step_s, []).append(point)
    first = int(begins // step_s) * step_s
    return [(start, merge(by_step.get(start, ()))) for start in range(first, math.ceil(ends), step_s)]


def metric_index(name: str) -> int:
    """Raises ``Invalid``."""
    if name not in METRICS:
        raise Invalid(f"metric: one of {', '.join(NAMES)}")
    return NAMES.index(name)


def points_of(buckets: Iterable[tuple[int, Bucket]], metric: int) -> dict[int, Point]:
    """One metric of many steps."""
    return {start: point for start, bucket in buckets if (point := bucket.point(metric)) is not None}
