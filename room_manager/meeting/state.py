"""What a meeting remembers. Plain values; only ``apply`` writes them."""

from msgspec import Struct, field

from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting.values import Device, Mode, SiteState


class Site(Struct):
    """One bridge point in one meeting."""

    id: SiteId
    state: SiteState = SiteState.EXPECTED
    devices: dict[Device, ConnectionId] = field(default_factory=dict)
    active: Device | None = None  # the device that is the site's picture and voice
    been_here: bool = False
    people: int | None = None
    excuse: str | None = None
    until: float | None = None  # end of grace while away


class Floor(Struct):
    """Who speaks. ``version`` counts every change."""

    version: int = 0
    site: SiteId | None = None
    until: float | None = None  # end of speaking time
    held_until: float | None = None  # the speaker is away; the floor is kept until then


class Stage(Struct):
    """What everybody sees."""

    version: int = 0
    main: SiteId = HOST
    tiles: tuple[SiteId, ...] = ()
    content: SiteId | None = None


class Microphones(Struct):
    """Who is muted, over and above what the mode says."""

    all_muted: bool = False
    allowed: set[SiteId] = field(default_factory=set)  # despite the mute for all
    muted: set[SiteId] = field(default_factory=set)


class State(Struct):
    """Everything a fold of the journal gives back.

    ``graces`` is a heap of (end of grace, site), so that the next one is known without looking at
    every site. An entry counts only while the site still has that very end; the first always counts.
    """

    title: str = ""
    sites: dict[SiteId, Site] = field(default_factory=dict)
    counts: dict[SiteState, int] = field(default_factory=dict)  # units only, without the host
    graces: list[tuple[float, SiteId]] = field(default_factory=list)
    hands: list[SiteId] = field(default_factory=list)  # in the order of raising
    hands_version: int = 0
    floor: Floor = field(default_factory=Floor)
    mode: Mode = Mode.CALLED_SITE
    mode_version: int = 0
    microphones: Microphones = field(default_factory=Microphones)
    stage: Stage = field(default_factory=Stage)
    recording_since: float | None = None  # None: the meeting is not recorded
    locked: bool = False
    ended: bool = False
