"""Who may be heard: by mode, floor and mutes together. Room-wide, so that late joiners are bound too."""

from msgspec import Struct

from room_manager.errors import Stale, WrongState
from room_manager.ids import HOST, SiteId
from room_manager.meeting import floor
from room_manager.meeting.commands import MuteSite, SetMode, UnmuteSite
from room_manager.meeting.events import AllMuted, AllUnmuted, AnyEvent, ModeSet, SiteMuted, SiteUnmuted
from room_manager.meeting.lookup import on_roster
from room_manager.meeting.state import Microphones, State
from room_manager.meeting.values import FloorEnd, Mode


class Heard(Struct, frozen=True):
    """Who may be heard: everybody in ``only``, or, if that is None, everybody but ``never``."""

    only: frozenset[SiteId] | None
    never: frozenset[SiteId] = frozenset()

    def includes(self, site: SiteId) -> bool:
        """May this site be heard?"""
        return site not in self.never if self.only is None else site in self.only


_NOBODY = Heard(only=frozenset())
_HOST_ALONE = Heard(only=frozenset({HOST}))


def heard(state: State) -> Heard:
    """Who may be heard now. The host is silent only in a break and after the end."""
    if state.ended or state.mode is Mode.BREAK:
        return _NOBODY
    if state.mode is Mode.CHAIR_ONLY:
        return _HOST_ALONE
    microphones = state.microphones
    if state.mode is Mode.CALLED_SITE:
        speaker = state.floor.site
        if speaker is None or silenced(microphones, speaker):
            return _HOST_ALONE
        return Heard(only=frozenset({HOST, speaker}))
    if microphones.all_muted:
        return Heard(only=frozenset({HOST} | (microphones.allowed - microphones.muted)))
    return Heard(only=None, never=frozenset(microphones.muted))


def silenced(microphones: Microphones, site: SiteId) -> bool:
    """Does a mute, single or general, keep this site from being heard? The host is above both."""
    if site == HOST:
        return False
    return site in microphones.muted or (microphones.all_muted and site not in microphones.allowed)


def set_mode(state: State, command: SetMode) -> list[AnyEvent]:
    """A mode in which no site speaks takes the floor from the one that has it."""
    if command.mode_version != state.mode_version:
        raise Stale("the mode has changed since you looked")
    if command.mode is state.mode:
        return []
    ending = floor.ended(state, FloorEnd.BREAK) if command.mode in floor.SILENT_MODES else []
    return [*ending, ModeSet(command.mode)]


def mute_all(state: State) -> list[AnyEvent]:
    """Repeated, it silences those allowed since."""
    microphones = state.microphones
    return [] if microphones.all_muted and not microphones.allowed else [AllMuted()]


def unmute_all(state: State) -> list[AnyEvent]:
    microphones = state.microphones
    return [AllUnmuted()] if microphones.all_muted or microphones.muted else []


def mute_site(state: State, command: MuteSite) -> list[AnyEvent]:
    """Any site on the roster, here or not: it binds when the site comes."""
    site = on_roster(state, command.site)
    if site.id == HOST:
        raise WrongState("the host site cannot be muted; a break silences everybody")
    return [] if site.id in state.microphones.muted else [SiteMuted(site.id)]


def unmute_site(state: State, command: UnmuteSite) -> list[AnyEvent]:
    site = on_roster(state, command.site)
    return [SiteUnmuted(site.id)] if silenced(state.microphones, site.id) else []


def on_mode_set(state: State, event: ModeSet) -> None:
    state.mode = event.mode
    state.mode_version += 1


def on_all_muted(state: State) -> None:
    state.microphones.all_muted = True
    state.microphones.allowed.clear()


def on_all_unmuted(state: State) -> None:
    state.microphones = Microphones()


def on_site_muted(state: State, event: SiteMuted) -> None:
    state.microphones.muted.add(event.site)
    state.microphones.allowed.discard(event.site)


def on_site_unmuted(state: State, event: SiteUnmuted) -> None:
    state.microphones.muted.discard(event.site)
    state.microphones.allowed.add(event.site)
