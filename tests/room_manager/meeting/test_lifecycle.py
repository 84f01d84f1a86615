import pytest

from room_manager.errors import Ended, Invalid, Limit
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import (
    EndMeeting,
    GiveFloor,
    LockMeeting,
    RaiseHand,
    SetMode,
    ShareContent,
    UnlockMeeting,
)
from room_manager.meeting.events import (
    ContentStopped,
    FloorEnded,
    HandsCleared,
    MeetingEnded,
    MeetingLocked,
    MeetingOpened,
    MeetingUnlocked,
)
from room_manager.meeting.lifecycle import MAX_SITES, opening
from room_manager.meeting.meeting import Heard
from room_manager.meeting.values import FloorEnd, Mode, SiteState
from tests.helpers.meeting_driver import PHUC_XA, SITES, TRUC_BACH, MeetingDriver, member


def test_a_meeting_opens_with_the_host_first() -> None:
    assert opening("  Họp\tgiao ban ", SITES) == MeetingOpened("Họp giao ban", (HOST, *SITES))
    assert opening("Họp", (PHUC_XA, HOST)).sites == (HOST, PHUC_XA)


def test_a_meeting_without_title_with_a_site_twice_or_too_many_is_refused() -> None:
    with pytest.raises(Invalid, match="title"):
        opening("", SITES)
    with pytest.raises(Invalid, match="twice"):
        opening("Họp", (PHUC_XA, PHUC_XA))
    with pytest.raises(Limit, match="2000"):
        opening("Họp", [SiteId(f"{n:05}") for n in range(MAX_SITES + 1)])


def test_locking_and_unlocking_are_states_and_not_switches(meeting: MeetingDriver) -> None:
    assert meeting.do(UnlockMeeting()) == []
    assert meeting.do(LockMeeting()) == [MeetingLocked()]
    assert meeting.do(LockMeeting()) == []
    assert meeting.do(UnlockMeeting()) == [MeetingUnlocked()]


def test_the_end_ends_floor_queue_and_content_and_keeps_the_roll(meeting: MeetingDriver) -> None:
    meeting.join_all(HOST, PHUC_XA, TRUC_BACH)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=60))
    meeting.do(RaiseHand(TRUC_BACH), by=member(TRUC_BACH))
    meeting.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    events = meeting.do(EndMeeting())

    assert events == [
        HandsCleared(),
        ContentStopped(PHUC_XA),
        FloorEnded(PHUC_XA, FloorEnd.ENDED),
        MeetingEnded(),
    ]
    assert meeting.state.counts[SiteState.PRESENT] == 2


def test_the_end_stops_the_hosts_content_too(meeting: MeetingDriver) -> None:
    meeting.join(HOST)
    meeting.do(ShareContent(HOST))

    assert meeting.do(EndMeeting()) == [ContentStopped(HOST), MeetingEnded()]


def test_after_the_end_nothing_happens_any_more(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.do(SetMode(Mode.OPEN, mode_version=0))
    meeting.drop(TRUC_BACH)
    meeting.do(EndMeeting())

    with pytest.raises(Ended):
        meeting.join(TRUC_BACH)
    with pytest.raises(Ended):
        meeting.do(EndMeeting())
    assert meeting.drop(PHUC_XA) == []
    assert meeting.leave(PHUC_XA) == []
    assert meeting.meeting.due() is None
    assert meeting.meeting.tick(meeting.now + 3600) == []
    assert meeting.meeting.heard() == Heard(only=frozenset())
