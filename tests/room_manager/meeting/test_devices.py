"""A site's primary and backup device: one site, one row, one voice."""

import pytest

from room_manager.errors import WrongState
from room_manager.meeting.commands import GiveFloor, Join, MuteSite, RaiseHand
from room_manager.meeting.events import DeviceDropped, SiteDropped, SiteLeft
from room_manager.meeting.presence import PRESENCE_GRACE_S
from room_manager.meeting.values import Device, SiteState
from tests.helpers.meeting_driver import PHUC_XA, TRUC_BACH, MeetingDriver, member


@pytest.mark.parametrize("first", list(Device))
def test_the_device_that_came_first_is_active_and_two_count_once(
    meeting: MeetingDriver, first: Device
) -> None:
    second = Device.BACKUP if first is Device.PRIMARY else Device.PRIMARY

    meeting.join(PHUC_XA, first)
    meeting.join(PHUC_XA, second)

    assert meeting.site(PHUC_XA).active is first
    assert meeting.state.counts[SiteState.PRESENT] == 1


def test_the_backup_takes_over_and_keeps_floor_and_mute(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.join(PHUC_XA, Device.BACKUP)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))
    meeting.do(MuteSite(PHUC_XA))

    events = meeting.drop(PHUC_XA, Device.PRIMARY)

    assert events == [DeviceDropped(PHUC_XA, Device.PRIMARY)]
    assert meeting.site(PHUC_XA).active is Device.BACKUP
    assert meeting.site(PHUC_XA).state is SiteState.PRESENT
    assert meeting.state.floor.site == PHUC_XA
    assert meeting.state.floor.held_until is None
    assert not meeting.may_speak(PHUC_XA)


def test_the_backup_takes_over_and_keeps_the_place_in_the_queue(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.join(PHUC_XA, Device.BACKUP)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.do(RaiseHand(TRUC_BACH), by=member(TRUC_BACH))

    meeting.drop(PHUC_XA, Device.PRIMARY)

    assert meeting.state.hands == [PHUC_XA, TRUC_BACH]


def test_the_primary_that_returns_does_not_push_the_backup_aside(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.join(PHUC_XA, Device.BACKUP)
    meeting.drop(PHUC_XA, Device.PRIMARY)

    meeting.join(PHUC_XA, Device.PRIMARY)

    assert meeting.site(PHUC_XA).active is Device.BACKUP


def test_the_idle_device_drops_without_notice(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.join(PHUC_XA, Device.BACKUP)

    meeting.drop(PHUC_XA, Device.BACKUP)

    assert meeting.site(PHUC_XA).active is Device.PRIMARY
    assert meeting.site(PHUC_XA).state is SiteState.PRESENT


def test_the_site_is_away_only_when_its_last_device_drops(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.join(PHUC_XA, Device.BACKUP)

    meeting.drop(PHUC_XA)
    meeting.drop(PHUC_XA)

    assert meeting.said_last() == SiteDropped(PHUC_XA, until=meeting.now + PRESENCE_GRACE_S)
    assert meeting.site(PHUC_XA).active is None
    assert meeting.site(PHUC_XA).devices == {}


def test_one_device_that_leaves_leaves_the_other_in_the_meeting(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.join(PHUC_XA, Device.BACKUP)

    first = meeting.leave(PHUC_XA, Device.BACKUP)
    second = meeting.leave(PHUC_XA, Device.PRIMARY)

    assert first == [DeviceDropped(PHUC_XA, Device.BACKUP)]
    assert second == [SiteLeft(PHUC_XA)]


def test_the_other_device_can_come_for_the_one_that_is_lost(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.drop(PHUC_XA)

    meeting.join(PHUC_XA, Device.BACKUP)

    assert meeting.site(PHUC_XA).active is Device.BACKUP
    assert meeting.state.hands == [PHUC_XA]


def test_one_connection_is_not_two_devices(meeting: MeetingDriver) -> None:
    connection = meeting.join(PHUC_XA)

    with pytest.raises(WrongState, match="both devices"):
        meeting.do(Join(PHUC_XA, Device.BACKUP, connection), by=member(PHUC_XA))
