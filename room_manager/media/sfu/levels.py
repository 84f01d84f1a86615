"""Who speaks, from the audio levels packets carry (RFC 6464), and which voices get the audio slots.

Needs no decoding: 0 is the loudest, 127 silence, in -dBov.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from room_manager.ids import SiteId

SPEECH_DBOV: Final = 50  # quieter than -50 dBov is a room, not a voice
SMOOTHING: Final = 0.2  # of each packet; about 100 ms at 20 ms packets
SPOKEN_S: Final = 0.4  # a pause this long ends "speaking"
HOLD_S: Final = 1.5  # a slot is kept this long after the last word
FORGOTTEN_S: Final = 8.0  # an uncalled voice loses its slot after this silence
MAX_SPEAKERS: Final = 3
MUCH_LOUDER_DB: Final = 12.0  # takes the programme's only voice from one who still speaks
GRAIN_DB: Final = 6.0  # differences smaller than this do not change the order told


class Voice:
    """What we know of one source's loudness."""

    __slots__ = ("heard_at", "loudness", "spoke_at")

    def __init__(self) -> None:
        self.loudness = 0.0  # 127 - level, smoothed
        self.spoke_at = float("-inf")
        self.heard_at = float("-inf")


class Levels:
    """The voices of one room."""

    __slots__ = ("_voices",)

    def __init__(self) -> None:
        self._voices: dict[SiteId, Voice] = {}

    def heard(self, site: SiteId, level: int | None, now: float) -> None:
        """One audio packet of a source; ``level`` None: it carries none."""
        voice = self._voices.get(site)
        if voice is None:
            voice = self._voices[site] = Voice()
        voice.heard_at = now
        if level is not None:
            voice.loudness += ((127 - level) - voice.loudness) * SMOOTHING
            if voice.loudness > 127 - SPEECH_DBOV:
                voice.spoke_at = now

    def forget(self, site: SiteId) -> None:
        """The source is gone."""
        self._voices.pop(site, None)

    def speaking(self, may: Callable[[SiteId], bool], now: float) -> tuple[SiteId, ...]:
        """Who speaks now among those who may be heard, loudest first."""
        speakers = [
            (-(voice.loudness // GRAIN_DB), site)
            for site, voice in self._voices.items()
            if now - voice.spoke_at <= SPOKEN_S and may(site)
        ]
        return tuple(site for _, site in sorted(speakers)[:MAX_SPEAKERS])

    def voice(
        self, held: SiteId | None, voices: Iterable[SiteId], may: Callable[[SiteId], bool], now: float
    ) -> SiteId | None:
        """The one voice of a programme: the loudest who speaks of ``voices``, else the loudest of all.

        Whoever has it keeps it through pauses between words, while nobody is much louder, and while
        nobody else speaks. The arguments are as for :meth:`chosen`.
        """
        named = [site for site in dict.fromkeys(voices) if may(site)]
        speakers = [site for site in named if self._speaks(site, now)]
        if not speakers:
            speakers = [site for site in self._voices if self._speaks(site, now) and may(site)]
        loudest = max(speakers, key=lambda site: (self._loudness(site), site), default=None)
        if held is None or not may(held):
            return loudest if loudest is not None else next(iter(named), None)
        if loudest is None:
            return held if held in named or not named else named[0]
        if named and held not in named and loudest in named:
            return loudest
        louder_db = self._loudness(loudest) - self._loudness(held)
        return held if self._speaks(held, now) and louder_db < MUCH_LOUDER_DB else loudest

    def _speaks(self, site: SiteId, now: float) -> bool:
        voice = self._voices.get(site)
        return voice is not None and now - voice.spoke_at <= SPOKEN_S

    def _loudness(self, site: SiteId) -> float:
        voice = self._voices.get(site)
        return voice.loudness if voice is not None else 0.0

    def chosen(
        self,
        held: Sequence[SiteId | None],
        voices: Iterable[SiteId],
        may: Callable[[SiteId], bool],
        now: float,
    ) -> list[SiteId | None]:
        """Who gets each audio slot next; a voice that stays keeps its slot.

        Args:
            held: Who has each slot now.
            voices: Who comes first, whether speaking or not.
            may: Whether a source sends audio and may be heard.
            now: The time.
        """
        size = len(held)
        wanted = [site for site in dict.fromkeys(voices) if may(site)][:size]
        others = [
            (site not in held or now - voice.spoke_at > HOLD_S, -voice.loudness, site)
            for site, voice in self._voices.items()
            if site not in wanted and now - voice.spoke_at <= FORGOTTEN_S and may(site)
        ]
        wanted += [site for _, _, site in sorted(others)[: size - len(wanted)]]
        slots: list[SiteId | None] = [site if site in wanted else None for site in held]
        new = iter([site for site in wanted if site not in slots])
        return [site if site is not None else next(new, None) for site in slots]
