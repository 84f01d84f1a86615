"""Between the words of the wire and the words of a meeting. Pure; no rule of its own."""

from collections.abc import Callable, Mapping
from typing import Final, get_args

import msgspec

from room_manager.errors import DomainError
from room_manager.ids import HOST, SiteId
from room_manager.meeting import commands as c
from room_manager.meeting import events as e
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.member import Member
from room_manager.meeting.state import State
from room_manager.meeting.values import Role, SiteState
from room_manager.reactors import scene_of
from room_manager.store.journal import Recorded
from signaling.wire import client, server
from signaling.wire.codec import Refused

Names = Callable[[SiteId], server.SiteRef]
"""What to call a site."""

SECTIONS: Final = ("meeting", "floor", "hands", "stage", "recording", "counts")
"""The sections told alike to everybody. ``microphones`` is told per receiver."""

_BY_THE_SERVER: Final = frozenset({"Join", "Drop", "Leave", "FailRecording"})

COMMANDS: Final[Mapping[type[client.ClientMessage], tuple[Callable[..., c.AnyCommand], tuple[str, ...]]]] = {
    wire: (getattr(c, wire.__name__), getattr(c, wire.__name__).__struct_fields__)
    for wire in get_args(client.AnyClientMessage)
    if hasattr(c, wire.__name__) and wire.__name__ not in _BY_THE_SERVER
}


def command_for(message: client.ClientMessage, member: Member) -> c.AnyCommand:
    """The command a message asks for. Where it names no site, its sender's own is meant: for city hall,
    the host."""
    make, names = COMMANDS[type(message)]
    values = {name: getattr(message, name, None) for name in names}
    if "site" in values and values["site"] is None:
        values["site"] = member.site if member.role is Role.SITE else HOST
    return make(**values)


def problem_for(error: Exception, rid: int | None) -> server.Problem:
    """Tell the client why, without telling how we are built.

    A refusal carries its code and its text. Anything else is our bug: the client learns only that, since
    exception texts may hold what it must not see.
    """
    if isinstance(error, Refused):
        return server.Problem(code=error.reason, text=str(error), rid=error.rid if rid is None else rid)
    if isinstance(error, DomainError):
        return server.Problem(code=error.code, text=str(error), rid=rid)
    return server.Problem(code="internal", text="something went wrong on our side", rid=rid)


def meeting(state: State, seq: int) -> server.Meeting:
    return server.Meeting(
        seq=seq,
        title=state.title,
        locked=state.locked,
        ended=state.ended,
        mode=state.mode,
        mode_version=state.mode_version,
    )


def floor(state: State, seq: int, names: Names) -> server.Floor:
    held = state.floor
    return server.Floor(
        seq=seq,
        version=held.version,
        site=names(held.site) if held.site is not None else None,
        until=held.until,
        held_until=held.held_until,
    )


def hands(state: State, seq: int, names: Names) -> server.Hands:
    return server.Hands(
        seq=seq,
        version=state.hands_version,
        total=len(state.hands),
        first=tuple(names(site) for site in state.hands[: server.MAX_HANDS_TOLD]),
    )


def stage(state: State, seq: int, names: Names) -> server.Stage:
    seen = state.stage
    return server.Stage(
        seq=seq,
        version=seen.version,
        host=names(HOST),
        main=names(seen.main),
        # As the media slots show them: the host is in sight also when another site is the main picture.
        tiles=tuple(names(site) for site in scene_of(Meeting(state)).tiles),
        content=names(seen.content) if seen.content is not None else None,
    )


def counts(state: State, seq: int) -> server.Counts:
    count = state.counts
    return server.Counts(
        seq=seq,
        total=sum(count.values()),
        expected=count.get(SiteState.EXPECTED, 0),
        present=count.get(SiteState.PRESENT, 0),
        away=count.get(SiteState.AWAY, 0),
        left=count.get(SiteState.LEFT, 0),
        excused=count.get(SiteState.EXCUSED, 0),
    )


def section(name: str, state: State, seq: int, names: Names) -> server.ServerMessage:
    """One section of the state by its name."""
    match name:
        case "meeting":
            return meeting(state, seq)
        case "floor":
            return floor(state, seq, names)
        case "hands":
            return hands(state, seq, names)
        case "stage":
            return stage(state, seq, names)
        case "recording":
            return server.Recording(seq=seq, since=state.recording_since)
        case "counts":
            return counts(state, seq)
    raise KeyError(name)


def act(record: Recorded, names: Names) -> server.Act:
    """What officials hear of an event: its type, who did it, and the one thing worth saying of it."""
    event = record.event
    site: SiteId | None = getattr(event, "site", None)
    return server.Act(
        seq=record.seq,
        at=record.at,
        act=str(event.__struct_config__.tag),
        by=record.by,
        site=names(site) if site is not None else None,
        detail=_detail(event),
    )


def _detail(event: e.AnyEvent) -> str:
    match event:
        case e.FloorEnded(why=why) | e.RecordingStopped(why=why):
            return why
        case e.ModeSet(mode=mode):
            return mode
        case e.AbsenceExcused(reason=reason):
            return reason
        case e.PeopleCounted(people=people):
            return str(people)
        case e.SiteJoined(device=device) | e.DeviceDropped(device=device):
            return device
        case e.StageSet(main=main):
            return main or HOST
        case _:
            return ""


def same_but_seq(a: server.ServerMessage | None, b: server.ServerMessage) -> bool:
    """Do two sections say the same, as of whatever number?"""
    if a is None or type(a) is not type(b):
        return False
    return msgspec.structs.replace(a, seq=0) == msgspec.structs.replace(b, seq=0)
