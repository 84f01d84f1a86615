"""Who is there: sites, their devices, and the grace in which a lost one keeps its place."""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

from room_manager.errors import Invalid, Locked, WrongState
from room_manager.ids import HOST, ConnectionId, SiteId
from room_manager.meeting import content, stage
from room_manager.meeting.commands import (
    MAX_PEOPLE,
    MAX_REASON_CHARS,
    CountPeople,
    Drop,
    ExcuseAbsence,
    Join,
    Leave,
    WithdrawExcuse,
)
from room_manager.meeting.departure import gives_up
from room_manager.meeting.events import (
    AbsenceExcused,
    AnyEvent,
    DeviceDropped,
    ExcuseWithdrawn,
    GraceEnded,
    PeopleCounted,
    SiteDropped,
    SiteJoined,
    SiteLeft,
)
from room_manager.meeting.floor import FLOOR_GRACE_S
from room_manager.meeting.lookup import on_roster
from room_manager.meeting.state import Site, State
from room_manager.meeting.values import Device, FloorEnd, SiteState
from room_manager.text import one_line

PRESENCE_GRACE_S: Final = 30.0
"""How long a site whose last device dropped keeps its hand and its place on the stage."""

_EXPECTED, _PRESENT, _AWAY = SiteState.EXPECTED, SiteState.PRESENT, SiteState.AWAY
_LEFT, _EXCUSED = SiteState.LEFT, SiteState.EXCUSED

TRANSITIONS: Final[Mapping[SiteState, Mapping[type[AnyEvent], SiteState]]] = {
    _EXPECTED: {SiteJoined: _PRESENT, AbsenceExcused: _EXCUSED},
    _PRESENT: {SiteJoined: _PRESENT, SiteDropped: _AWAY, SiteLeft: _LEFT},
    _AWAY: {SiteJoined: _PRESENT, GraceEnded: _LEFT, SiteLeft: _LEFT, AbsenceExcused: _EXCUSED},
    _LEFT: {SiteJoined: _PRESENT, AbsenceExcused: _EXCUSED},
    _EXCUSED: {SiteJoined: _PRESENT, AbsenceExcused: _EXCUSED, ExcuseWithdrawn: _EXPECTED},
}
"""A missing entry is a bug of ours, never a client's: ``handle`` refuses before it comes to that."""


def join(state: State, command: Join) -> list[AnyEvent]:
    """The newest connection of a device stands for it; the older one has become a ghost."""
    site = on_roster(state, command.site)
    if site.devices.get(command.device) == command.connection:
        return []
    if command.connection in site.devices.values():
        raise WrongState("one connection cannot be both devices of a site")
    if state.locked and not site.been_here and site.id != HOST:
        raise Locked("the meeting is locked: only sites that were in it may come back")
    return [SiteJoined(site.id, command.device, command.connection)]


def drop(state: State, command: Drop, now: float) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    device = _device(site, command.connection)
    if device is None:
        return []
    if len(site.devices) > 1:
        return _goes_on_with_the_other(state, site, device)
    floor_until = now + FLOOR_GRACE_S if state.floor.site == site.id else None
    return [SiteDropped(site.id, until=now + PRESENCE_GRACE_S, floor_until=floor_until)]


def leave(state: State, command: Leave) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    device = _device(site, command.connection)
    if device is None:
        return []
    if len(site.devices) > 1:
        return _goes_on_with_the_other(state, site, device)
    return [*gives_up(state, site.id, FloorEnd.LEFT), SiteLeft(site.id)]


def excuse_absence(state: State, command: ExcuseAbsence) -> list[AnyEvent]:
    """An excused site may be excused again: that corrects the reason."""
    site = on_roster(state, command.site)
    if site.id == HOST:
        raise WrongState("the host site is not on the roll")
    reason = one_line(command.reason, MAX_REASON_CHARS, "the reason")
    if site.state is SiteState.PRESENT:
        raise WrongState(f"site {site.id} is present")
    if site.excuse == reason:
        return []
    return [*gives_up(state, site.id, FloorEnd.LEFT), AbsenceExcused(site.id, reason)]


def withdraw_excuse(state: State, command: WithdrawExcuse) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    return [ExcuseWithdrawn(site.id)] if site.state is SiteState.EXCUSED else []


def count_people(state: State, command: CountPeople) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    if not 0 <= command.people <= MAX_PEOPLE:
        raise Invalid(f"people in the room must be from 0 to {MAX_PEOPLE}")
    if site.state not in (SiteState.PRESENT, SiteState.AWAY):
        raise WrongState(f"site {site.id} is not present")
    return [] if site.people == command.people else [PeopleCounted(site.id, command.people)]


def next_grace(state: State) -> float | None:
    """When the next grace ends."""
    return state.graces[0][0] if state.graces else None


def graces_over(state: State, now: float) -> list[SiteId]:
    """The sites whose grace has ended, the earliest first, each once."""
    over = sorted(entry for entry in state.graces if entry[0] <= now and _counts(state, entry))
    return list(dict.fromkeys(site for _, site in over))


def on_site_joined(state: State, event: SiteJoined) -> None:
    site = _enters(state, event.site, SiteJoined)
    site.devices[event.device] = event.connection
    site.active = site.active or event.device
    site.been_here = True
    site.excuse = None
    if state.floor.site == site.id:
        state.floor.held_until = None


def on_device_dropped(state: State, event: DeviceDropped) -> None:
    """The device that remains is the active one, whichever dropped."""
    site = state.sites[event.site]
    del site.devices[event.device]
    (site.active,) = site.devices


def on_site_dropped(state: State, event: SiteDropped) -> None:
    site = _enters(state, event.site, SiteDropped)
    _disconnected(site)
    site.until = event.until
    heappush(state.graces, (event.until, site.id))
    if state.floor.site == site.id:
        state.floor.held_until = event.floor_until


def on_site_gone(state: State, event: GraceEnded | SiteLeft) -> None:
    site = _enters(state, event.site, type(event))
    _disconnected(site)
    stage.loses(state, site.id)


def on_absence_excused(state: State, event: AbsenceExcused) -> None:
    site = _enters(state, event.site, AbsenceExcused)
    site.excuse = event.reason
    stage.loses(state, site.id)


def on_excuse_withdrawn(state: State, event: ExcuseWithdrawn) -> None:
    _enters(state, event.site, ExcuseWithdrawn).excuse = None


def on_people_counted(state: State, event: PeopleCounted) -> None:
    state.sites[event.site].people = event.people


def _device(site: Site, connection: ConnectionId) -> Device | None:
    """Which device this connection stands for; None if it is a ghost."""
    return next((device for device, known in site.devices.items() if known == connection), None)


def _goes_on_with_the_other(state: State, site: Site, device: Device) -> list[AnyEvent]:
    """The other device carries on with everything but a shared screen: that was the active one's own."""
    screen = content.stopped(state, site.id) if device is site.active else []
    return [*screen, DeviceDropped(site.id, device)]


def _enters(state: State, site_id: SiteId, event: type[AnyEvent]) -> Site:
    """Move the site along the table, keep the counts, and end the grace it may have had."""
    site = state.sites[site_id]
    after = TRANSITIONS[site.state][event]
    if site_id != HOST:
        state.counts[site.state] -= 1
        state.counts[after] += 1
    site.state = after
    site.until = None
    while state.graces and not _counts(state, state.graces[0]):
        heappop(state.graces)
    return site


def _disconnected(site: Site) -> None:
    site.devices.clear()
    site.active = None


def _counts(state: State, grace: tuple[float, SiteId]) -> bool:
    until, site = grace
    return state.sites[site].until == until
