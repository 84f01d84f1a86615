"""Whose sound is in which slot of a room, and who is told to be speaking."""

from collections.abc import Callable, Sequence
from typing import Final

from room_manager.ids import SiteId
from room_manager.media.sfu.levels import Levels
from room_manager.media.sfu.negotiation import AUDIO_SLOTS, PROGRAMME
from room_manager.media.sfu.seating import Aim, Seating

TELL_SPEAKERS_S: Final = 0.3
REORDER_S: Final = 2.0  # the same speakers in another order are told no more often


class Voices:
    """The levels of a room's sources, and what follows from them. ``may`` tells who may be heard."""

    def __init__(self, seating: Seating, may: Callable[[SiteId], bool]) -> None:
        self.levels = Levels()
        self._seating = seating
        self._may = may
        self._speaking: tuple[SiteId, ...] = ()
        self._looked_at = self._told_at = 0.0

    def choose(self, named: Sequence[SiteId], now: float) -> bool:
        """Put voices in the slots, ``named`` ones first. False: all is as it was."""
        held = [self._seating.shown(name) for name in AUDIO_SLOTS]
        chosen = self.levels.chosen(held, named, self._may, now)
        voice = self.levels.voice(self._seating.shown(PROGRAMME), named, self._may, now)
        aims = {**dict(zip(AUDIO_SLOTS, chosen, strict=True)), PROGRAMME: voice}
        changed = {name for name, site in aims.items() if self._seating.aim(name, Aim(site))}
        return bool(changed)

    def passed_on(
        self, held: Sequence[SiteId], named: Sequence[SiteId], may: Callable[[SiteId], bool], now: float
    ) -> tuple[SiteId, ...]:
        """Whose sound other workers should have, of those ``may`` allows; ``held`` is whose they have."""
        places = [*held, *[None] * len(AUDIO_SLOTS)][: len(AUDIO_SLOTS)]
        return tuple(site for site in self.levels.chosen(places, named, may, now) if site is not None)

    def news(self, now: float) -> tuple[SiteId, ...] | None:
        """Who speaks now, if that is to be told."""
        if now - self._looked_at < TELL_SPEAKERS_S:
            return None
        self._looked_at = now
        speaking = self.levels.speaking(self._may, now)
        reordered = set(speaking) == set(self._speaking)
        if speaking == self._speaking or (reordered and now - self._told_at < REORDER_S):
            return None
        self._speaking, self._told_at = speaking, now
        return speaking
