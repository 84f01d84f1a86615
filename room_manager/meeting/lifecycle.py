"""A meeting's beginning, its door and its end."""

from collections.abc import Iterable
from typing import Final

from room_manager.errors import Invalid, Limit
from room_manager.ids import HOST, SiteId
from room_manager.meeting import content, floor, recording
from room_manager.meeting.events import (
    AnyEvent,
    HandsCleared,
    MeetingEnded,
    MeetingLocked,
    MeetingOpened,
    MeetingUnlocked,
)
from room_manager.meeting.state import Site, State
from room_manager.meeting.values import FloorEnd, RecordingEnd, SiteState
from room_manager.text import one_line

MAX_SITES: Final = 2_000
MAX_TITLE_CHARS: Final = 200


def opening(title: str, units: Iterable[SiteId]) -> MeetingOpened:
    """The first event of a new meeting of these units; the host is added.

    Raises:
        Invalid: The title is empty, too long or not plain text, or a unit is named twice.
        Limit: More units than one meeting is promised to carry.
    """
    sites = (HOST, *(unit for unit in units if unit != HOST))
    if len(sites) > MAX_SITES + 1:
        raise Limit(f"a meeting has at most {MAX_SITES} sites")
    if len(set(sites)) != len(sites):
        raise Invalid("a site is on the roster twice")
    return MeetingOpened(one_line(title, MAX_TITLE_CHARS, "the title"), sites)


def lock(state: State) -> list[AnyEvent]:
    return [] if state.locked else [MeetingLocked()]


def unlock(state: State) -> list[AnyEvent]:
    return [MeetingUnlocked()] if state.locked else []


def end(state: State) -> list[AnyEvent]:
    """Floor, queue, content and recording end with it; the roll stays, as the record of who was there."""
    cleared: list[AnyEvent] = [HandsCleared()] if state.hands else []
    shown = state.stage.content if state.stage.content != state.floor.site else None
    return [
        *cleared,
        *content.stopped(state, shown),
        *floor.ended(state, FloorEnd.ENDED),
        *recording.stopped(state, RecordingEnd.ENDED),
        MeetingEnded(),
    ]


def on_opened(state: State, event: MeetingOpened) -> None:
    state.title = event.title
    state.sites = {site: Site(site) for site in event.sites}
    state.counts = dict.fromkeys(SiteState, 0)
    state.counts[SiteState.EXPECTED] = sum(site != HOST for site in event.sites)
