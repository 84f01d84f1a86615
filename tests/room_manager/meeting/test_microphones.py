import pytest

from room_manager.errors import Stale, UnknownSite, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import (
    GiveFloor,
    MuteAll,
    MuteSite,
    SetMode,
    TakeFloor,
    UnmuteAll,
    UnmuteSite,
)
from room_manager.meeting.events import AllMuted, AllUnmuted, ModeSet, SiteMuted, SiteUnmuted
from room_manager.meeting.meeting import Heard
from room_manager.meeting.values import Mode
from tests.helpers.meeting_driver import PHUC_XA, SITES, TRUC_BACH, VINH_PHUC, MeetingDriver


def set_mode(meeting: MeetingDriver, mode: Mode) -> None:
    meeting.do(SetMode(mode, mode_version=meeting.state.mode_version))


def test_a_meeting_begins_with_the_called_site_only(meeting: MeetingDriver) -> None:
    assert meeting.state.mode is Mode.CALLED_SITE
    assert meeting.meeting.heard() == Heard(only=frozenset({HOST}))


def test_a_mode_is_set_once_and_on_the_state_that_was_seen(meeting: MeetingDriver) -> None:
    assert meeting.do(SetMode(Mode.OPEN, mode_version=0)) == [ModeSet(Mode.OPEN)]

    with pytest.raises(Stale):
        meeting.do(SetMode(Mode.BREAK, mode_version=0))

    assert meeting.do(SetMode(Mode.OPEN, mode_version=1)) == []
    assert meeting.state.mode_version == 1


@pytest.mark.parametrize(
    ("mode", "host", "speaker", "others"),
    [
        (Mode.BREAK, False, False, False),
        (Mode.CHAIR_ONLY, True, False, False),
        (Mode.CALLED_SITE, True, True, False),
        (Mode.OPEN, True, True, True),
    ],
)
def test_the_mode_says_who_is_heard(
    meeting: MeetingDriver, mode: Mode, host: bool, speaker: bool, others: bool
) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    set_mode(meeting, mode)

    assert meeting.may_speak(HOST) is host
    assert meeting.may_speak(PHUC_XA) is speaker
    assert meeting.may_speak(TRUC_BACH) is others


@pytest.mark.parametrize("mode", list(Mode))
def test_a_mute_for_all_binds_who_comes_later_and_who_comes_back(meeting: MeetingDriver, mode: Mode) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    set_mode(meeting, mode)

    meeting.do(MuteAll())
    meeting.drop(PHUC_XA)
    meeting.join_all(PHUC_XA, VINH_PHUC)

    assert not any(meeting.may_speak(site) for site in SITES)


def test_a_mute_for_all_silences_the_speaker_too_until_unmuted(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    meeting.do(MuteAll())
    silent = not meeting.may_speak(PHUC_XA)
    events = meeting.do(UnmuteSite(PHUC_XA))

    assert silent
    assert events == [SiteUnmuted(PHUC_XA)]
    assert meeting.may_speak(PHUC_XA)


def test_sites_are_allowed_one_by_one_after_a_mute_for_all(meeting: MeetingDriver) -> None:
    set_mode(meeting, Mode.OPEN)
    meeting.do(MuteAll())

    meeting.do(UnmuteSite(PHUC_XA))

    assert meeting.meeting.heard() == Heard(only=frozenset({HOST, PHUC_XA}))


def test_a_second_mute_for_all_silences_those_allowed_since(meeting: MeetingDriver) -> None:
    set_mode(meeting, Mode.OPEN)
    first = meeting.do(MuteAll())
    again = meeting.do(MuteAll())
    meeting.do(UnmuteSite(PHUC_XA))

    after = meeting.do(MuteAll())

    assert (first, again, after) == ([AllMuted()], [], [AllMuted()])
    assert not meeting.may_speak(PHUC_XA)


def test_a_muted_site_is_not_heard_whatever_the_mode(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    first = meeting.do(MuteSite(PHUC_XA))
    again = meeting.do(MuteSite(PHUC_XA))

    assert (first, again) == ([SiteMuted(PHUC_XA)], [])
    assert not meeting.may_speak(PHUC_XA)
    set_mode(meeting, Mode.OPEN)
    assert meeting.meeting.heard() == Heard(only=None, never=frozenset({PHUC_XA}))


def test_a_site_muted_beforehand_is_not_heard_when_it_comes(meeting: MeetingDriver) -> None:
    set_mode(meeting, Mode.OPEN)
    meeting.do(MuteSite(PHUC_XA))

    meeting.join(PHUC_XA)

    assert not meeting.may_speak(PHUC_XA)


def test_a_site_muted_after_being_allowed_is_silent(meeting: MeetingDriver) -> None:
    set_mode(meeting, Mode.OPEN)
    meeting.do(MuteAll())
    meeting.do(UnmuteSite(PHUC_XA))

    meeting.do(MuteSite(PHUC_XA))

    assert meeting.meeting.heard() == Heard(only=frozenset({HOST}))


def test_unmuting_all_lifts_every_mute(meeting: MeetingDriver) -> None:
    set_mode(meeting, Mode.OPEN)
    meeting.do(MuteSite(PHUC_XA))
    meeting.do(MuteAll())

    events = meeting.do(UnmuteAll())

    assert events == [AllUnmuted()]
    assert meeting.meeting.heard() == Heard(only=None)
    assert meeting.do(UnmuteAll()) == []


def test_unmuting_who_is_not_muted_changes_nothing(meeting: MeetingDriver) -> None:
    assert meeting.do(UnmuteSite(PHUC_XA)) == []
    assert meeting.do(UnmuteSite(HOST)) == []


def test_the_floor_lifts_a_mute_and_takes_the_allowance_with_it(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(MuteAll())
    meeting.do(MuteSite(PHUC_XA))

    meeting.do(GiveFloor(PHUC_XA, floor_version=0))
    while_speaking = meeting.may_speak(PHUC_XA)
    meeting.do(TakeFloor(floor_version=1))
    set_mode(meeting, Mode.OPEN)

    assert while_speaking
    assert not meeting.may_speak(PHUC_XA)


def test_the_host_is_not_muted_and_strangers_are_unknown(meeting: MeetingDriver) -> None:
    with pytest.raises(WrongState, match="host"):
        meeting.do(MuteSite(HOST))
    with pytest.raises(UnknownSite):
        meeting.do(MuteSite(SiteId("12345")))
    meeting.do(MuteAll())

    assert meeting.may_speak(HOST)
