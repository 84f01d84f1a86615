"""One timer for all players of an event loop, instead of one each."""

import asyncio
from typing import ClassVar, Final, Protocol
from weakref import WeakKeyDictionary

BEAT_S: Final = 0.02


class Player(Protocol):
    """Somebody with something to do at every beat."""

    def beat(self, number: int) -> bool:
        """One step; False: nothing more to do."""


class Beat:
    """The beat of one event loop; it stops when nobody plays."""

    _of: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, "Beat"]] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._players: set[Player] = set()
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    @classmethod
    def of(cls, loop: asyncio.AbstractEventLoop) -> "Beat":
        """The beat of this loop."""
        beat = cls._of.get(loop)
        if beat is None:
            beat = cls._of[loop] = Beat()
        return beat

    def add(self, player: Player) -> None:
        """It plays with the others from now on."""
        self._players.add(player)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(BEAT_S, self._tick)

    def _tick(self) -> None:
        self._number += 1
        self._players = {player for player in self._players if player.beat(self._number)}
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(BEAT_S, self._tick) if self._players else None
