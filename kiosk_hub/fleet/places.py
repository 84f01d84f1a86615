"""Where a device stands, who looks after it there, and when it should work."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from room_manager.ids import SiteId

Minutes = Annotated[int, Meta(ge=0, le=1440)]
Text100 = Annotated[str, Meta(max_length=100)]
Text300 = Annotated[str, Meta(max_length=300)]


class Hours(Struct, frozen=True):
    """One stretch of opening, on one day of the week, in Hà Nội's time. ``to`` may be 1440 (midnight)."""

    weekday: Annotated[int, Meta(ge=0, le=6)]  # Monday is 0
    from_minute: Minutes
    to_minute: Minutes


ALWAYS: Final[tuple[Hours, ...]] = ()
"""No opening hours: it should work day and night."""


class Contact(Struct, frozen=True):
    """Whom to call at the place. For staff's eyes; in no metric, no log line."""

    name: Text100 = ""
    phone: Annotated[str, Meta(max_length=30)] = ""
    email: Text100 = ""


class Place(Struct, frozen=True):
    """One place. Devices at the same ``unit`` and ``building`` share power and line."""

    unit: SiteId  # of the roster; its district is looked up there
    building: Text100 = ""  # "Nhà văn hóa số 3"; empty: the unit's own seat
    floor: Annotated[str, Meta(max_length=30)] = ""
    note: Text300 = ""  # "cạnh cửa ra vào"
    contact: Contact = Contact()
    hours: tuple[Hours, ...] = ALWAYS
    mm_per_px: Annotated[float, Meta(gt=0.0, le=5.0)] | None = None
    camera: Text100 = ""  # /dev/v4l/by-id/…; empty: the first one
    low_reach_mm: Annotated[int, Meta(ge=0, le=3000)] | None = None
