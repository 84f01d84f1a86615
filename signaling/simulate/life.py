"""What simulated sites do of their own accord, so that a newcomer sees a meeting that lives.

Pure: time and chance are arguments. Few do something at a time, and everybody comes back.
"""

from collections.abc import Sequence
from random import Random
from typing import Final

from msgspec import Struct

HANDS_AT_ONCE: Final = 5
WEAK_AT_ONCE: Final = 3
AWAY_SHARE: Final = 0.05
CITY_ACTS_PER_S: Final = 0.5  # never more, however many sites
SITE_REST_S: Final = 400.0  # one site does something about this often
AWAY_S: Final = (15.0, 45.0)
HAND_S: Final = (40.0, 180.0)
WEAK_S: Final = (20.0, 60.0)
SPEECH_S: Final = (60.0, 150.0)


class RaiseHand(Struct, frozen=True):
    """The site wants to speak."""

    site: str


class LowerHand(Struct, frozen=True):
    """It has thought better of it."""

    site: str


class GoAway(Struct, frozen=True):
    """Its line is cut without a word."""

    site: str


class ComeBack(Struct, frozen=True):
    """The line is back."""

    site: str


class WeakenLine(Struct, frozen=True):
    """A share of its packets gets lost."""

    site: str


class MendLine(Struct, frozen=True):
    """No packet is lost any more."""

    site: str


Act = RaiseHand | LowerHand | GoAway | ComeBack | WeakenLine | MendLine


class Life:
    """The plan for all sites; ``due`` says when to ask ``act`` again."""

    def __init__(self, sites: Sequence[str], chance: Random, now: float) -> None:
        self._sites = tuple(sites)
        self._chance = chance
        self._pause_s = max(1 / CITY_ACTS_PER_S, SITE_REST_S / max(1, len(self._sites)))
        self._next = now + self._pause_s
        self._undo: list[tuple[float, Act]] = []  # what ends by itself, by time
        self._busy: set[str] = set()

    def due(self) -> float:
        """When something happens next."""
        return min([self._next, *(at for at, _ in self._undo[:1])])

    def act(self, now: float) -> Act | None:
        """The next thing that happens, if its time has come."""
        if self._undo and self._undo[0][0] <= now:
            act = self._undo.pop(0)[1]
            self._busy.discard(act.site)
            return act
        if self._next > now:
            return None
        self._next = now + self._pause_s * self._chance.uniform(0.5, 1.5)
        return self._begin(now)

    def _begin(self, now: float) -> Act | None:
        free = [site for site in self._sites if site not in self._busy]
        if not free:
            return None
        site = self._chance.choice(free)
        running = [type(act) for _, act in self._undo]
        dice = self._chance.uniform(0, 1)
        if dice < 0.55 and running.count(LowerHand) < HANDS_AT_ONCE:
            return self._for(now, HAND_S, RaiseHand(site), LowerHand(site))
        if dice < 0.8 and running.count(ComeBack) < max(1, int(AWAY_SHARE * len(self._sites))):
            return self._for(now, AWAY_S, GoAway(site), ComeBack(site))
        if running.count(MendLine) < WEAK_AT_ONCE:
            return self._for(now, WEAK_S, WeakenLine(site), MendLine(site))
        return None

    def _for(self, now: float, span_s: tuple[float, float], act: Act, then: Act) -> Act:
        self._busy.add(act.site)
        self._undo.append((now + self._chance.uniform(*span_s), then))
        self._undo.sort(key=lambda pair: pair[0])
        return act
