import pytest

from room_manager.errors import Invalid, Locked, NotAllowed, UnknownSite, WrongState
from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting.commands import (
    MAX_REASON_CHARS,
    CountPeople,
    Drop,
    ExcuseAbsence,
    Join,
    Leave,
    LockMeeting,
    RaiseHand,
    UnlockMeeting,
    WithdrawExcuse,
)
from room_manager.meeting.events import (
    AbsenceExcused,
    ExcuseWithdrawn,
    GraceEnded,
    HandLowered,
    PeopleCounted,
    SiteDropped,
    SiteJoined,
    SiteLeft,
)
from room_manager.meeting.meeting import Member
from room_manager.meeting.presence import PRESENCE_GRACE_S, TRANSITIONS
from room_manager.meeting.values import Device, Role, SiteState
from tests.helpers.meeting_driver import CHAIR, PHUC_XA, SECRETARY, SITES, TRUC_BACH, MeetingDriver, member


def test_every_unit_is_expected_and_the_host_is_not_counted(meeting: MeetingDriver) -> None:
    assert meeting.state.counts == {
        SiteState.EXPECTED: len(SITES),
        SiteState.PRESENT: 0,
        SiteState.AWAY: 0,
        SiteState.LEFT: 0,
        SiteState.EXCUSED: 0,
    }

    meeting.join(HOST)

    assert meeting.site(HOST).state is SiteState.PRESENT
    assert meeting.state.counts[SiteState.PRESENT] == 0


def test_a_site_that_joins_is_present(meeting: MeetingDriver) -> None:
    connection = meeting.join(PHUC_XA)

    assert meeting.said_last() == SiteJoined(PHUC_XA, Device.PRIMARY, connection)
    assert meeting.site(PHUC_XA).state is SiteState.PRESENT
    assert meeting.state.counts[SiteState.PRESENT] == 1


def test_the_same_connection_joins_once(meeting: MeetingDriver) -> None:
    connection = meeting.join(PHUC_XA)

    again = meeting.do(Join(PHUC_XA, Device.PRIMARY, connection), by=member(PHUC_XA))

    assert again == []


def test_a_lost_site_is_away_until_its_grace_ends(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.drop(PHUC_XA)
    assert meeting.said_last() == SiteDropped(PHUC_XA, until=meeting.now + PRESENCE_GRACE_S)

    meeting.wait(PRESENCE_GRACE_S - 0.001)
    assert meeting.site(PHUC_XA).state is SiteState.AWAY
    meeting.wait(0.001)

    assert meeting.said_last() == GraceEnded(PHUC_XA)
    assert meeting.site(PHUC_XA).state is SiteState.LEFT
    assert meeting.meeting.due() is None


def test_a_site_that_comes_back_within_grace_is_present_and_its_grace_is_over(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.drop(PHUC_XA)
    meeting.wait(PRESENCE_GRACE_S - 0.001)

    meeting.join(PHUC_XA)
    meeting.wait(PRESENCE_GRACE_S * 2)

    assert meeting.site(PHUC_XA).state is SiteState.PRESENT
    assert meeting.said(GraceEnded) == []


def test_each_drop_has_a_grace_of_its_own(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.drop(PHUC_XA)
    meeting.wait(10)
    meeting.drop(TRUC_BACH)
    meeting.join(PHUC_XA)
    meeting.drop(PHUC_XA)

    meeting.wait(PRESENCE_GRACE_S)

    assert meeting.said(GraceEnded) == [GraceEnded(PHUC_XA), GraceEnded(TRUC_BACH)]


def test_a_late_tick_ends_all_graces_the_earliest_first(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.drop(TRUC_BACH)
    meeting.now += 1
    meeting.drop(PHUC_XA)

    brought = meeting.meeting.tick(meeting.now + 3600)

    assert brought == [GraceEnded(TRUC_BACH), GraceEnded(PHUC_XA)]


def test_a_site_that_drops_twice_in_one_moment_leaves_once(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.drop(TRUC_BACH)
    meeting.now += 1
    meeting.drop(PHUC_XA)
    meeting.join(PHUC_XA)
    meeting.drop(PHUC_XA)

    brought = meeting.meeting.tick(meeting.now + 3600)

    assert brought == [GraceEnded(TRUC_BACH), GraceEnded(PHUC_XA)]


def test_a_ghost_that_drops_changes_nothing(meeting: MeetingDriver) -> None:
    ghost = meeting.join(PHUC_XA)
    meeting.join(PHUC_XA)

    events = meeting.do(Drop(PHUC_XA, ghost), by=member(PHUC_XA))

    assert events == []
    assert meeting.site(PHUC_XA).state is SiteState.PRESENT
    assert meeting.state.counts[SiteState.PRESENT] == 1


def test_a_ghost_that_leaves_changes_nothing(meeting: MeetingDriver) -> None:
    ghost = meeting.join(PHUC_XA)
    meeting.join(PHUC_XA)

    assert meeting.do(Leave(PHUC_XA, ghost), by=member(PHUC_XA)) == []


def test_a_site_that_leaves_has_no_grace_and_no_hand(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))

    events = meeting.leave(PHUC_XA)

    assert events == [HandLowered(PHUC_XA), SiteLeft(PHUC_XA)]
    assert meeting.site(PHUC_XA).state is SiteState.LEFT
    assert meeting.meeting.due() is None


def test_a_hand_is_kept_while_away_and_lowered_when_grace_ends(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.drop(PHUC_XA)

    meeting.wait(PRESENCE_GRACE_S - 0.001)
    kept = list(meeting.state.hands)
    meeting.wait(0.001)

    assert kept == [PHUC_XA]
    assert meeting.events[-2:] == [HandLowered(PHUC_XA), GraceEnded(PHUC_XA)]
    assert meeting.state.hands == []


def test_an_expected_site_is_excused_and_expected_again(meeting: MeetingDriver) -> None:
    meeting.do(ExcuseAbsence(PHUC_XA, "  Đi  công tác\n"), by=SECRETARY)
    assert meeting.said_last() == AbsenceExcused(PHUC_XA, "Đi công tác")
    assert meeting.state.counts[SiteState.EXCUSED] == 1

    meeting.do(WithdrawExcuse(PHUC_XA), by=SECRETARY)

    assert meeting.said_last() == ExcuseWithdrawn(PHUC_XA)
    assert meeting.site(PHUC_XA).excuse is None
    assert meeting.do(WithdrawExcuse(PHUC_XA), by=SECRETARY) == []


def test_an_excused_site_that_comes_after_all_is_present_without_excuse(meeting: MeetingDriver) -> None:
    meeting.do(ExcuseAbsence(PHUC_XA, "ốm"), by=SECRETARY)

    meeting.join(PHUC_XA)

    assert meeting.site(PHUC_XA).state is SiteState.PRESENT
    assert meeting.site(PHUC_XA).excuse is None


def test_the_reason_can_be_corrected(meeting: MeetingDriver) -> None:
    meeting.do(ExcuseAbsence(PHUC_XA, "ốm"), by=SECRETARY)

    same = meeting.do(ExcuseAbsence(PHUC_XA, "ốm"), by=SECRETARY)
    other = meeting.do(ExcuseAbsence(PHUC_XA, "mất điện"), by=SECRETARY)

    assert same == []
    assert other == [AbsenceExcused(PHUC_XA, "mất điện")]
    assert meeting.state.counts[SiteState.EXCUSED] == 1


def test_an_away_site_that_is_excused_gives_up_its_hand_and_its_grace(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.drop(PHUC_XA)

    events = meeting.do(ExcuseAbsence(PHUC_XA, "mất điện"), by=SECRETARY)

    assert events == [HandLowered(PHUC_XA), AbsenceExcused(PHUC_XA, "mất điện")]
    assert meeting.meeting.due() is None


def test_neither_a_present_site_nor_the_host_can_be_excused(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)

    with pytest.raises(WrongState, match="present"):
        meeting.do(ExcuseAbsence(PHUC_XA, "ốm"), by=SECRETARY)
    with pytest.raises(WrongState, match="host"):
        meeting.do(ExcuseAbsence(HOST, "ốm"), by=SECRETARY)


@pytest.mark.parametrize("reason", ["", "  \n ", "\u200b\u202e", "a\x00b", "x" * (MAX_REASON_CHARS + 1)])
def test_a_reason_is_one_line_of_text_within_limits(meeting: MeetingDriver, reason: str) -> None:
    with pytest.raises(Invalid, match="reason"):
        meeting.do(ExcuseAbsence(PHUC_XA, reason), by=SECRETARY)


@pytest.mark.parametrize("people", [0, 12, 9_999])
def test_people_in_the_room_are_counted(meeting: MeetingDriver, people: int) -> None:
    meeting.join(PHUC_XA)

    first = meeting.do(CountPeople(PHUC_XA, people), by=member(PHUC_XA))
    again = meeting.do(CountPeople(PHUC_XA, people), by=member(PHUC_XA))

    assert first == [PeopleCounted(PHUC_XA, people)]
    assert again == []
    assert meeting.site(PHUC_XA).people == people


@pytest.mark.parametrize("people", [-1, 10_000])
def test_an_impossible_number_of_people_is_refused(meeting: MeetingDriver, people: int) -> None:
    meeting.join(PHUC_XA)

    with pytest.raises(Invalid, match="9999"):
        meeting.do(CountPeople(PHUC_XA, people), by=member(PHUC_XA))


def test_nobody_is_counted_in_a_room_that_is_not_there(meeting: MeetingDriver) -> None:
    with pytest.raises(WrongState):
        meeting.do(CountPeople(PHUC_XA, 3), by=SECRETARY)


def test_a_site_that_is_not_on_the_roster_is_unknown_and_not_echoed(meeting: MeetingDriver) -> None:
    stranger = SiteId("99999<script>")

    with pytest.raises(UnknownSite) as refusal:
        meeting.do(Join(stranger, Device.PRIMARY, ConnectionId("c")), by=Member(Role.SITE, stranger))

    assert "99999" not in str(refusal.value)


def test_only_the_chair_joins_as_the_host(meeting: MeetingDriver) -> None:
    join = Join(HOST, Device.PRIMARY, ConnectionId("c"))

    with pytest.raises(NotAllowed):
        meeting.do(join, by=Member(Role.SITE, HOST))
    with pytest.raises(NotAllowed):
        meeting.do(join, by=Member(Role.CHAIR))
    meeting.do(join, by=CHAIR)

    assert meeting.site(HOST).state is SiteState.PRESENT


def test_a_locked_meeting_lets_back_in_who_was_there_and_nobody_else(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.leave(PHUC_XA)
    meeting.do(LockMeeting())

    meeting.join(PHUC_XA)
    meeting.join(HOST)
    with pytest.raises(Locked):
        meeting.join(TRUC_BACH)
    meeting.do(UnlockMeeting())
    meeting.join(TRUC_BACH)

    assert meeting.state.counts[SiteState.PRESENT] == 2


def test_every_way_through_the_states_leads_on(meeting: MeetingDriver) -> None:
    assert set(TRANSITIONS) == set(SiteState)
    assert all(SiteJoined in ways for ways in TRANSITIONS.values())
    reached = {after for ways in TRANSITIONS.values() for after in ways.values()}
    assert reached == set(SiteState)
