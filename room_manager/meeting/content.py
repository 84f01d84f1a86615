"""Whose screen is shown to all: the host's, or that of the site that has the floor."""

from room_manager.errors import WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting.commands import ShareContent, StopContent
from room_manager.meeting.events import AnyEvent, ContentShared, ContentStopped
from room_manager.meeting.lookup import on_roster, present
from room_manager.meeting.state import State


def share_content(state: State, command: ShareContent) -> list[AnyEvent]:
    """The newest content takes the place of any other: there is one content, and one who may send it."""
    site = present(state, command.site)
    if site.id != HOST and site.id != state.floor.site:
        raise WrongState("a site may share its screen only while it has the floor")
    if state.stage.content == site.id:
        return []
    return [*stopped(state, state.stage.content), ContentShared(site.id)]


def stop_content(state: State, command: StopContent) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    return stopped(state, site.id)


def stopped(state: State, site: SiteId | None) -> list[AnyEvent]:
    """What ends this site's content: nothing if the content is not its own."""
    return [ContentStopped(site)] if site is not None and state.stage.content == site else []
