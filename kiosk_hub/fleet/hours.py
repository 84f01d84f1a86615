"""Opening hours, in Hà Nội's time.

Viet Nam has had one time without summer time since 1975 (tz database, ``Asia/Ho_Chi_Minh``: +07), so the
day and
the minute of an instant are arithmetic and need no table of zones.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from kiosk_hub.fleet.places import Hours
from room_manager.errors import Invalid

OFFSET_S: Final = 7 * 3600
DAY_S: Final = 86_400
WEEK_MINUTES: Final = 7 * 1440
_EPOCH_WEEKDAY: Final = 3  # 1 January 1970 was a Thursday

Span = tuple[int, int]
"""From and to, minutes since Monday 00:00; ``to`` may lie in the next week."""


def weekday(now: float) -> int:
    """Monday is 0."""
    return (int((now + OFFSET_S) // DAY_S) + _EPOCH_WEEKDAY) % 7


def day(now: float) -> int:
    """Which day it is in Hà Nội, in days since 1970: two instants of one day have the same."""
    return int((now + OFFSET_S) // DAY_S)


def minute_of_week(now: float) -> float:
    """Minutes since Monday 00:00, with their fraction."""
    return weekday(now) * 1440 + ((now + OFFSET_S) % DAY_S) / 60


def check(hours: tuple[Hours, ...]) -> None:
    """Raise ``Invalid`` for a stretch that is none. One that ends before it begins goes over midnight."""
    for one in hours:
        if one.from_minute == one.to_minute:
            raise Invalid("hours: a stretch ends when it begins; from 0 to 1440 is the whole day")
        if one.from_minute == 1440:
            raise Invalid("hours: a stretch begins at 1439 at the latest")


@lru_cache(maxsize=4096)
def spans(hours: tuple[Hours, ...]) -> tuple[Span, ...]:
    """The stretches of a week, in order, those that touch or overlap made one."""
    made: list[Span] = []
    for begins, ends in sorted(_plain(hours)):
        if made and begins <= made[-1][1]:
            made[-1] = (made[-1][0], max(made[-1][1], ends))
        else:
            made.append((begins, ends))
    # Sunday night goes over into Monday morning.
    while len(made) > 1 and made[-1][1] >= made[0][0] + WEEK_MINUTES:
        first = made.pop(0)
        made[-1] = (made[-1][0], max(made[-1][1], first[1] + WEEK_MINUTES))
    return tuple(made)


def is_open(hours: tuple[Hours, ...], now: float) -> bool:
    """Should a device with these hours work now? No hours: always."""
    return not hours or opened_at(hours, now) is not None


def opened_at(hours: tuple[Hours, ...], now: float) -> float | None:
    """When the present stretch began, seconds UTC; None: it is closed. With no hours, or with the whole
    week open, it
    began long ago."""
    found = _holding(hours, now)
    if found is None:
        return None
    span, since_min = found
    return 0.0 if span[1] - span[0] >= WEEK_MINUTES else now - since_min * 60


def opens_at(hours: tuple[Hours, ...], now: float) -> float | None:
    """When it opens next, if it is closed now; seconds UTC."""
    if is_open(hours, now):
        return None
    minute = minute_of_week(now)
    return min(now + ((begins - minute) % WEEK_MINUTES) * 60 for begins, _ in spans(hours))


def _holding(hours: tuple[Hours, ...], now: float) -> tuple[Span, float] | None:
    """The span that ``now`` lies in, and how many minutes ago it began."""
    if not hours:
        return (0, WEEK_MINUTES), 0.0
    minute = minute_of_week(now)
    for span in spans(hours):
        since_min = (minute - span[0]) % WEEK_MINUTES
        if since_min < span[1] - span[0]:
            return span, since_min
    return None


def _plain(hours: tuple[Hours, ...]) -> Iterator[Span]:
    for one in hours:
        begins = one.weekday * 1440 + one.from_minute
        lasts = one.to_minute - one.from_minute
        if lasts < 0:
            lasts += 1440
        if lasts:
            yield begins, begins + lasts
