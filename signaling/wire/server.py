"""What the server says. The state of a room is told in *sections*, each small, whole and versioned.

A section message is the new value of its section as of ``seq``. A client keeps the newest of each, so
losing an older one costs nothing: that is what lets a slow line coalesce, and a resume send only the
sections that changed since ``have``. No message grows with the roster: lists are bounded, and who wants
more asks for a page by REST.
"""

from typing import Final, Literal

from msgspec import Struct

from room_manager.media.engine import Step, StepReason
from room_manager.meeting.values import Device, Mode, Role, SiteState, kebab

MAX_HANDS_TOLD: Final = 32
MAX_SITES_TOLD: Final = 64


class SiteRef(Struct, frozen=True):
    """A site by its code, with what a page needs to name it."""

    code: str
    name: str  # full name, "Phường Phúc Xá"
    district: str  # full district name, "Quận Ba Đình"; empty for the host
    simulated: bool = False


class ServerMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """Base of everything the server says."""

    v: Literal[1] = 1


class You(Struct, frozen=True):
    """Who the server takes you for."""

    role: Role
    name: str
    site: SiteRef | None
    device: Device | None
    may: tuple[str, ...]  # the commands this role may give; a page hides the others


class IceServer(Struct, frozen=True):
    """A relay for whom a firewall lets through nothing else, as RTCPeerConnection takes it."""

    urls: tuple[str, ...]
    username: str
    credential: str  # good for some hours, for this member only


class Welcome(ServerMessage, frozen=True):
    """The answer to hello. ``resumed``: only what changed since ``have`` follows, else everything."""

    rid: int
    features: tuple[str, ...]
    epoch: int
    seq: int
    resumed: bool
    resume: str  # token for the next hello, and the bearer token of this window's REST calls
    meeting: str
    you: You
    server_time: float  # seconds, UTC
    ice_servers: tuple[IceServer, ...] = ()


class Done(ServerMessage, frozen=True):
    """The command is durable; what it changed is told as of ``seq``."""

    rid: int
    seq: int


class Problem(ServerMessage, frozen=True):
    """Refused; nothing has changed. Programs look at ``code``, people at ``text``."""

    code: str
    text: str
    rid: int | None = None


class Pong(ServerMessage, frozen=True):
    rid: int
    server_time: float


class Answer(ServerMessage, frozen=True):
    """The answer to an offer, and which section is which slot; a restart's has new credentials only."""

    rid: int
    sdp: str
    slots: dict[str, str]  # mid → main, content, tile-1…4, audio-1…3; of a wall: wall-1…25


# --- sections ---


class Meeting(ServerMessage, frozen=True):
    seq: int
    title: str
    locked: bool
    ended: bool
    mode: Mode
    mode_version: int


class Floor(ServerMessage, frozen=True):
    seq: int
    version: int
    site: SiteRef | None
    until: float | None  # end of speaking time
    held_until: float | None  # the speaker's line is lost; its floor is kept until then


class Hands(ServerMessage, frozen=True):
    """The same order for everybody: it is data, not a sort."""

    seq: int
    version: int
    total: int
    first: tuple[SiteRef, ...]  # at most MAX_HANDS_TOLD


class Stage(ServerMessage, frozen=True):
    """``main`` sees ``host`` in its own main slot; nobody is sent its own picture."""

    seq: int
    version: int
    host: SiteRef
    main: SiteRef
    tiles: tuple[SiteRef, ...]
    content: SiteRef | None


class Microphones(ServerMessage, frozen=True):
    """Whether *you* may be heard now: the one section told per receiver."""

    seq: int
    all_muted: bool
    you_may_speak: bool
    you_are_muted: bool


class Recording(ServerMessage, frozen=True):
    """Whether the meeting is recorded: everybody is shown it."""

    seq: int
    since: float | None  # seconds, UTC; null: it is not


class Counts(ServerMessage, frozen=True):
    """How many units are where; the host is not counted."""

    seq: int
    total: int
    expected: int
    present: int
    away: int
    left: int
    excused: int


# --- presence, to those who watch it ---


class SiteRow(Struct, frozen=True):
    code: str
    state: SiteState
    device: Device | None = None
    people: int | None = None
    hand: bool = False
    muted: bool = False
    line: Literal["good", "weak", "bad"] | None = None
    microphone: bool = True
    camera: bool = True
    excuse: str | None = None
    simulated: bool = False
    step: Step | None = None  # None: no picture and no sound yet
    reason: StepReason | None = None
    step_at: float | None = None  # since when, seconds, UTC


class Presence(ServerMessage, frozen=True):
    """Rows that changed since the last one; at most MAX_SITES_TOLD each, ten a second."""

    seq: int
    sites: tuple[SiteRow, ...]


# --- passing facts ---


class Act(ServerMessage, frozen=True):
    """What was just done, by whom; to officials. ``act`` is the event's type."""

    seq: int
    at: float
    act: str
    by: str
    site: SiteRef | None = None
    detail: str = ""


class Speaking(ServerMessage, frozen=True):
    """Whose voice is heard now, loudest first, at most three."""

    sites: tuple[SiteRef, ...]


class Line(ServerMessage, frozen=True):
    """How your own line is, what it is sent therefore, and why."""

    grade: Literal["good", "weak", "bad"]
    rtt_ms: float | None
    loss: float
    step: Step
    reason: StepReason
    available_bps: int | None  # what the line is thought to carry; None: not measured


class Layers(ServerMessage, frozen=True):
    """Which layers of your picture somebody watches: send these, and no other.

    ``layers`` holds rids (``q``, ``h``, ``f``), or ``""`` for a picture sent in one layer; empty: none.
    About the peer connection that was offered last for the meeting; until told, send all.
    """

    role: Literal["camera", "screen"]
    layers: tuple[str, ...]


class MediaLost(ServerMessage, frozen=True):
    """The media engine restarted: close your peer connection and offer anew after this wait."""

    retry_after_ms: int


class Leave(ServerMessage, frozen=True):
    """Go. ``resume``: come back with the resume token; ``reconnect``: with a new ticket;
    ``disconnect``: do not come back by yourself."""

    action: Literal["disconnect", "resume", "reconnect"]
    retry_after_ms: int
    code: str  # superseded, ended, shutting-down, lagging, revoked, left
    text: str


AnyServerMessage = (
    Welcome
    | Done
    | Problem
    | Pong
    | Answer
    | Meeting
    | Floor
    | Hands
    | Stage
    | Microphones
    | Recording
    | Counts
    | Presence
    | Act
    | Speaking
    | Line
    | Layers
    | MediaLost
    | Leave
)
