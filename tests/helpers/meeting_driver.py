"""A meeting to try the rules on: it keeps what was said, and its clock moves only when told to."""

from collections.abc import Sequence
from itertools import count
from typing import Final, TypeVar

import msgspec

from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting.commands import AnyCommand, Drop, Join, Leave
from room_manager.meeting.events import AnyEvent, Event
from room_manager.meeting.lifecycle import opening
from room_manager.meeting.meeting import Meeting, Member
from room_manager.meeting.state import Site, State
from room_manager.meeting.values import Device, Role

PHUC_XA: Final = SiteId("00001")
TRUC_BACH: Final = SiteId("00004")
VINH_PHUC: Final = SiteId("00006")
CONG_VI: Final = SiteId("00007")
LIEU_GIAI: Final = SiteId("00008")
QUAN_THANH: Final = SiteId("00013")
SITES: Final = (PHUC_XA, TRUC_BACH, VINH_PHUC, CONG_VI, LIEU_GIAI, QUAN_THANH)

CHAIR: Final = Member(Role.CHAIR, HOST, "Chủ tọa")
SECRETARY: Final = Member(Role.SECRETARY, name="Thư ký")
OPERATOR: Final = Member(Role.OPERATOR, name="Kỹ thuật viên")
OBSERVER: Final = Member(Role.OBSERVER, name="Dự thính")

START_S: Final = 1_700_000_000.0

E = TypeVar("E", bound=Event)


def member(site: SiteId) -> Member:
    """Who speaks for a site: the chair for the host, the ward's own people for a ward."""
    return CHAIR if site == HOST else Member(Role.SITE, site)


class MeetingDriver:
    """Commands in, events kept. Checks at every command that deciding alone changes nothing."""

    def __init__(self, sites: Sequence[SiteId] = SITES) -> None:
        self.meeting = Meeting()
        self.now = START_S
        self.events: list[AnyEvent] = []
        self._numbers = count(1)
        self._apply([opening("Họp giao ban", sites)])

    @property
    def state(self) -> State:
        return self.meeting.state

    def site(self, site: SiteId) -> Site:
        return self.state.sites[site]

    def do(self, command: AnyCommand, by: Member = CHAIR) -> list[AnyEvent]:
        """Give the command; what it brought about has been applied. Raises what the meeting raises."""
        before = msgspec.msgpack.encode(self.state)
        try:
            events = self.meeting.handle(command, by, self.now)
        finally:
            assert msgspec.msgpack.encode(self.state) == before, "deciding has changed the state"
        self._apply(events)
        return events

    def join(self, site: SiteId, device: Device = Device.PRIMARY) -> ConnectionId:
        """The site's device joins on a new connection, whose name is returned."""
        connection = ConnectionId(f"connection-{next(self._numbers)}")
        self.do(Join(site, device, connection), by=member(site))
        return connection

    def join_all(self, *sites: SiteId) -> None:
        for site in sites:
            self.join(site)

    def drop(self, site: SiteId, device: Device | None = None) -> list[AnyEvent]:
        """The line of the site's device (the active one) is lost."""
        return self.do(Drop(site, self.connection(site, device)), by=member(site))

    def leave(self, site: SiteId, device: Device | None = None) -> list[AnyEvent]:
        """The site's device (the active one) leaves on purpose."""
        return self.do(Leave(site, self.connection(site, device)), by=member(site))

    def connection(self, site: SiteId, device: Device | None = None) -> ConnectionId:
        """The connection that stands for the site's device, by default for its active one."""
        known = self.site(site)
        wanted = device or known.active
        assert wanted is not None, f"{site} has no device"
        return known.devices[wanted]

    def wait(self, seconds: float) -> None:
        """Let time pass, and everything that falls due in it happen at its moment."""
        until = self.now + seconds
        while (due := self.meeting.due()) is not None and due <= until:
            self.now = max(self.now, due)
            brought = self.meeting.tick(self.now)
            assert brought, "due, but nothing to do: a runner would spin"
            self._apply(brought)
        self.now = until

    def said(self, kind: type[E]) -> list[E]:
        """Every event of this kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    def said_last(self) -> AnyEvent:
        return self.events[-1]

    def may_speak(self, site: SiteId) -> bool:
        return self.meeting.heard().includes(site)

    def folded(self) -> State:
        """The state that the events alone give, as after a crash."""
        again = Meeting()
        for event in self.events:
            again.apply(event)
        return again.state

    def _apply(self, events: Sequence[AnyEvent]) -> None:
        for event in events:
            self.meeting.apply(event)
            self.events.append(event)
