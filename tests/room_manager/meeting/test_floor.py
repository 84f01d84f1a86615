import math

import pytest

from room_manager.errors import Invalid, NotAllowed, Stale, UnknownSite, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import (
    ExcuseAbsence,
    GiveFloor,
    MuteAll,
    NextSpeaker,
    RaiseHand,
    SetMode,
    SetStage,
    TakeFloor,
    YieldFloor,
)
from room_manager.meeting.events import FloorEnded, FloorGiven, GraceEnded, HandLowered, ModeSet, SiteLeft
from room_manager.meeting.floor import FLOOR_GRACE_S
from room_manager.meeting.presence import PRESENCE_GRACE_S
from room_manager.meeting.values import FloorEnd, Mode
from tests.helpers.meeting_driver import (
    OPERATOR,
    PHUC_XA,
    SECRETARY,
    TRUC_BACH,
    VINH_PHUC,
    MeetingDriver,
    member,
)


@pytest.fixture
def speaking(meeting: MeetingDriver) -> MeetingDriver:
    """Three wards are present, and Phúc Xá has the floor."""
    meeting.join_all(HOST, PHUC_XA, TRUC_BACH, VINH_PHUC)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))
    return meeting


def test_the_site_that_gets_the_floor_is_heard_and_seen_by_all(speaking: MeetingDriver) -> None:
    assert speaking.said_last() == FloorGiven(PHUC_XA, until=None)
    assert speaking.state.floor.site == PHUC_XA
    assert speaking.state.floor.version == 1
    assert speaking.state.stage.main == PHUC_XA
    assert speaking.may_speak(PHUC_XA)
    assert not speaking.may_speak(TRUC_BACH)


def test_the_floor_passes_in_one_act(speaking: MeetingDriver) -> None:
    events = speaking.do(GiveFloor(TRUC_BACH, floor_version=1), by=OPERATOR)

    assert events == [FloorEnded(PHUC_XA, FloorEnd.PASSED), FloorGiven(TRUC_BACH, until=None)]
    assert speaking.state.stage.main == TRUC_BACH
    assert not speaking.may_speak(PHUC_XA)


def test_a_decision_on_an_older_floor_is_stale(speaking: MeetingDriver) -> None:
    with pytest.raises(Stale):
        speaking.do(GiveFloor(TRUC_BACH, floor_version=0))
    with pytest.raises(Stale):
        speaking.do(NextSpeaker(floor_version=0))
    with pytest.raises(Stale):
        speaking.do(TakeFloor(floor_version=0))

    assert speaking.state.floor.site == PHUC_XA


def test_who_gets_the_floor_stands_in_the_queue_no_more(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))

    events = meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    assert events == [HandLowered(PHUC_XA), FloorGiven(PHUC_XA, until=None)]
    assert meeting.state.hands == []


def test_the_next_speaker_is_the_first_present_one_in_the_queue(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH, VINH_PHUC)
    for site in (TRUC_BACH, VINH_PHUC, PHUC_XA):
        meeting.do(RaiseHand(site), by=member(site))
    meeting.drop(TRUC_BACH)

    meeting.do(NextSpeaker(floor_version=0, speaking_time_s=180))

    assert meeting.said_last() == FloorGiven(VINH_PHUC, until=meeting.now + 180)
    assert meeting.state.hands == [TRUC_BACH, PHUC_XA]


def test_there_is_no_next_speaker_when_nobody_present_stands_in_the_queue(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    with pytest.raises(WrongState, match="queue"):
        meeting.do(NextSpeaker(floor_version=0))

    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.drop(PHUC_XA)

    with pytest.raises(WrongState, match="queue"):
        meeting.do(NextSpeaker(floor_version=0))


def test_the_chair_takes_the_floor_and_the_host_is_seen(speaking: MeetingDriver) -> None:
    events = speaking.do(TakeFloor(floor_version=1))

    assert events == [FloorEnded(PHUC_XA, FloorEnd.TAKEN)]
    assert speaking.state.floor.site is None
    assert speaking.state.stage.main == HOST
    assert speaking.do(TakeFloor(floor_version=2)) == []


def test_the_speaker_yields_and_nobody_else_can(speaking: MeetingDriver) -> None:
    other = speaking.do(YieldFloor(TRUC_BACH), by=member(TRUC_BACH))
    with pytest.raises(NotAllowed):
        speaking.do(YieldFloor(PHUC_XA), by=member(TRUC_BACH))

    events = speaking.do(YieldFloor(PHUC_XA), by=member(PHUC_XA))

    assert other == []
    assert events == [FloorEnded(PHUC_XA, FloorEnd.YIELDED)]


def test_speaking_time_ends_at_its_moment(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=300))

    meeting.wait(299.999)
    still = meeting.state.floor.site
    meeting.wait(0.001)

    assert still == PHUC_XA
    assert meeting.said_last() == FloorEnded(PHUC_XA, FloorEnd.TIME_UP)


def test_given_anew_the_time_starts_anew_and_nobody_is_passed_over(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=60))
    meeting.wait(50)

    events = meeting.do(GiveFloor(PHUC_XA, floor_version=1, speaking_time_s=60))
    meeting.wait(59)

    assert events == [FloorGiven(PHUC_XA, until=meeting.now + 1)]
    assert meeting.state.floor.site == PHUC_XA


@pytest.mark.parametrize("time_s", [4.999, 0.0, -1.0, 4 * 3600.0 + 0.001, math.inf, math.nan])
def test_an_impossible_speaking_time_is_refused(meeting: MeetingDriver, time_s: float) -> None:
    meeting.join(PHUC_XA)

    with pytest.raises(Invalid, match="speaking time"):
        meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=time_s))


@pytest.mark.parametrize("time_s", [5.0, 4 * 3600.0])
def test_the_limits_of_speaking_time_are_allowed(meeting: MeetingDriver, time_s: float) -> None:
    meeting.join(PHUC_XA)

    meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=time_s))

    assert meeting.state.floor.until == meeting.now + time_s


def test_the_floor_goes_to_present_sites_other_than_the_host(meeting: MeetingDriver) -> None:
    meeting.join_all(HOST, PHUC_XA)
    meeting.drop(PHUC_XA)

    with pytest.raises(WrongState, match="host"):
        meeting.do(GiveFloor(HOST, floor_version=0))
    with pytest.raises(WrongState, match="not present"):
        meeting.do(GiveFloor(PHUC_XA, floor_version=0))
    with pytest.raises(WrongState, match="not present"):
        meeting.do(GiveFloor(TRUC_BACH, floor_version=0))
    with pytest.raises(UnknownSite):
        meeting.do(GiveFloor(SiteId("12345"), floor_version=0))


def test_neither_secretary_nor_site_gives_the_floor(speaking: MeetingDriver) -> None:
    for nobody in (SECRETARY, member(TRUC_BACH)):
        with pytest.raises(NotAllowed):
            speaking.do(GiveFloor(TRUC_BACH, floor_version=1), by=nobody)


@pytest.mark.parametrize("mode", [Mode.CHAIR_ONLY, Mode.BREAK])
def test_no_floor_where_no_site_may_speak(speaking: MeetingDriver, mode: Mode) -> None:
    events = speaking.do(SetMode(mode, mode_version=0))

    assert events == [FloorEnded(PHUC_XA, FloorEnd.BREAK), ModeSet(mode)]
    speaking.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    with pytest.raises(WrongState, match="change the mode"):
        speaking.do(GiveFloor(PHUC_XA, floor_version=2))
    with pytest.raises(WrongState, match="change the mode"):
        speaking.do(NextSpeaker(floor_version=2))


def test_the_floor_is_kept_for_a_speaker_that_returns_within_grace(speaking: MeetingDriver) -> None:
    speaking.drop(PHUC_XA)
    assert speaking.state.floor.held_until == speaking.now + FLOOR_GRACE_S

    speaking.wait(FLOOR_GRACE_S - 0.001)
    speaking.join(PHUC_XA)
    speaking.wait(FLOOR_GRACE_S * 2)

    assert speaking.state.floor.site == PHUC_XA
    assert speaking.state.floor.held_until is None
    assert speaking.state.floor.version == 1
    assert speaking.said(FloorEnded) == []
    assert speaking.may_speak(PHUC_XA)


def test_the_floor_ends_when_the_speaker_stays_away(speaking: MeetingDriver) -> None:
    speaking.drop(PHUC_XA)

    speaking.wait(FLOOR_GRACE_S)
    ended = speaking.said_last()
    speaking.wait(PRESENCE_GRACE_S - FLOOR_GRACE_S)

    assert ended == FloorEnded(PHUC_XA, FloorEnd.DROPPED)
    assert speaking.said_last() == GraceEnded(PHUC_XA)
    assert speaking.state.stage.main == HOST


def test_speaking_time_runs_on_while_the_speaker_is_away(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0, speaking_time_s=10))
    meeting.drop(PHUC_XA)

    meeting.wait(10)

    assert meeting.said_last() == FloorEnded(PHUC_XA, FloorEnd.TIME_UP)


def test_a_late_tick_ends_floor_and_grace_once_each(speaking: MeetingDriver) -> None:
    speaking.drop(PHUC_XA)

    brought = speaking.meeting.tick(speaking.now + 3600)

    assert brought == [FloorEnded(PHUC_XA, FloorEnd.DROPPED), GraceEnded(PHUC_XA)]


def test_the_grace_of_a_former_speaker_does_not_touch_the_next_one(speaking: MeetingDriver) -> None:
    speaking.drop(PHUC_XA)
    speaking.do(GiveFloor(TRUC_BACH, floor_version=1))

    speaking.wait(PRESENCE_GRACE_S)

    assert speaking.state.floor.site == TRUC_BACH
    assert speaking.state.stage.main == TRUC_BACH


def test_a_speaker_that_leaves_or_is_excused_gives_up_the_floor(speaking: MeetingDriver) -> None:
    left = speaking.leave(PHUC_XA)
    speaking.do(GiveFloor(TRUC_BACH, floor_version=2))
    speaking.drop(TRUC_BACH)

    excused = speaking.do(ExcuseAbsence(TRUC_BACH, "mất điện"))

    assert left == [FloorEnded(PHUC_XA, FloorEnd.LEFT), SiteLeft(PHUC_XA)]
    assert excused[0] == FloorEnded(TRUC_BACH, FloorEnd.LEFT)
    assert speaking.meeting.due() is None


def test_a_speaker_on_a_tile_moves_to_the_main_picture(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.do(SetStage(main=None, tiles=(PHUC_XA, TRUC_BACH), stage_version=0))

    meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    assert meeting.state.stage.main == PHUC_XA
    assert meeting.state.stage.tiles == (TRUC_BACH,)


def test_given_anew_after_a_mute_for_all_the_speaker_is_heard(speaking: MeetingDriver) -> None:
    speaking.do(MuteAll())
    silent = not speaking.may_speak(PHUC_XA)

    speaking.do(GiveFloor(PHUC_XA, floor_version=1))

    assert silent
    assert speaking.may_speak(PHUC_XA)
