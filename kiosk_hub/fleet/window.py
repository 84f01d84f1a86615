"""A stretch of the day in Hà Nội's time, which may go over midnight. The device and the city count alike."""

from typing import Final

HANOI_OFFSET_S: Final = 7 * 3600
"""Asia/Ho_Chi_Minh has been UTC+7 without summer time since 1975."""
DAY_MINUTES: Final = 1440


def second_of_day(now: float) -> float:
    """Since midnight in Hà Nội; ``now`` in seconds, UTC."""
    return (now + HANOI_OFFSET_S) % 86_400


def is_open(from_minute: int | None, to_minute: int | None, now: float) -> bool:
    """May one download now? The end is not part of it. Without both ends, or with equal ones: always."""
    return opens_in_s(from_minute, to_minute, now) == 0.0


def opens_in_s(from_minute: int | None, to_minute: int | None, now: float) -> float:
    """Seconds until the window is open; 0: it is."""
    if from_minute is None or to_minute is None or from_minute % DAY_MINUTES == to_minute % DAY_MINUTES:
        return 0.0
    second, first, last = second_of_day(now), from_minute * 60, to_minute * 60
    inside = first <= second < last if first < last else not last <= second < first
    return 0.0 if inside else (first - second) % 86_400
