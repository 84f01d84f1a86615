"""Every cell of the permission table, entered here a second time by hand.

``-`` nobody, ``o`` the own site only, ``h`` the host site only, ``a`` any site or a command without one.
"""

from typing import Final, get_args

import pytest
from msgspec.structs import replace

from room_manager.errors import NotAllowed
from room_manager.ids import HOST, ConnectionId
from room_manager.meeting import commands as c
from room_manager.meeting.events import AnyEvent
from room_manager.meeting.meeting import Member
from room_manager.meeting.permissions import TABLE, Scope, may, scope
from room_manager.meeting.values import Device, Mode, RecordingEnd, Role, kebab
from tests.helpers.meeting_driver import (
    CHAIR,
    OBSERVER,
    OPERATOR,
    PHUC_XA,
    QUAN_THANH,
    SECRETARY,
    TRUC_BACH,
    VINH_PHUC,
    MeetingDriver,
    member,
)

MEMBERS: Final = (CHAIR, SECRETARY, OPERATOR, member(PHUC_XA), OBSERVER)

EXPECTED: Final[dict[type[c.AnyCommand], str]] = {
    c.Join: "o--o-",
    c.Drop: "o--o-",
    c.Leave: "o--o-",
    c.ExcuseAbsence: "aaa--",
    c.WithdrawExcuse: "aaa--",
    c.CountPeople: "aaao-",
    c.RaiseHand: "aaao-",
    c.LowerHand: "aaao-",
    c.ClearHands: "aaa--",
    c.GiveFloor: "a-a--",
    c.NextSpeaker: "a-a--",
    c.TakeFloor: "a-a--",
    c.YieldFloor: "---o-",
    c.SetMode: "a-a--",
    c.MuteAll: "a-a--",
    c.UnmuteAll: "a-a--",
    c.MuteSite: "a-a--",
    c.UnmuteSite: "a-a--",
    c.SetStage: "a-a--",
    c.ShareContent: "o-ho-",
    c.StopContent: "a-ao-",
    c.StartRecording: "aa---",
    c.StopRecording: "aa---",
    c.FailRecording: "a----",
    c.LockMeeting: "a-a--",
    c.UnlockMeeting: "a-a--",
    c.EndMeeting: "a----",
}

CELLS: Final = [
    pytest.param(command, by, letter, id=f"{by.role}-{kebab(command.__name__)}")
    for command, letters in EXPECTED.items()
    for by, letter in zip(MEMBERS, letters, strict=True)
]


def meeting_ready_for(kind: type[c.AnyCommand]) -> MeetingDriver:
    """A meeting in which a command of this kind has something to do: see :func:`command_for`."""
    meeting = MeetingDriver()
    meeting.join_all(HOST, PHUC_XA, TRUC_BACH, VINH_PHUC)
    if kind in (c.TakeFloor, c.YieldFloor, c.ShareContent, c.StopContent):
        meeting.do(c.GiveFloor(PHUC_XA, floor_version=0))
    elif kind is c.WithdrawExcuse:
        meeting.do(c.ExcuseAbsence(QUAN_THANH, "ốm"))
    elif kind in (c.UnmuteAll, c.UnmuteSite):
        meeting.do(c.MuteAll())
    elif kind in (c.StopRecording, c.FailRecording):
        meeting.do(c.StartRecording())
    elif kind is c.UnlockMeeting:
        meeting.do(c.LockMeeting())
    elif kind in (c.LowerHand, c.ClearHands, c.NextSpeaker):
        meeting.do(c.RaiseHand(PHUC_XA))
    if kind is c.StopContent:
        meeting.do(c.ShareContent(PHUC_XA), by=member(PHUC_XA))
    return meeting


def command_for(kind: type[c.AnyCommand], meeting: MeetingDriver, by: Member) -> c.AnyCommand:
    """A command of this kind that the state of the meeting does not refuse, for a site in scope."""
    own = by.own_site() or PHUC_XA
    state = meeting.state
    commands: tuple[c.AnyCommand, ...] = (
        c.Join(own, Device.BACKUP, ConnectionId("new")),
        c.Drop(own, meeting.connection(own)),
        c.Leave(own, meeting.connection(own)),
        c.ExcuseAbsence(QUAN_THANH, "ốm"),
        c.WithdrawExcuse(QUAN_THANH),
        c.CountPeople(PHUC_XA, 7),
        c.RaiseHand(PHUC_XA),
        c.LowerHand(PHUC_XA),
        c.ClearHands(state.hands_version),
        c.GiveFloor(PHUC_XA, state.floor.version),
        c.NextSpeaker(state.floor.version),
        c.TakeFloor(state.floor.version),
        c.YieldFloor(own),
        c.SetMode(Mode.OPEN, state.mode_version),
        c.MuteAll(),
        c.UnmuteAll(),
        c.MuteSite(PHUC_XA),
        c.UnmuteSite(PHUC_XA),
        c.SetStage(None, (PHUC_XA,), state.stage.version),
        c.ShareContent(HOST if by.role is Role.OPERATOR else own),
        c.StopContent(PHUC_XA),
        c.StartRecording(),
        c.StopRecording(),
        c.FailRecording(RecordingEnd.DISK_FULL),
        c.LockMeeting(),
        c.UnlockMeeting(),
        c.EndMeeting(),
    )
    return next(command for command in commands if type(command) is kind)


def outside_scope(command: c.AnyCommand, letter: str) -> c.AnyCommand | None:
    """The same command for a site that is not in scope, if there is such a site."""
    if letter not in "oh":
        return None
    return replace(command, site=TRUC_BACH)


def allowed(meeting: MeetingDriver, command: c.AnyCommand, by: Member) -> list[AnyEvent] | None:
    try:
        return meeting.do(command, by=by)
    except NotAllowed:
        return None


def test_every_command_has_its_row_and_every_role_its_cell() -> None:
    assert set(TABLE) == set(EXPECTED) == set(get_args(c.AnyCommand))
    assert all(set(row) == set(Role) for row in TABLE.values())


@pytest.mark.parametrize(("kind", "by", "letter"), CELLS)
def test_each_role_may_do_what_the_table_says_and_nothing_else(
    kind: type[c.AnyCommand], by: Member, letter: str
) -> None:
    meeting = meeting_ready_for(kind)
    command = command_for(kind, meeting, by)

    elsewhere = outside_scope(command, letter)
    refused_elsewhere = elsewhere is None or allowed(meeting, elsewhere, by) is None
    events = allowed(meeting, command, by)

    assert refused_elsewhere
    assert bool(events) is (letter != "-")


def test_what_is_not_in_the_table_is_for_nobody() -> None:
    class Rob(c.Command, frozen=True):
        pass

    assert all(scope(role, Rob) is Scope.NONE for role in Role)  # type: ignore[arg-type]


def test_a_page_is_told_what_it_may_offer() -> None:
    assert may(Role.OBSERVER) == ()
    assert may(Role.SITE) == (
        "count-people",
        "raise-hand",
        "lower-hand",
        "yield-floor",
        "share-content",
        "stop-content",
    )
    assert set(may(Role.CHAIR)) - set(may(Role.OPERATOR)) == {
        "end-meeting",
        "start-recording",
        "stop-recording",
    }
    assert not {"join", "fail-recording"} & set(may(Role.CHAIR))


@pytest.mark.parametrize(
    "impostor",
    [Member(Role.SITE), Member(Role.SITE, HOST), Member(Role.CHAIR, PHUC_XA), Member(Role.OBSERVER, PHUC_XA)],
)
def test_a_member_without_a_site_of_its_own_acts_for_none(impostor: Member) -> None:
    meeting = MeetingDriver()

    for site in (PHUC_XA, HOST):
        with pytest.raises(NotAllowed):
            meeting.do(c.Join(site, Device.PRIMARY, ConnectionId("c")), by=impostor)
