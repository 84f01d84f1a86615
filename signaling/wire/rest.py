"""What REST answers, as types: the same words as on the WebSocket."""

from typing import Final, Literal

from msgspec import Struct

from room_manager.meeting.values import Device, LinkKind, Role
from signaling.wire.server import SiteRef, SiteRow


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """Every refusal of a request. Programs look at ``code``, people at ``text``."""

    code: str
    text: str
    field: str | None = None


class TicketAnswer(Struct, frozen=True):
    """A single-use ticket for ``hello``, and what it lets in to."""

    ticket: str
    meeting: str
    title: str
    role: Role
    site: SiteRef | None
    expires_at: float  # seconds, UTC


class SessionAnswer(Struct, frozen=True):
    """Who is logged in. ``csrf`` goes into ``X-CSRF-Token`` of every request that changes something."""

    name: str
    display_name: str
    roles: tuple[str, ...]
    csrf: str


class MeetingSummary(Struct, frozen=True):
    """One meeting that the account may enter, and as what."""

    id: str
    title: str
    state: str
    role: Role


class MeetingsAnswer(Struct, frozen=True):
    meetings: tuple[MeetingSummary, ...]


class RosterSite(SiteRow, frozen=True, kw_only=True):
    """One unit with its names and where it is now."""

    name: str
    district: str
    district_code: str
    sort: str  # Vietnamese sort key


class RosterAnswer(Struct, frozen=True):
    """One page of the roster as of ``seq``; ``total`` counts all that match."""

    seq: int
    total: int
    sites: tuple[RosterSite, ...]


class DistrictInfo(Struct, frozen=True):
    """One district, and its place on the schematic tile map."""

    code: str
    name: str
    tile_row: int
    tile_col: int
    units: int


class DistrictsAnswer(Struct, frozen=True):
    districts: tuple[DistrictInfo, ...]


class HandsAnswer(Struct, frozen=True):
    """One page of the speaker queue."""

    seq: int
    version: int
    total: int
    hands: tuple[SiteRef, ...]


class LinkInfo(Struct, frozen=True):
    """A link that opens the door; never its token, which only its maker saw once."""

    id: str
    role: Role
    site: SiteRef | None
    device: Device | None
    kind: LinkKind
    created_at: float
    expires_at: float


class LinksAnswer(Struct, frozen=True):
    links: tuple[LinkInfo, ...]


class LinkAnswer(Struct, frozen=True):
    """A fresh link. The secret is told only now: a page's is in the URL, another's stands beside it."""

    id: str
    url: str
    token: str | None  # for encoders and players: what goes into ``Authorization: Bearer``


class RecordingInfo(Struct, frozen=True):
    """One recording, or what is left to say of a deleted one. While it is under way its size grows."""

    id: str
    state: Literal["recording", "ready", "deleted"]
    started_at: float  # seconds, UTC
    duration_s: float
    size_bytes: int
    mended: bool  # a crash cut it off
    deleted_at: float | None
    deleted_by: str | None  # ``retention``: its days were over


class RecordingsAnswer(Struct, frozen=True):
    """The newest first. ``keep_days`` 0: for ever."""

    keep_days: int
    recordings: tuple[RecordingInfo, ...]


ANSWERS: Final[tuple[type[Struct], ...]] = (
    ErrorBody,
    TicketAnswer,
    SessionAnswer,
    MeetingSummary,
    MeetingsAnswer,
    RosterSite,
    RosterAnswer,
    DistrictInfo,
    DistrictsAnswer,
    HandsAnswer,
    LinkInfo,
    LinksAnswer,
    LinkAnswer,
    RecordingInfo,
    RecordingsAnswer,
)
