"""What the agent and the page on its own screen say to each other, over a WebSocket on loopback.

The page has no state of its own worth keeping: it draws the last ``Shown`` and tells what is touched. Whether
a resident is being served is decided by the agent alone.
"""

from typing import Final, Literal

from msgspec import Struct

from kiosk_hub.fleet.announcements import Words as Words
from kiosk_hub.fleet.configuration import Language, TextSize
from room_manager.words import kebab

MAX_PAGE_MESSAGE_BYTES: Final = 1024


class Announcement(Struct, frozen=True):
    """One announcement as residents see it."""

    id: str
    title: Words
    text: Words
    picture: str = ""  # its address, seen from the page; empty: none
    seconds: float = 15.0  # how long the resting screen shows it
    private: bool = False  # residents see it; a screenshot covers it


class PairingShown(Struct, frozen=True):
    """What lets the device be enrolled. The QR is at ``qr.svg`` beside the page."""

    code: str
    words: tuple[str, ...]
    minutes: int  # it is good for, rounded up


class Shown(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """All that is to be drawn. ``scene`` is the page; everything else is what stands on it.

    ``wait``: please wait a moment. ``pairing``: the device is not enrolled yet. ``sent-away``: it is, and the
    city does not let it in. ``attract``: the resting screen. ``session``: a resident is reading.
    """

    v: Literal[1] = 1
    scene: Literal["wait", "pairing", "sent-away", "out-of-service", "attract", "session"]
    now: float | None = None  # seconds, UTC, on the city's clock; None: no clock is shown
    name: str = ""  # of the device, as staff call it
    online: bool = False
    message: str = ""  # out of service: what staff wrote for residents
    code: str = ""  # sent away: why
    pairing: PairingShown | None = None
    announcements: tuple[Announcement, ...] = ()
    session: int = 0  # counts sessions: a new one begins with a page that remembers nothing
    idle_s: float = 60.0  # a session ends by itself so long after the last touch
    language: Language = "vi"  # in which a session begins
    text_size: TextSize = "normal"  # of announcements
    mm_per_px: float | None = None
    low_reach_mm: int | None = None


class PageMessage(Struct, frozen=True, tag_field="type", tag=kebab):
    """Base of what the page says."""


class Begin(PageMessage, frozen=True):
    """A resident touched the resting screen."""


class Touched(PageMessage, frozen=True):
    """The resident is still there. Told at most once a second."""


class Finish(PageMessage, frozen=True):
    """The resident is done: "Xoá và thoát"."""


AnyPageMessage = Begin | Touched | Finish
