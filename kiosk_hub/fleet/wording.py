"""Times and numbers inside the fleet's sentences, as each language writes them."""

from datetime import UTC, datetime, timedelta
from typing import Final

from kiosk_hub.fleet.hours import OFFSET_S, day

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_VI: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")
_DAYS_EN: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _local(at: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at + OFFSET_S)


def moment(at: float, now: float) -> tuple[str, str]:
    """An instant as it is said now, in both languages: ``14:05``, or with its date on another day."""
    local = _local(at)
    clock = f"{local:%H:%M}"
    if day(at) == day(now):
        return clock, clock
    vi, en = f"{local.day}/{local.month}", f"{local.day} {_MONTHS[local.month - 1]}"
    if local.year != _local(now).year:
        vi, en = f"{vi}/{local.year}", f"{en} {local.year}"
    return f"{clock} ngày {vi}", f"{clock} on {en}"


def coming(at: float, now: float) -> tuple[str, str]:
    """An instant within the next week: ``07:30`` of today, else ``07:30 Thứ Hai``."""
    local = _local(at)
    clock = f"{local:%H:%M}"
    if day(at) == day(now):
        return clock, clock
    if 0 <= day(at) - day(now) < 7:
        return f"{clock} {_DAYS_VI[local.weekday()]}", f"{clock} on {_DAYS_EN[local.weekday()]}"
    return moment(at, now)


def percent(share: float) -> str:
    """A share of one, in whole percent: never 0 for something, never 100 for less than all."""
    whole = round(share * 100)
    if whole == 0 and share > 0:
        return "<1"
    return str(min(whole, 99) if share < 1 else whole)


def size(count: int) -> tuple[str, str]:
    """Bytes, in both languages: ``1,2 GB`` and ``1.2 GB``."""
    value, unit = float(count), "B"
    for bigger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, bigger
    text = f"{value:.1f}" if value < 10 and unit != "B" else f"{value:.0f}"
    return f"{text.replace('.', ',')} {unit}", f"{text} {unit}"


def lasting(seconds: float) -> tuple[str, str]:
    """A stretch of time in its biggest whole unit."""
    whole = max(0, int(seconds))
    if whole < 120:
        return f"{whole} giây", f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} phút", f"{whole // 60} min"
    if whole < 2 * 86_400:
        return f"{whole // 3600} giờ", f"{whole // 3600} h"
    return f"{whole // 86_400} ngày", f"{whole // 86_400} days"
