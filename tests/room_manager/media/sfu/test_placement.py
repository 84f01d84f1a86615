"""Where connections go, what a worker's death takes along, and who speaks for a room."""

import pytest

from room_manager.errors import Limit
from room_manager.ids import ConnectionId, RoomId, SiteId
from room_manager.media.engine import Scene, Speaking
from room_manager.media.sfu import control
from room_manager.media.sfu.placement import MAX_DOWN, Placement
from room_manager.media.sfu.router import MAX_ROOMS
from room_manager.media.sfu.speakers import Speakers
from room_manager.media.sfu.told import USES_PER_FRAME, Told

ROOM, OTHER = RoomId("phong"), RoomId("phong-khac")
BOTH = (0, 1)


def c(number: int) -> ConnectionId:
    return ConnectionId(f"c{number}")


def site(number: int) -> SiteId:
    return SiteId(f"{number:05}")


def filled(count: int) -> Placement:
    placement = Placement()
    for n in range(count):
        placement.choose(ROOM, c(n), site(n), BOTH)
    return placement


def test_a_room_is_spread_evenly() -> None:
    placement = filled(579)

    assert (placement.load(0), placement.load(1)) == (290, 289)


def test_a_small_room_goes_where_there_is_least_to_do() -> None:
    placement = Placement()
    placement.choose(ROOM, c(1), None, BOTH)

    assert placement.choose(OTHER, c(2), None, BOTH).worker == 1


def test_both_devices_of_a_site_are_with_one_worker() -> None:
    placement = Placement()
    first = placement.choose(ROOM, c(1), site(1), BOTH)

    assert placement.choose(ROOM, c(2), site(1), BOTH).worker == first.worker
    assert placement.choose(ROOM, c(3), site(2), BOTH).worker != first.worker
    assert placement.choose(ROOM, c(4), site(1), (1,)).worker == 1


def test_who_offers_again_stays_and_who_moves_counts_once() -> None:
    placement = filled(4)

    assert placement.choose(ROOM, c(3), site(3), BOTH).worker == 1
    assert placement.choose(ROOM, c(3), site(3), (0,)).worker == 0
    assert (placement.load(0), placement.load(1)) == (3, 1)


def test_a_worker_that_died_takes_only_its_own() -> None:
    placement = filled(6)

    assert placement.lost(1) == {ROOM: (c(1), c(3), c(5))}

    assert placement.where(c(1)) is None
    assert placement.where(c(2)) == 0
    assert (placement.load(0), placement.load(1)) == (3, 0)
    assert placement.lost(1) == {}


def test_who_went_down_weighs_nothing_but_can_be_named_until_it_leaves() -> None:
    placement = filled(2)

    placement.went_down(c(1), worker=0)  # of an earlier life elsewhere
    assert placement.load(1) == 1
    placement.went_down(c(1), worker=1)
    placement.went_down(c(1), worker=1)

    assert placement.load(1) == 0
    assert placement.where(c(1)) == 1
    assert placement.lost(1) == {}
    assert placement.where(c(1)) is None


def test_what_was_told_of_an_earlier_offer_is_put_right() -> None:
    placement = filled(2)
    placement.choose(ROOM, c(1), site(1), BOTH)
    placement.went_down(c(1), worker=1)

    placement.came_up(c(1), worker=1)

    assert placement.load(1) == 1
    assert placement.leave(c(1)) == 1
    assert placement.load(1) == 0


def test_those_that_went_down_are_not_remembered_for_ever() -> None:
    placement = filled(MAX_DOWN + 10)
    for n in range(MAX_DOWN + 10):
        placement.went_down(c(n), worker=n % 2)

    assert placement.where(c(0)) is None
    assert placement.where(c(MAX_DOWN)) is not None
    assert (placement.load(0), placement.load(1)) == (0, 0)


def test_a_refused_offer_leaves_no_trace() -> None:
    placement = Placement()
    refused = placement.choose(ROOM, c(1), site(1), BOTH)
    again = placement.choose(ROOM, c(1), site(1), BOTH)

    placement.undo(c(1), refused)
    assert placement.where(c(1)) == 0
    placement.undo(c(1), again)

    assert placement.where(c(1)) is None
    assert placement.lead(ROOM) is None
    placement.close_room(ROOM)


def test_the_lead_of_a_room_speaks_for_it_and_another_takes_over() -> None:
    speakers = Speakers()
    a, b = (site(1),), (site(1), site(2))

    assert speakers.heard(Speaking(ROOM, a), worker=0, lead=0) == Speaking(ROOM, a)
    assert speakers.heard(Speaking(ROOM, b), worker=1, lead=0) is None
    assert speakers.led_by(ROOM, 0) is None
    assert speakers.led_by(OTHER, 0) is None
    assert speakers.lost(0) == [ROOM]
    assert speakers.led_by(ROOM, None) is None
    assert speakers.led_by(ROOM, 1) == Speaking(ROOM, b)
    assert speakers.heard(Speaking(ROOM, b), worker=1, lead=1) is None


def test_a_worker_that_comes_back_is_told_what_every_room_was_told() -> None:
    told = Told()
    told.scene(ROOM, Scene(main=site(1)))
    for n in range(USES_PER_FRAME + 1):
        told.use(ROOM, site(n), c(n))
    told.use(OTHER, site(1), c(7))
    told.close(OTHER)

    said = [make(number) for number, make in enumerate(told.again())]

    assert said[0] == control.SetScene(0, ROOM, Scene(main=site(1)))
    uses = [s.uses for s in said[1:] if isinstance(s, control.Uses)]
    assert [len(u) for u in uses] == [USES_PER_FRAME, 1]
    assert all(len(control.frame(s)) < control.MAX_FRAME_BYTES for s in said)
    told.forget()
    assert list(told.again()) == []


def test_the_rooms_told_are_bounded() -> None:
    told = Told()
    for n in range(MAX_ROOMS):
        told.scene(RoomId(f"r{n}"), Scene())

    with pytest.raises(Limit):
        told.scene(ROOM, Scene())
