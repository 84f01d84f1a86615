"""The speaker queue: its order is the order in which the server heard the hands go up."""

from room_manager.errors import Stale, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import ClearHands, LowerHand, RaiseHand
from room_manager.meeting.events import AnyEvent, HandLowered, HandRaised, HandsCleared
from room_manager.meeting.lookup import on_roster, present
from room_manager.meeting.state import State


def raise_hand(state: State, command: RaiseHand) -> list[AnyEvent]:
    """A present site without the floor goes to the end of the queue; one that stands in it stays."""
    site = present(state, command.site)
    if site.id == HOST:
        raise WrongState("the host site needs no hand: it may always speak")
    if site.id == state.floor.site:
        raise WrongState("the site has the floor already")
    return [] if site.id in state.hands else [HandRaised(site.id)]


def lower_hand(state: State, command: LowerHand) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    return lowered(state, site.id)


def clear_hands(state: State, command: ClearHands) -> list[AnyEvent]:
    if command.hands_version != state.hands_version:
        raise Stale("the speaker queue has changed since you looked")
    return [HandsCleared()] if state.hands else []


def lowered(state: State, site: SiteId) -> list[AnyEvent]:
    """What takes this site out of the queue: nothing if it does not stand in it."""
    return [HandLowered(site)] if site in state.hands else []


def on_hand_raised(state: State, event: HandRaised) -> None:
    state.hands.append(event.site)
    state.hands_version += 1


def on_hand_lowered(state: State, event: HandLowered) -> None:
    state.hands.remove(event.site)
    state.hands_version += 1


def on_hands_cleared(state: State) -> None:
    state.hands.clear()
    state.hands_version += 1
