"""What a content bundle says: announcements on the waiting screen."""

from typing import Annotated

from msgspec import Meta, Struct


class Announcement(Struct, frozen=True):
    """One announcement on the waiting screen. Times in seconds, UTC; None: no such end."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    text: Annotated[str, Meta(max_length=2000)] = ""
    image: Annotated[str, Meta(max_length=200)] = ""  # a path in the bundle
    shown_from: float | None = None
    shown_to: float | None = None


class Announcements(Struct, frozen=True):
    """``announcements.json``: in the order in which they are shown."""

    announcements: Annotated[tuple[Announcement, ...], Meta(max_length=200)] = ()
    each_s: Annotated[float, Meta(ge=2, le=600)] = 12.0
