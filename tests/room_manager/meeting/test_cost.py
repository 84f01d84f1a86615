"""What a join costs must not grow with the roster."""

from collections.abc import Iterator
from typing import NoReturn

from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting.commands import Drop, Join, Leave
from room_manager.meeting.lifecycle import opening
from room_manager.meeting.meeting import Meeting
from room_manager.meeting.state import Site
from room_manager.meeting.values import Device
from tests.helpers.meeting_driver import PHUC_XA, SITES, member


class Unwalkable(dict[SiteId, Site]):
    """A roster in which a site can be looked up, but which nobody may go through."""

    def __iter__(self) -> Iterator[SiteId]:
        self._refuse()

    def keys(self) -> NoReturn:
        self._refuse()

    def values(self) -> NoReturn:
        self._refuse()

    def items(self) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise AssertionError("somebody went through the whole roster")


def test_coming_and_going_never_goes_through_the_roster() -> None:
    meeting = Meeting()
    meeting.apply(opening("Họp", SITES))
    meeting.state.sites = Unwalkable(meeting.state.sites)

    for site in (HOST, PHUC_XA):
        acts = (
            Join(site, Device.PRIMARY, ConnectionId("a")),
            Drop(site, ConnectionId("a")),
            Join(site, Device.BACKUP, ConnectionId("b")),
            Leave(site, ConnectionId("b")),
        )
        for act in acts:
            for event in meeting.handle(act, member(site), now=0.0):
                meeting.apply(event)
        meeting.due()
        meeting.heard()
        meeting.tick(now=1.0)

    assert meeting.due() is None


def test_a_flapping_line_leaves_nothing_behind() -> None:
    meeting = Meeting()
    meeting.apply(opening("Họp", SITES))

    for turn in range(1_000):
        connection = ConnectionId(f"c{turn}")
        for act in (Join(PHUC_XA, Device.PRIMARY, connection), Drop(PHUC_XA, connection)):
            for event in meeting.handle(act, member(PHUC_XA), now=float(turn)):
                meeting.apply(event)

    assert len(meeting.state.graces) == 1
