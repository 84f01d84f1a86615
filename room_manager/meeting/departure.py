"""What a site gives up when it is gone for good."""

from room_manager.ids import SiteId
from room_manager.meeting import content, floor, hands
from room_manager.meeting.events import AnyEvent
from room_manager.meeting.state import State
from room_manager.meeting.values import FloorEnd


def gives_up(state: State, site: SiteId, why: FloorEnd) -> list[AnyEvent]:
    """Hand, content and floor, as far as the site has them; its place on the stage goes with it."""
    if state.floor.site == site:
        return floor.ended(state, why)  # who has the floor has no hand up, and its content ends with it
    return [*hands.lowered(state, site), *content.stopped(state, site)]
