"""What a content bundle says: ``announcements.json`` and the pictures it names.

::

    {"format": 1, "announcements": [
      {"id": "tiem-chung", "title": {"vi": "Lịch tiêm chủng", "en": "Vaccinations"},
       "text": {"vi": "…\\n\\n…"}, "picture": "files/tiem-chung.jpg",
       "from": "2026-11-27", "to": "2026-12-05", "seconds": 15, "private": false}]}

``from`` and ``to`` are days in Hà Nội, both included; either may be missing. The city looks a bundle through
by the same types as the device does.
"""

import datetime as dt
from collections.abc import Callable
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

MAX_ANNOUNCEMENTS: Final = 50
PICTURES: Final = (".jpg", ".jpeg", ".png", ".webp")


class Words(Struct, frozen=True):
    """A text in Vietnamese, and in English where it was translated."""

    vi: Annotated[str, Meta(min_length=1, max_length=4000)]
    en: Annotated[str, Meta(max_length=4000)] = ""


class Written(Struct, frozen=True, rename={"from_day": "from", "to_day": "to"}):
    """One announcement as it is in the file."""

    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
    title: Words
    text: Words
    picture: Annotated[str, Meta(max_length=200)] = ""
    from_day: dt.date | None = None
    to_day: dt.date | None = None
    seconds: Annotated[float, Meta(ge=3, le=300)] | None = None  # None: as the configuration says
    private: bool = False


class Content(Struct, frozen=True):
    """The whole file."""

    format: Literal[1]
    announcements: Annotated[tuple[Written, ...], Meta(max_length=MAX_ANNOUNCEMENTS)]


def contents_trouble(content: Content, is_there: Callable[[str], bool]) -> str | None:
    """What is wrong with it although each part is well formed; ``is_there``: of a picture's path."""
    if len({one.id for one in content.announcements}) != len(content.announcements):
        return "two announcements have the same id"
    for one in content.announcements:
        if one.picture and not (one.picture.lower().endswith(PICTURES) and is_there(one.picture)):
            return f"no picture {one.picture}"
    return None
