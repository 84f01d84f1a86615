"""What has happened in a meeting. Past tense, frozen, complete: folding them gives the state.

Times (``until``) are seconds on the room's clock: UTC, as ``time.time()`` gives them, so that they
still mean something after a restart.
"""

from msgspec import Struct

from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting.values import Device, FloorEnd, Mode, RecordingEnd, kebab


class Event(Struct, frozen=True, tag_field="type", tag=kebab):
    """Base of all events; stored and told by the class name in kebab-case."""


class MeetingOpened(Event, frozen=True):
    """The first event of every room: which sites are expected, the host first."""

    title: str
    sites: tuple[SiteId, ...]


class SiteJoined(Event, frozen=True):
    """The connection stands for the site's device from now on; the site is present."""

    site: SiteId
    device: Device
    connection: ConnectionId


class DeviceDropped(Event, frozen=True):
    """One of a site's two devices is gone; the other carries on as the site."""

    site: SiteId
    device: Device


class SiteDropped(Event, frozen=True):
    """The site's last device is gone without a word; its place is kept until then.

    If it has the floor, that is kept until ``floor_until``, which is no later.
    """

    site: SiteId
    until: float
    floor_until: float | None = None


class GraceEnded(Event, frozen=True):
    """The site did not come back in time: it has left."""

    site: SiteId


class SiteLeft(Event, frozen=True):
    """The site left on purpose."""

    site: SiteId


class AbsenceExcused(Event, frozen=True):
    """The site is absent with a reason."""

    site: SiteId
    reason: str


class ExcuseWithdrawn(Event, frozen=True):
    """The site is expected again."""

    site: SiteId


class PeopleCounted(Event, frozen=True):
    """So many delegates sit in the site's room."""

    site: SiteId
    people: int


class HandRaised(Event, frozen=True):
    """The site stands at the end of the queue."""

    site: SiteId


class HandLowered(Event, frozen=True):
    """The site stands in the queue no more."""

    site: SiteId


class HandsCleared(Event, frozen=True):
    """The queue is empty."""


class FloorGiven(Event, frozen=True):
    """The site may be heard by all, and its camera is the main picture."""

    site: SiteId
    until: float | None  # end of speaking time


class FloorEnded(Event, frozen=True):
    """The site has the floor no more, and the main picture is the host's again."""

    site: SiteId
    why: FloorEnd


class ModeSet(Event, frozen=True):
    """Who may be heard follows this mode."""

    mode: Mode


class AllMuted(Event, frozen=True):
    """Only the host may be heard until sites are allowed again."""


class AllUnmuted(Event, frozen=True):
    """No mute is in force, single or general."""


class SiteMuted(Event, frozen=True):
    """The site is not heard."""

    site: SiteId


class SiteUnmuted(Event, frozen=True):
    """The site may be heard where the mode allows it."""

    site: SiteId


class StageSet(Event, frozen=True):
    """What everybody sees."""

    main: SiteId | None
    tiles: tuple[SiteId, ...]


class ContentShared(Event, frozen=True):
    """The site's screen is the content for all."""

    site: SiteId


class ContentStopped(Event, frozen=True):
    """No content is shown."""

    site: SiteId


class RecordingStarted(Event, frozen=True):
    """The programme is recorded from now on; everybody sees a sign of it."""

    since: float


class RecordingStopped(Event, frozen=True):
    """The programme is recorded no more."""

    why: RecordingEnd


class MeetingLocked(Event, frozen=True):
    """Only sites that have been in the meeting may come in."""


class MeetingUnlocked(Event, frozen=True):
    """Every site on the roster may come in."""


class MeetingEnded(Event, frozen=True):
    """The meeting is over; the roll stays as it was at that moment."""


AnyEvent = (
    MeetingOpened
    | SiteJoined
    | DeviceDropped
    | SiteDropped
    | GraceEnded
    | SiteLeft
    | AbsenceExcused
    | ExcuseWithdrawn
    | PeopleCounted
    | HandRaised
    | HandLowered
    | HandsCleared
    | FloorGiven
    | FloorEnded
    | ModeSet
    | AllMuted
    | AllUnmuted
    | SiteMuted
    | SiteUnmuted
    | StageSet
    | ContentShared
    | ContentStopped
    | RecordingStarted
    | RecordingStopped
    | MeetingLocked
    | MeetingUnlocked
    | MeetingEnded
)
