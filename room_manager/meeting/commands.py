"""What may be asked of a meeting. Imperative, frozen, naming target states.

A command that changes something others may be changing names the version of it that was seen;
a different version now means ``stale``. Who may ask what is data: see ``permissions``.
"""

from typing import Final

from msgspec import Struct

from room_manager.ids import ConnectionId, SiteId
from room_manager.meeting.values import Device, Mode, RecordingEnd, kebab

MAX_TILES: Final = 4
MAX_REASON_CHARS: Final = 200
MAX_PEOPLE: Final = 9_999
MIN_SPEAKING_TIME_S: Final = 5.0
MAX_SPEAKING_TIME_S: Final = 4 * 3600.0


class Command(Struct, frozen=True, tag_field="type", tag=kebab):
    """Base of all commands; on the wire the type is the class in kebab-case."""


# --- coming and going (asked by the server for a connection, never taken from the wire) ---


class Join(Command, frozen=True):
    """The device's connection stands for its site; an older one of the same device is a ghost."""

    site: SiteId
    device: Device
    connection: ConnectionId


class Drop(Command, frozen=True):
    """The connection is gone without a word. The site is away, and keeps what it has for a while.

    A connection that no longer stands for its site (a ghost) changes nothing: no event.
    """

    site: SiteId
    connection: ConnectionId


class Leave(Command, frozen=True):
    """The device leaves on purpose. If it is the site's last: no grace, no floor, no hand."""

    site: SiteId
    connection: ConnectionId


# --- presence ---


class ExcuseAbsence(Command, frozen=True):
    """Record that the site is absent with a reason (vắng mặt có phép)."""

    site: SiteId
    reason: str


class WithdrawExcuse(Command, frozen=True):
    """The site is expected again."""

    site: SiteId


class CountPeople(Command, frozen=True):
    """How many delegates sit in the site's room now."""

    site: SiteId
    people: int


# --- hands and floor ---


class RaiseHand(Command, frozen=True):
    """The site stands in the speaker queue; asking again changes nothing."""

    site: SiteId


class LowerHand(Command, frozen=True):
    """The site no longer stands in the queue."""

    site: SiteId


class ClearHands(Command, frozen=True):
    """Nobody stands in the queue."""

    hands_version: int


class GiveFloor(Command, frozen=True):
    """Let one site speak; whoever had the floor has it no more."""

    site: SiteId
    floor_version: int
    speaking_time_s: float | None = None


class NextSpeaker(Command, frozen=True):
    """Hand the floor to the first present site in the queue."""

    floor_version: int
    speaking_time_s: float | None = None


class TakeFloor(Command, frozen=True):
    """Nobody but the host has the floor."""

    floor_version: int


class YieldFloor(Command, frozen=True):
    """The site that speaks has finished."""

    site: SiteId


# --- microphones ---


class SetMode(Command, frozen=True):
    """Who may be heard, from now on and for everyone who joins later."""

    mode: Mode
    mode_version: int


class MuteAll(Command, frozen=True):
    """Nobody but the host is heard until allowed again, one by one or all; one act."""


class UnmuteAll(Command, frozen=True):
    """Every single and general mute is lifted; the mode decides alone."""


class MuteSite(Command, frozen=True):
    """The site is not heard, whatever the mode says."""

    site: SiteId


class UnmuteSite(Command, frozen=True):
    """The site may be heard where the mode allows it, even after a mute for all."""

    site: SiteId


# --- what is seen ---


class SetStage(Command, frozen=True):
    """What everybody sees: the main picture (None: the host) and up to four tiles."""

    main: SiteId | None
    tiles: tuple[SiteId, ...]
    stage_version: int


class ShareContent(Command, frozen=True):
    """The site's screen is the content for all, in place of any other."""

    site: SiteId


class StopContent(Command, frozen=True):
    """No content is shown, if it was this site's."""

    site: SiteId


# --- recording ---


class StartRecording(Command, frozen=True):
    """Everybody is told that the programme is recorded, and it is."""


class StopRecording(Command, frozen=True):
    """The programme is recorded no more."""


class FailRecording(Command, frozen=True):
    """Recording cannot go on. Asked by the server itself, never taken from the wire."""

    why: RecordingEnd


# --- the meeting itself ---


class LockMeeting(Command, frozen=True):
    """Only sites that have been in the meeting may come (back) in."""


class UnlockMeeting(Command, frozen=True):
    """Every site on the roster may come in."""


class EndMeeting(Command, frozen=True):
    """The meeting is over, for good."""


AnyCommand = (
    Join
    | Drop
    | Leave
    | ExcuseAbsence
    | WithdrawExcuse
    | CountPeople
    | RaiseHand
    | LowerHand
    | ClearHands
    | GiveFloor
    | NextSpeaker
    | TakeFloor
    | YieldFloor
    | SetMode
    | MuteAll
    | UnmuteAll
    | MuteSite
    | UnmuteSite
    | SetStage
    | ShareContent
    | StopContent
    | StartRecording
    | StopRecording
    | FailRecording
    | LockMeeting
    | UnlockMeeting
    | EndMeeting
)
