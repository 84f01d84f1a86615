"""What a client may say. Every message carries ``v`` and ``rid``; a rid answers to one request.

``rid`` is chosen by the client, grows within one resumable session, and survives a reconnect: a
replayed one is answered from the cache and done only once.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from room_manager.meeting.values import Mode, kebab

VERSION: Final = 1
MAX_MESSAGE_BYTES: Final = 16_384
MAX_OFFER_BYTES: Final = 65_536
MAX_WALL: Final = 25

Purpose = Literal["meeting", "wall"]
"""Which of a window's two peer connections: the meeting's own, or the one of city hall's wall."""


class ClientMessage(Struct, frozen=True, kw_only=True, tag_field="type", tag=kebab):
    """Base of everything a client says."""

    rid: int
    v: Literal[1] = 1


class Hello(ClientMessage, frozen=True):
    """Must come first, within 5 s. Either a fresh ``ticket`` or the ``resume`` token of a welcome.

    ``have`` is the last ``seq`` heard in ``epoch``; without them a snapshot follows.
    """

    ticket: str | None = None
    resume: str | None = None
    have: int | None = None
    epoch: int | None = None


class Ping(ClientMessage, frozen=True):
    """Is the line alive? Answered by ``pong`` at once."""


class Offer(ClientMessage, frozen=True):
    """The session description of a new peer connection; answered by ``answer``.

    It takes the place of the one this window had for the same purpose. A wall is city hall's: it only
    receives, and is watched by ``watch-wall``.
    """

    sdp: str
    purpose: Purpose = "meeting"


class RestartIce(ClientMessage, frozen=True):
    """The network has changed: the same peer connection with new credentials; answered by ``answer``.

    ``not-joined``: the connection is gone, offer a new one.
    """

    sdp: str
    purpose: Purpose = "meeting"


class WatchWall(ClientMessage, frozen=True):
    """What the wall's slots ``wall-1…25`` show, in order. Empty: nothing. Officials only."""

    sites: Annotated[tuple[str, ...], Meta(max_length=MAX_WALL)]


class CloseWall(ClientMessage, frozen=True):
    """The wall is looked at no longer: its peer connection ends. Officials only."""


class WatchPresence(ClientMessage, frozen=True):
    """Tell me of every site's state (on), or only of counts (off). Officials only."""

    on: bool


class DeviceState(ClientMessage, frozen=True):
    """What the device itself sends now: a camera covered or a microphone switched off by hand."""

    microphone: bool
    camera: bool


class Leave(ClientMessage, frozen=True):
    """I go, on purpose."""


# --- commands, as in room_manager.meeting.commands; ``site`` left out means one's own ---


class RaiseHand(ClientMessage, frozen=True):
    site: str | None = None


class LowerHand(ClientMessage, frozen=True):
    site: str | None = None


class ClearHands(ClientMessage, frozen=True):
    hands_version: int


class GiveFloor(ClientMessage, frozen=True):
    site: str
    floor_version: int
    speaking_time_s: float | None = None


class NextSpeaker(ClientMessage, frozen=True):
    floor_version: int
    speaking_time_s: float | None = None


class TakeFloor(ClientMessage, frozen=True):
    floor_version: int


class YieldFloor(ClientMessage, frozen=True):
    pass


class SetMode(ClientMessage, frozen=True):
    mode: Mode
    mode_version: int


class MuteAll(ClientMessage, frozen=True):
    pass


class UnmuteAll(ClientMessage, frozen=True):
    pass


class MuteSite(ClientMessage, frozen=True):
    site: str


class UnmuteSite(ClientMessage, frozen=True):
    site: str


class SetStage(ClientMessage, frozen=True):
    main: str | None
    tiles: tuple[str, ...]
    stage_version: int


class ShareContent(ClientMessage, frozen=True):
    pass


class StopContent(ClientMessage, frozen=True):
    site: str | None = None


class ExcuseAbsence(ClientMessage, frozen=True):
    site: str
    reason: str


class WithdrawExcuse(ClientMessage, frozen=True):
    site: str


class CountPeople(ClientMessage, frozen=True):
    people: int
    site: str | None = None


class StartRecording(ClientMessage, frozen=True):
    pass


class StopRecording(ClientMessage, frozen=True):
    pass


class LockMeeting(ClientMessage, frozen=True):
    pass


class UnlockMeeting(ClientMessage, frozen=True):
    pass


class EndMeeting(ClientMessage, frozen=True):
    pass


AnyClientMessage = (
    Hello
    | Ping
    | Offer
    | RestartIce
    | WatchWall
    | CloseWall
    | WatchPresence
    | DeviceState
    | Leave
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
    | ExcuseAbsence
    | WithdrawExcuse
    | CountPeople
    | StartRecording
    | StopRecording
    | LockMeeting
    | UnlockMeeting
    | EndMeeting
)
