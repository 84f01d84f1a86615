import pytest

from room_manager.errors import NotAllowed, Stale, WrongState
from room_manager.ids import HOST
from room_manager.meeting.commands import ClearHands, GiveFloor, LowerHand, RaiseHand
from room_manager.meeting.events import HandLowered, HandRaised, HandsCleared
from tests.helpers.meeting_driver import (
    OPERATOR,
    PHUC_XA,
    SECRETARY,
    TRUC_BACH,
    VINH_PHUC,
    MeetingDriver,
    member,
)


def test_the_queue_is_in_the_order_in_which_hands_went_up(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH, VINH_PHUC)

    for site in (VINH_PHUC, PHUC_XA, TRUC_BACH):
        meeting.do(RaiseHand(site), by=member(site))

    assert meeting.state.hands == [VINH_PHUC, PHUC_XA, TRUC_BACH]
    assert meeting.state.hands_version == 3


def test_who_asks_again_keeps_its_place(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.do(RaiseHand(TRUC_BACH), by=member(TRUC_BACH))

    again = meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))

    assert again == []
    assert meeting.state.hands == [PHUC_XA, TRUC_BACH]


def test_who_lowers_its_hand_and_raises_it_stands_at_the_end(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    meeting.do(RaiseHand(TRUC_BACH), by=member(TRUC_BACH))

    lowered = meeting.do(LowerHand(PHUC_XA), by=member(PHUC_XA))
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))

    assert lowered == [HandLowered(PHUC_XA)]
    assert meeting.state.hands == [TRUC_BACH, PHUC_XA]


def test_a_hand_that_is_down_can_be_lowered_without_effect(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)

    assert meeting.do(LowerHand(PHUC_XA), by=member(PHUC_XA)) == []


def test_officials_raise_and_lower_a_hand_for_a_site(meeting: MeetingDriver) -> None:
    meeting.join(PHUC_XA)

    raised = meeting.do(RaiseHand(PHUC_XA), by=SECRETARY)
    lowered = meeting.do(LowerHand(PHUC_XA), by=OPERATOR)

    assert raised == [HandRaised(PHUC_XA)]
    assert lowered == [HandLowered(PHUC_XA)]


def test_a_site_raises_only_its_own_hand(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)

    with pytest.raises(NotAllowed, match="own site"):
        meeting.do(RaiseHand(TRUC_BACH), by=member(PHUC_XA))


def test_an_absent_site_the_host_and_the_speaker_raise_no_hand(meeting: MeetingDriver) -> None:
    meeting.join_all(HOST, PHUC_XA)
    meeting.do(GiveFloor(PHUC_XA, floor_version=0))

    with pytest.raises(WrongState, match="not present"):
        meeting.do(RaiseHand(TRUC_BACH), by=OPERATOR)
    with pytest.raises(WrongState, match="host"):
        meeting.do(RaiseHand(HOST))
    with pytest.raises(WrongState, match="has the floor"):
        meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))


def test_clearing_empties_the_queue_that_was_seen(meeting: MeetingDriver) -> None:
    meeting.join_all(PHUC_XA, TRUC_BACH)
    meeting.do(RaiseHand(PHUC_XA), by=member(PHUC_XA))
    seen = meeting.state.hands_version
    meeting.do(RaiseHand(TRUC_BACH), by=member(TRUC_BACH))

    with pytest.raises(Stale):
        meeting.do(ClearHands(seen))
    cleared = meeting.do(ClearHands(meeting.state.hands_version))

    assert cleared == [HandsCleared()]
    assert meeting.state.hands == []
    assert meeting.do(ClearHands(meeting.state.hands_version)) == []
