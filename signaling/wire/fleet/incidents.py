"""What went wrong, as the pages see it."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from kiosk_hub.fleet.incident_acts import Note
from kiosk_hub.fleet.incident_words import IncidentRow, Label
from kiosk_hub.fleet.reasons import Reason

Version = Annotated[int, Meta(ge=0, le=2**31)]


class Handler(Struct, frozen=True):
    """Somebody of the staff."""

    account: str
    name: str


class IncidentsAnswer(Struct, frozen=True):
    """``time``: seconds, UTC, of the answer; ``people``: the accounts that rows name."""

    time: float
    total: int
    incidents: tuple[IncidentRow, ...]
    people: tuple[Handler, ...]


class IncidentDevice(Struct, frozen=True):
    """One device of an incident. ``well_at`` None: something is wrong with it now."""

    id: str
    name: str
    unit: str
    building: str
    since: float
    well_at: float | None
    reasons: tuple[Reason, ...]
    flapping: bool


class TimelineEntry(Struct, frozen=True):
    """Something that happened. ``text``: as a person wrote it; ``by`` empty: the server."""

    at: float
    what: str  # ``opened``, ``acknowledged``, ``commented`` …
    said: Reason
    by: str = ""
    name: str = ""  # of who did it
    text: str = ""


class NoticeLine(Struct, frozen=True):
    """One notice that went out, or is to. Addresses are shown in the settings only."""

    id: str
    kind: str
    route: str
    channel: str
    state: str
    created_at: float
    due_at: float
    done_at: float | None
    attempts: int
    code: str  # of the last failure


class IncidentAnswer(Struct, frozen=True):
    """One incident's page."""

    time: float
    row: IncidentRow
    devices: tuple[IncidentDevice, ...]  # those that are not well first; at most 500
    timeline: tuple[TimelineEntry, ...]  # the latest first
    children: tuple[IncidentRow, ...]
    notices: tuple[NoticeLine, ...]
    handlers: tuple[Handler, ...]  # whom it can be given to
    people: tuple[Handler, ...]
    may_handle: bool


class AskVersion(Struct, frozen=True):
    """``version`` is the one that was seen; refused as ``stale`` otherwise."""

    version: Version


class AskAssign(Struct, frozen=True):
    """``to``: an account; empty: nobody."""

    to: Annotated[str, Meta(max_length=100)]
    version: Version


class AskComment(Struct, frozen=True):
    text: Note


class AskNote(Struct, frozen=True):
    note: Annotated[str, Meta(max_length=1_000)]
    version: Version


TYPES: Final[tuple[type[Struct], ...]] = (
    Label,
    IncidentRow,
    IncidentsAnswer,
    IncidentAnswer,
    AskVersion,
    AskAssign,
    AskComment,
    AskNote,
)
