"""The small words of a meeting, the same in Python, JSON, TypeScript and SQL."""

from enum import StrEnum

from room_manager.words import kebab as kebab


class Role(StrEnum):
    """What somebody is in one meeting."""

    CHAIR = "chair"
    SECRETARY = "secretary"
    OPERATOR = "operator"
    SITE = "site"
    OBSERVER = "observer"


class Device(StrEnum):
    """Which of a site's two devices."""

    PRIMARY = "primary"
    BACKUP = "backup"


class LinkKind(StrEnum):
    """What a link is given to: each opens one door and no other."""

    PAGE = "page"  # a browser that shows our pages
    WHIP = "whip"  # an encoder that sends
    WHEP = "whep"  # a player that watches


class SiteState(StrEnum):
    """Where a site is, as the roll shows it."""

    EXPECTED = "expected"
    PRESENT = "present"
    AWAY = "away"  # lost without a word, within grace
    LEFT = "left"
    EXCUSED = "excused"


class Mode(StrEnum):
    """Who may be heard beside the host."""

    CHAIR_ONLY = "chair-only"
    CALLED_SITE = "called-site"  # the site that has the floor
    OPEN = "open"
    BREAK = "break"  # nobody, not even the host


class RecordingEnd(StrEnum):
    """Why a meeting is recorded no more."""

    ASKED = "asked"
    DISK_FULL = "disk-full"
    FAILED = "failed"  # whoever records gave up
    ENDED = "ended"  # with the meeting


class FloorEnd(StrEnum):
    """Why a site has the floor no more."""

    YIELDED = "yielded"
    TAKEN = "taken"
    PASSED = "passed"  # given to another site
    TIME_UP = "time-up"
    DROPPED = "dropped"  # did not come back within grace
    LEFT = "left"
    BREAK = "break"  # the mode lets no site speak
    ENDED = "ended"  # with the meeting
