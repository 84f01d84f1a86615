"""Finding a site, or refusing in the same words everywhere."""

from room_manager.errors import UnknownSite, WrongState
from room_manager.ids import SiteId
from room_manager.meeting.state import Site, State
from room_manager.meeting.values import SiteState


def on_roster(state: State, site_id: SiteId) -> Site:
    """The site, or ``UnknownSite``. What the client named is not repeated to it."""
    site = state.sites.get(site_id)
    if site is None:
        raise UnknownSite("no such site on this meeting's roster")
    return site


def present(state: State, site_id: SiteId) -> Site:
    """The site if it is present, else ``UnknownSite`` or ``WrongState``."""
    site = on_roster(state, site_id)
    if site.state is not SiteState.PRESENT:
        raise WrongState(f"site {site_id} is not present")
    return site
