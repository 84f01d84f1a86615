"""Who speaks. One site at a time has the floor; the host needs none."""

from typing import Final

from room_manager.errors import Invalid, Stale, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting import content, stage
from room_manager.meeting.commands import (
    MAX_SPEAKING_TIME_S,
    MIN_SPEAKING_TIME_S,
    GiveFloor,
    NextSpeaker,
    TakeFloor,
    YieldFloor,
)
from room_manager.meeting.events import AnyEvent, FloorEnded, FloorGiven
from room_manager.meeting.hands import lowered
from room_manager.meeting.lookup import on_roster, present
from room_manager.meeting.state import State
from room_manager.meeting.values import FloorEnd, Mode, SiteState

FLOOR_GRACE_S: Final = 20.0
"""How long a speaker whose line is lost keeps the floor."""

SILENT_MODES: Final = frozenset({Mode.CHAIR_ONLY, Mode.BREAK})
"""Modes in which no site may be heard, so none can have the floor."""


def give_floor(state: State, command: GiveFloor, now: float) -> list[AnyEvent]:
    """To the site that has it already it is given anew: new speaking time, heard, main picture."""
    _seen(state, command.floor_version)
    _can_be_given(state)
    if command.site == HOST:
        raise WrongState("the host site needs no floor: it may always speak")
    site = present(state, command.site)
    return _given(state, site.id, command.speaking_time_s, now)


def next_speaker(state: State, command: NextSpeaker, now: float) -> list[AnyEvent]:
    """Sites that are away keep their place in the queue and are passed over."""
    _seen(state, command.floor_version)
    _can_be_given(state)
    for site in state.hands:
        if state.sites[site].state is SiteState.PRESENT:
            return _given(state, site, command.speaking_time_s, now)
    raise WrongState("no present site stands in the speaker queue")


def take_floor(state: State, command: TakeFloor) -> list[AnyEvent]:
    _seen(state, command.floor_version)
    return ended(state, FloorEnd.TAKEN)


def yield_floor(state: State, command: YieldFloor) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    return ended(state, FloorEnd.YIELDED) if state.floor.site == site.id else []


def ended(state: State, why: FloorEnd) -> list[AnyEvent]:
    """What ends the floor and the speaker's content with it: nothing if nobody has it."""
    site = state.floor.site
    return [] if site is None else [*content.stopped(state, site), FloorEnded(site, why)]


def over(state: State, now: float) -> FloorEnd | None:
    """Why the floor must end now, if it must."""
    floor = state.floor
    if floor.until is not None and floor.until <= now:
        return FloorEnd.TIME_UP
    if floor.held_until is not None and floor.held_until <= now:
        return FloorEnd.DROPPED
    return None


def _seen(state: State, floor_version: int) -> None:
    if floor_version != state.floor.version:
        raise Stale("the floor has changed since you looked")


def _can_be_given(state: State) -> None:
    if state.mode in SILENT_MODES:
        raise WrongState(f"in the mode {state.mode} no site may speak; change the mode first")


def _given(state: State, site: SiteId, speaking_time_s: float | None, now: float) -> list[AnyEvent]:
    passed = ended(state, FloorEnd.PASSED) if state.floor.site != site else []
    return [*passed, *lowered(state, site), FloorGiven(site, until=_until(speaking_time_s, now))]


def _until(speaking_time_s: float | None, now: float) -> float | None:
    if speaking_time_s is None:
        return None
    if not MIN_SPEAKING_TIME_S <= speaking_time_s <= MAX_SPEAKING_TIME_S:  # refuses NaN too
        raise Invalid(
            f"speaking time must be from {MIN_SPEAKING_TIME_S:.0f} to {MAX_SPEAKING_TIME_S:.0f} seconds"
        )
    return now + speaking_time_s


def on_floor_given(state: State, event: FloorGiven) -> None:
    floor = state.floor
    floor.version += 1
    floor.site, floor.until, floor.held_until = event.site, event.until, None
    state.microphones.muted.discard(event.site)
    state.microphones.allowed.add(event.site)
    stage.shows(state, event.site)


def on_floor_ended(state: State, event: FloorEnded) -> None:
    floor = state.floor
    floor.version += 1
    floor.site = floor.until = floor.held_until = None
    state.microphones.allowed.discard(event.site)
    stage.shows(state, HOST)
