"""Main picture, tiles and content."""

import pytest

from room_manager.errors import Invalid, NotAllowed, Stale, UnknownSite, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import (
    ExcuseAbsence,
    GiveFloor,
    SetMode,
    SetStage,
    ShareContent,
    StopContent,
    TakeFloor,
)
from room_manager.meeting.events import (
    ContentShared,
    ContentStopped,
    DeviceDropped,
    FloorEnded,
    FloorGiven,
    GraceEnded,
    SiteLeft,
    StageSet,
)
from room_manager.meeting.floor import FLOOR_GRACE_S
from room_manager.meeting.presence import PRESENCE_GRACE_S
from room_manager.meeting.values import Device, FloorEnd, Mode
from tests.helpers.meeting_driver import (
    CONG_VI,
    LIEU_GIAI,
    OPERATOR,
    PHUC_XA,
    QUAN_THANH,
    SITES,
    TRUC_BACH,
    VINH_PHUC,
    MeetingDriver,
    member,
)


@pytest.fixture
def full(meeting: MeetingDriver) -> MeetingDriver:
    """Host and all wards but Quán Thánh are present."""
    meeting.join_all(HOST, *SITES[:-1])
    return meeting


def test_the_stage_begins_with_the_host_alone(meeting: MeetingDriver) -> None:
    assert (meeting.state.stage.main, meeting.state.stage.tiles) == (HOST, ())


def test_the_chair_sets_main_picture_and_tiles(full: MeetingDriver) -> None:
    tiles = (HOST, TRUC_BACH, VINH_PHUC, CONG_VI)

    events = full.do(SetStage(PHUC_XA, tiles, stage_version=0))

    assert events == [StageSet(PHUC_XA, tiles)]
    assert (full.state.stage.main, full.state.stage.tiles) == (PHUC_XA, tiles)
    assert full.state.stage.version == 1
    assert full.do(SetStage(PHUC_XA, tiles, stage_version=1)) == []
    with pytest.raises(Stale):
        full.do(SetStage(None, (), stage_version=0))


def test_the_host_is_the_main_picture_whether_named_or_not(full: MeetingDriver) -> None:
    full.do(SetStage(HOST, (PHUC_XA,), stage_version=0))

    assert full.said_last() == StageSet(None, (PHUC_XA,))
    assert full.do(SetStage(None, (PHUC_XA,), stage_version=1)) == []


@pytest.mark.parametrize(
    ("main", "tiles"),
    [
        (PHUC_XA, (TRUC_BACH, VINH_PHUC, CONG_VI, LIEU_GIAI, HOST)),
        (PHUC_XA, (PHUC_XA,)),
        (None, (HOST,)),
        (None, (PHUC_XA, PHUC_XA)),
    ],
)
def test_a_stage_has_four_tiles_and_nobody_on_it_twice(
    full: MeetingDriver, main: SiteId | None, tiles: tuple[SiteId, ...]
) -> None:
    with pytest.raises(Invalid):
        full.do(SetStage(main, tiles, stage_version=0))


def test_only_who_is_present_gets_on_the_stage(full: MeetingDriver) -> None:
    full.drop(PHUC_XA)

    for absent in (PHUC_XA, QUAN_THANH):
        with pytest.raises(WrongState, match="not present"):
            full.do(SetStage(absent, (), stage_version=0))
        with pytest.raises(WrongState, match="not present"):
            full.do(SetStage(None, (absent,), stage_version=0))
    with pytest.raises(UnknownSite):
        full.do(SetStage(SiteId("12345"), (), stage_version=0))


def test_who_is_on_the_stage_and_away_may_stay_when_the_rest_is_changed(full: MeetingDriver) -> None:
    full.do(SetStage(None, (PHUC_XA, TRUC_BACH), stage_version=0))
    full.drop(PHUC_XA)

    full.do(SetStage(None, (PHUC_XA, VINH_PHUC), stage_version=1))

    assert full.state.stage.tiles == (PHUC_XA, VINH_PHUC)


def test_the_host_may_be_on_the_stage_while_absent(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)

    meeting.do(SetStage(PHUC_XA, (HOST,), stage_version=0))

    assert meeting.state.stage.tiles == (HOST,)


def test_who_leaves_leaves_the_stage(full: MeetingDriver) -> None:
    full.do(SetStage(PHUC_XA, (HOST, TRUC_BACH, VINH_PHUC), stage_version=0))

    full.leave(TRUC_BACH)
    full.drop(VINH_PHUC)
    kept = full.state.stage.tiles
    full.wait(PRESENCE_GRACE_S)
    after_tiles = full.state.stage.tiles
    full.leave(PHUC_XA)

    assert kept == (HOST, VINH_PHUC)
    assert after_tiles == (HOST,)
    assert (full.state.stage.main, full.state.stage.tiles) == (HOST, ())
    assert full.state.stage.version == 4


def test_who_is_excused_leaves_the_stage(full: MeetingDriver) -> None:
    full.do(SetStage(None, (PHUC_XA,), stage_version=0))
    full.drop(PHUC_XA)

    full.do(ExcuseAbsence(PHUC_XA, "mất điện"))

    assert full.state.stage.tiles == ()


def test_a_join_and_a_drop_leave_the_stage_version_alone(full: MeetingDriver) -> None:
    full.leave(PHUC_XA)
    full.join(PHUC_XA)
    full.drop(PHUC_XA)

    assert full.state.stage.version == 0


def test_the_host_shares_its_screen_through_chair_or_operator(full: MeetingDriver) -> None:
    by_chair = full.do(ShareContent(HOST))
    by_operator = full.do(ShareContent(HOST), by=OPERATOR)
    stopped = full.do(StopContent(HOST), by=OPERATOR)

    assert by_chair == [ContentShared(HOST)]
    assert by_operator == []
    assert stopped == [ContentStopped(HOST)]
    assert full.do(StopContent(HOST)) == []
    with pytest.raises(NotAllowed):
        full.do(ShareContent(PHUC_XA), by=OPERATOR)


def test_only_the_speaker_among_the_sites_shares_its_screen(full: MeetingDriver) -> None:
    with pytest.raises(WrongState, match="floor"):
        full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))
    full.do(GiveFloor(PHUC_XA, floor_version=0))

    full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    assert full.state.stage.content == PHUC_XA
    with pytest.raises(NotAllowed):
        full.do(StopContent(PHUC_XA), by=member(TRUC_BACH))
    assert full.do(StopContent(TRUC_BACH), by=member(TRUC_BACH)) == []
    assert full.do(StopContent(PHUC_XA), by=member(PHUC_XA)) == [ContentStopped(PHUC_XA)]


def test_the_newest_content_takes_the_place_of_the_other(full: MeetingDriver) -> None:
    full.do(ShareContent(HOST))
    full.do(GiveFloor(PHUC_XA, floor_version=0))

    events = full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    assert events == [ContentStopped(HOST), ContentShared(PHUC_XA)]


def test_an_absent_host_shares_nothing(meeting: MeetingDriver) -> None:
    with pytest.raises(WrongState, match="not present"):
        meeting.do(ShareContent(HOST))


def test_content_ends_with_the_floor_of_who_shares_it(full: MeetingDriver) -> None:
    full.do(GiveFloor(PHUC_XA, floor_version=0))
    full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    passed = full.do(GiveFloor(TRUC_BACH, floor_version=1))
    full.do(ShareContent(TRUC_BACH), by=member(TRUC_BACH))
    broken = full.do(SetMode(Mode.BREAK, mode_version=0))

    assert passed == [
        ContentStopped(PHUC_XA),
        FloorEnded(PHUC_XA, FloorEnd.PASSED),
        FloorGiven(TRUC_BACH, until=None),
    ]
    assert broken[:2] == [ContentStopped(TRUC_BACH), FloorEnded(TRUC_BACH, FloorEnd.BREAK)]


def test_content_of_a_lost_speaker_ends_with_its_floor(full: MeetingDriver) -> None:
    full.do(GiveFloor(PHUC_XA, floor_version=0))
    full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))
    full.drop(PHUC_XA)

    full.wait(FLOOR_GRACE_S)

    assert full.events[-2:] == [ContentStopped(PHUC_XA), FloorEnded(PHUC_XA, FloorEnd.DROPPED)]


def test_a_shared_screen_ends_with_the_device_it_is_on(full: MeetingDriver) -> None:
    full.join(PHUC_XA, Device.BACKUP)
    full.do(GiveFloor(PHUC_XA, floor_version=0))
    full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    idle = full.drop(PHUC_XA, Device.BACKUP)
    full.join(PHUC_XA, Device.BACKUP)
    active = full.drop(PHUC_XA, Device.PRIMARY)

    assert idle == [DeviceDropped(PHUC_XA, Device.BACKUP)]
    assert active == [ContentStopped(PHUC_XA), DeviceDropped(PHUC_XA, Device.PRIMARY)]
    assert full.state.floor.site == PHUC_XA


def test_content_of_the_host_outlives_floors_but_not_the_host(full: MeetingDriver) -> None:
    full.do(ShareContent(HOST))
    full.do(GiveFloor(PHUC_XA, floor_version=0))
    full.do(TakeFloor(floor_version=1))
    kept = full.state.stage.content

    full.drop(HOST)
    full.wait(PRESENCE_GRACE_S)

    assert kept == HOST
    assert full.events[-2:] == [ContentStopped(HOST), GraceEnded(HOST)]


def test_content_ends_when_who_shares_it_leaves(full: MeetingDriver) -> None:
    full.do(GiveFloor(PHUC_XA, floor_version=0))
    full.do(ShareContent(PHUC_XA), by=member(PHUC_XA))

    events = full.leave(PHUC_XA)

    assert events == [
        ContentStopped(PHUC_XA),
        FloorEnded(PHUC_XA, FloorEnd.LEFT),
        SiteLeft(PHUC_XA),
    ]
